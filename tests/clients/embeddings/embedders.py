"""A sidecar in this loop over fake providers that make vectors, and one that makes none."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from ollama import AsyncClient as AsyncOllama
from openai import AsyncOpenAI
from pydantic import SecretStr

from penstock_cli.stub import StubProvider
from penstock_cli.stub.vectors import vector
from penstock_config.cache import Cache
from penstock_config.codec import config_file_name, credentials_file_name, encode
from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.policy import Policy, Retry
from penstock_config.provider import Capability, Model, Price, Provider
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Tier
from penstock_sidecar.app import Ports, Sidecar
from tests.fakes.vendors.azure import AzureStub
from tests.fakes.vendors.gemini import GeminiProvider
from tests.sidecar.http.edge import CHAT, Response, exchange, post
from tests.sidecar.local import settings_in

NAMESPACE = "team"
OPENAI, EMBED, FORMER = "/v1/embeddings", "/api/embed", "/api/embeddings"
PATIENCE_SECONDS = 30
PRICE = Price(input_token=1_000_000, output_token=0)
"""A micro-dollar a token."""
TIERS = {
    "gpt": ("openai/small",),
    "azure": ("azure/ada",),
    "gem": ("gemini/gecko",),
    "llama": ("ollama/minilm",),
    "claude": ("anthropic/opus",),
    "chat": ("openai/talker",),
    "any": ("anthropic/opus", "openai/small"),
}
"""Candidates in order: the next is asked when those before it are out."""


def model(name: str, capability: Capability = "embeddings") -> Model:
    return Model(
        name=name,
        upstream_name=f"upstream-{name}",
        capabilities=(capability,),
        context_window=512,
        price=PRICE,
    )


@dataclass(slots=True)
class Embedders:
    """`small` is OpenAI's, `ada` Azure's, `gecko` Gemini's, `minilm` Ollama's, each in a tier of
    its own; `same` is called so by its provider too. `opus` should make vectors, but its provider
    cannot."""

    openai: StubProvider
    azure: AzureStub
    gemini: GeminiProvider
    ollama: StubProvider
    redis_url: str
    folder: Path
    sidecar: Sidecar
    ports: Ports

    def config(self, **changes: Any) -> SidecarConfig:
        policy = Policy(
            id=f"{NAMESPACE}/shop",
            tiers=tuple(f"{NAMESPACE}/{name}" for name in (*TIERS, "same")),
            limits=changes.pop("limits", ()),
            cache=changes.pop("cache", Cache()),
            retry=changes.pop("retry", Retry(attempts=1, backoff_ms=0)),
            on_redis_loss="Closed",
        )
        tiers = tuple(_tier(name, *labels) for name, labels in TIERS.items())
        return SidecarConfig(
            cluster="test",
            namespace=NAMESPACE,
            providers=tuple(self._providers()),
            tiers=(*tiers, _tier("same", "openai/same")),
            policies=(policy,),
            **changes,
        )

    async def publish(self, **changes: Any) -> None:
        self.write(self.config(**changes))
        await self.sidecar.reload()

    def write(self, config: SidecarConfig) -> None:
        """As a kubelet would leave it; nobody has looked yet."""
        credentials = Credentials(
            redis=RedisAccess(url=self.redis_url), scope_key=SecretStr("scope")
        )
        (self.folder / config_file_name()).write_bytes(encode(config))
        (self.folder / credentials_file_name()).write_bytes(encode(credentials))

    @contextlib.asynccontextmanager
    async def openai_client(self) -> AsyncIterator[AsyncOpenAI]:
        url = f"http://localhost:{self.ports.application}/v1"
        async with AsyncOpenAI(base_url=url, api_key="penstock", max_retries=0) as client:
            yield client

    @contextlib.asynccontextmanager
    async def ollama_client(self) -> AsyncIterator[AsyncOllama]:
        async with AsyncOllama(f"http://localhost:{self.ports.application}") as client:
            yield client

    async def ask(self, path: str, body: bytes) -> Response:
        """By hand; and again where Redis was late on a busy machine, which says nothing."""
        data = post(body).replace(CHAT.encode(), path.encode(), 1)
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                response = await exchange(self.ports.application, data)
                if response.status != HTTPStatus.SERVICE_UNAVAILABLE:
                    return response

    def _providers(self) -> Iterator[Provider]:
        same = model("same").model_copy(update={"upstream_name": "same"})
        openai = (model("small"), same, model("talker", "chat"))
        yield _provider("openai", "openai", f"{self.openai.url}/v1", *openai)
        yield _provider(
            "azure", "azure-openai", self.azure.url, model("ada"), api_version="2024-10-21"
        )
        yield _provider("gemini", "gemini", f"{self.gemini.url}/v1beta", model("gecko"))
        yield _provider("ollama", "ollama", self.ollama.url, model("minilm"))
        yield _provider("anthropic", "anthropic", self.openai.url, model("opus"))


def _provider(name: str, type_: Any, base_url: str, *models: Model, **more: Any) -> Provider:
    return Provider(
        id=f"{NAMESPACE}/{name}",
        type=type_,
        base_url=base_url,
        needs_key=False,
        models=models,
        **more,
    )


def _tier(name: str, *labels: str) -> Tier:
    pairs = [label.split("/") for label in labels]
    return Tier(
        id=f"{NAMESPACE}/{name}",
        name=name,
        candidates=tuple(
            Candidate(provider=f"{NAMESPACE}/{provider}", model=model_name, priority=place)
            for place, (provider, model_name) in enumerate(pairs)
        ),
    )


def body(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def vectors(model: str, *texts: str, dimensions: int | None = None) -> list[list[float]]:
    return [[*vector(text, f"upstream-{model}", dimensions)] for text in texts]


@contextlib.asynccontextmanager
async def running_embedders(folder: Path, redis_url: str, **more: Any) -> AsyncIterator[Embedders]:
    """`more` are settings of the sidecar."""
    settings = settings_in(folder, NAMESPACE, **more)
    async with (
        StubProvider() as openai,
        AzureStub() as azure,
        GeminiProvider() as gemini,
        StubProvider() as ollama,
    ):
        sidecar = Sidecar(settings)
        ports = Ports(0, 0, 0)
        embedders = Embedders(openai, azure, gemini, ollama, redis_url, folder, sidecar, ports)
        embedders.write(embedders.config())
        embedders.ports = await sidecar.start()
        try:
            yield embedders
        finally:
            await sidecar.close()
