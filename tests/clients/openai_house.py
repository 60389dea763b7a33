"""A sidecar in this loop for OpenAI's other text APIs: over providers that serve them themselves,
that know only OpenAI's chat, and that speak Ollama's dialect."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI
from pydantic import SecretStr

from penstock_cli.stub import StubProvider
from penstock_config.codec import config_file_name, credentials_file_name, encode
from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.policy import Identity, Policy, Retry, Target, UserSource
from penstock_config.provider import Capability, Model, Price, Provider
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Tier
from penstock_sidecar.app import Sidecar
from tests.sidecar.local import settings_in

NAMESPACE = "team"
PRICE = Price(input_token=1_000_000, output_token=2_000_000)
EVERYTHING: tuple[Capability, ...] = ("chat", "tools", "vision", "json", "reasoning")
TIERS = {
    "gpt": (("openai", "gpt"),),
    "instruct": (("openai", "instruct"),),
    "copy": (("copy", "copied"),),
    "llama": (("ollama", "llama"),),
    "any": (("ollama", "llama"), ("openai", "gpt")),
}
"""Candidates in order: the next is asked when those before it are out."""


def model(name: str, capabilities: tuple[Capability, ...] = EVERYTHING) -> Model:
    return Model(
        name=name,
        upstream_name=f"upstream-{name}",
        capabilities=capabilities,
        context_window=100_000,
        max_output_tokens=8_192,
        price=PRICE,
    )


@dataclass(slots=True)
class OpenAiHouse:
    """`openai` serves every API of OpenAI's, `copy` its chat alone."""

    folder: Path
    openai: StubProvider
    copy: StubProvider
    ollama: StubProvider
    redis_url: str | None
    url: str = ""
    """The sidecar's, with `/v1`."""

    def config(self, **policy: Any) -> SidecarConfig:
        fields = {"retry": Retry(attempts=1, backoff_ms=0), **policy}
        return SidecarConfig(
            cluster="test",
            namespace=NAMESPACE,
            providers=self._providers(),
            tiers=tuple(_tier(name) for name in TIERS),
            policies=(
                Policy(
                    id=f"{NAMESPACE}/shop",
                    default=Target(tier=f"{NAMESPACE}/gpt"),
                    tiers=tuple(f"{NAMESPACE}/{name}" for name in TIERS),
                    identity=Identity(user_from=(UserSource(kind="BodyUser"),)),
                    **fields,
                ),
            ),
        )

    def write(self, config: SidecarConfig) -> None:
        """As a kubelet would leave it; nobody has looked yet."""
        credentials = Credentials(
            redis=RedisAccess(url=self.redis_url) if self.redis_url else None,
            scope_key=SecretStr("scope"),
        )
        (self.folder / config_file_name()).write_bytes(encode(config))
        (self.folder / credentials_file_name()).write_bytes(encode(credentials))

    @contextlib.asynccontextmanager
    async def client(self, port: int | None = None, **options: Any) -> AsyncIterator[AsyncOpenAI]:
        """The official client, as an application has it: no key of a provider's, no retries."""
        url = f"http://localhost:{port}/v1" if port else self.url
        fields = {"api_key": "penstock", "max_retries": 0, **options}
        async with AsyncOpenAI(base_url=url, **fields) as client:
            yield client

    def _providers(self) -> tuple[Provider, ...]:
        return (
            Provider(
                id=f"{NAMESPACE}/openai",
                type="openai",
                preset="openai",
                base_url=f"{self.openai.url}/v1",
                needs_key=False,
                models=(model("gpt"), model("instruct", ("completions",))),
            ),
            Provider(
                id=f"{NAMESPACE}/copy",
                type="openai",
                base_url=f"{self.copy.url}/v1",
                needs_key=False,
                models=(model("copied"),),
            ),
            Provider(
                id=f"{NAMESPACE}/ollama",
                type="ollama",
                base_url=self.ollama.url,
                needs_key=False,
                models=(model("llama"),),
            ),
        )


def _tier(name: str) -> Tier:
    candidates = tuple(
        Candidate(provider=f"{NAMESPACE}/{provider}", model=model_name, priority=place)
        for place, (provider, model_name) in enumerate(TIERS[name])
    )
    return Tier(id=f"{NAMESPACE}/{name}", name=name, candidates=candidates)


@contextlib.asynccontextmanager
async def running_openai_house(
    folder: Path, redis_url: str | None, redis_deadline_seconds: float = 0.05, **policy: Any
) -> AsyncIterator[OpenAiHouse]:
    settings = settings_in(
        folder, NAMESPACE, drain_seconds=25, redis_deadline_seconds=redis_deadline_seconds
    )
    async with StubProvider() as openai, StubProvider() as copy, StubProvider() as ollama:
        house = OpenAiHouse(folder, openai, copy, ollama, redis_url)
        house.write(house.config(**policy))
        sidecar = Sidecar(settings)
        try:
            ports = await sidecar.start()
            house.url = f"http://localhost:{ports.application}/v1"
            yield house
        finally:
            await sidecar.close()
