"""A sidecar in this loop over one fake provider of each dialect, for the vendors' own clients."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from penstock_cli.stub import StubProvider
from penstock_config.codec import config_file_name, credentials_file_name, encode
from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.policy import Policy, Retry, Target
from penstock_config.provider import Auth, Model, Price, Provider
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Tier
from penstock_sidecar.app import Sidecar
from tests.fakes.vendors.anthropic import AnthropicProvider
from tests.sidecar.local import settings_in

NAMESPACE = "team"
KEY = "sk-the-platforms-own"
PRICE = Price(input_token=1_000_000, output_token=2_000_000)
EVERYTHING: Any = ("chat", "tools", "vision", "json", "reasoning")
X_API_KEY = Auth(scheme="Header", name="x-api-key")
TIERS = {
    "claude": (("anthropic", "opus"),),
    "sonnet": (("anthropic", "sonnet"),),
    "gpt": (("openai", "gpt"),),
    "llama": (("ollama", "llama"),),
    "any": (("anthropic", "opus"), ("openai", "gpt")),
}
"""Candidates in order: the next is asked when those before it are out."""


def model(name: str, upstream_name: str) -> Model:
    return Model(
        name=name,
        upstream_name=upstream_name,
        capabilities=EVERYTHING,
        context_window=100_000,
        max_output_tokens=8_192,
        price=PRICE,
    )


@dataclass(slots=True)
class House:
    """`url` is the sidecar's, without a path."""

    anthropic: AnthropicProvider
    openai: StubProvider
    ollama: StubProvider
    sidecar: Sidecar
    folder: Path
    redis_url: str | None = None
    url: str = ""
    probe_url: str = ""

    def providers(self) -> tuple[Provider, ...]:
        claude = {"base_url": self.anthropic.url, "needs_key": True, "auth": X_API_KEY}
        return (
            Provider(
                id=f"{NAMESPACE}/anthropic",
                type="anthropic",
                models=(model("opus", "claude-opus-4-7"), model("sonnet", "claude-sonnet-4-5")),
                **claude,
            ),
            Provider(
                id=f"{NAMESPACE}/openai",
                type="openai",
                base_url=f"{self.openai.url}/v1",
                needs_key=True,
                models=(model("gpt", "gpt-upstream"),),
            ),
            Provider(
                id=f"{NAMESPACE}/ollama",
                type="ollama",
                base_url=self.ollama.url,
                needs_key=False,
                models=(model("llama", "llama-upstream"),),
            ),
        )

    def config(self, **policy: Any) -> SidecarConfig:
        fields = {"retry": Retry(attempts=1, backoff_ms=0), **policy}
        return SidecarConfig(
            cluster="test",
            namespace=NAMESPACE,
            providers=self.providers(),
            tiers=tuple(_tier(name) for name in TIERS),
            policies=(
                Policy(
                    id=f"{NAMESPACE}/shop",
                    default=Target(tier=f"{NAMESPACE}/claude"),
                    tiers=tuple(f"{NAMESPACE}/{name}" for name in TIERS),
                    **fields,
                ),
            ),
        )

    def write(self, config: SidecarConfig) -> None:
        """As a kubelet would leave it; nobody has looked yet."""
        keys = {f"{NAMESPACE}/{name}": (SecretStr(KEY),) for name in ("anthropic", "openai")}
        redis = RedisAccess(url=self.redis_url) if self.redis_url else None
        credentials = Credentials(provider_keys=keys, redis=redis, scope_key=SecretStr("scope"))
        (self.folder / config_file_name()).write_bytes(encode(config))
        (self.folder / credentials_file_name()).write_bytes(encode(credentials))

    async def publish(self, config: SidecarConfig) -> None:
        self.write(config)
        await self.sidecar.reload()


def _tier(name: str) -> Tier:
    return Tier(
        id=f"{NAMESPACE}/{name}",
        name=name,
        candidates=tuple(
            Candidate(provider=f"{NAMESPACE}/{provider}", model=model_name, priority=place)
            for place, (provider, model_name) in enumerate(TIERS[name])
        ),
    )


@contextlib.asynccontextmanager
async def running_house(
    folder: Path, redis_url: str | None = None, **more: Any
) -> AsyncIterator[House]:
    """`more` are settings of the sidecar."""
    settings = settings_in(folder, NAMESPACE, **more)
    async with AnthropicProvider() as anthropic, StubProvider() as openai, StubProvider() as ollama:
        sidecar = Sidecar(settings)
        house = House(anthropic, openai, ollama, sidecar, folder, redis_url)
        house.write(house.config())
        ports = await sidecar.start()
        house.url = f"http://127.0.0.1:{ports.application}"
        house.probe_url = f"http://127.0.0.1:{ports.probe}"
        try:
            yield house
        finally:
            await sidecar.close()
