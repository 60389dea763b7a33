"""A whole sidecar in this loop: real ports, real Redis, real files, scripted providers."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openai import AsyncOpenAI
from pydantic import SecretStr

from penstock_cli.stub import StubProvider
from penstock_config.codec import config_file_name, credentials_file_name, encode
from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.policy import Policy, Retry, Target
from penstock_config.provider import Model, Price, Provider
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Tier
from penstock_sidecar.app import Ports, Sidecar
from tests.sidecar.http.edge import Response, exchange, head, post
from tests.sidecar.local import settings_in

KEY = "sk-the-platforms-own"
NAMESPACE = "team"
PRICE = Price(input_token=150_000, output_token=600_000)


def model(name: str) -> Model:
    return Model(
        name=name,
        upstream_name=f"upstream-{name}",
        capabilities=("chat", "tools"),
        context_window=8192,
        max_output_tokens=256,
        price=PRICE,
    )


def provider(name: str, stub: StubProvider, model_name: str, **changes: Any) -> Provider:
    fields: dict[str, Any] = {
        "id": f"{NAMESPACE}/{name}",
        "type": "openai",
        "base_url": f"{stub.url}/v1",
        "needs_key": True,
        "models": (model(model_name),),
        **changes,
    }
    return Provider(**fields)


def tier(name: str, *candidates: tuple[str, str]) -> Tier:
    """Candidates in order: the next is asked when those before it are out."""
    return Tier(
        id=f"{NAMESPACE}/{name}",
        name=name,
        candidates=tuple(
            Candidate(provider=f"{NAMESPACE}/{provider_name}", model=model_name, priority=place)
            for place, (provider_name, model_name) in enumerate(candidates)
        ),
    )


def policy(**changes: Any) -> Policy:
    fields: dict[str, Any] = {
        "id": f"{NAMESPACE}/shop",
        "default": Target(tier=f"{NAMESPACE}/fast"),
        "tiers": (f"{NAMESPACE}/fast", f"{NAMESPACE}/solo"),
        "retry": Retry(attempts=1, backoff_ms=0),
        **changes,
    }
    return Policy(**fields)


@dataclass(slots=True)
class Files:
    """What a sidecar reads. Two providers; tier `fast` falls back from the first to the second,
    `solo` has the first alone."""

    folder: Path
    main: StubProvider
    backup: StubProvider
    redis_url: str | None

    def config(self, **policy_changes: Any) -> SidecarConfig:
        return SidecarConfig(
            cluster="test",
            namespace=NAMESPACE,
            providers=(
                provider("main", self.main, "small"),
                provider("backup", self.backup, "large"),
            ),
            tiers=(
                tier("fast", ("main", "small"), ("backup", "large")),
                tier("solo", ("main", "small")),
            ),
            policies=(policy(**policy_changes),),
        )

    def credentials(self, key: str = KEY) -> Credentials:
        return Credentials(
            provider_keys={
                f"{NAMESPACE}/main": (SecretStr(key),),
                f"{NAMESPACE}/backup": (SecretStr(key),),
            },
            redis=RedisAccess(url=self.redis_url) if self.redis_url else None,
            scope_key=SecretStr("scope"),
        )

    def write(
        self,
        config: SidecarConfig | bytes | None = None,
        credentials: Credentials | None = None,
    ) -> None:
        """As a kubelet would leave them; nobody has looked yet."""
        data = config if isinstance(config, bytes) else encode(config or self.config())
        (self.folder / config_file_name()).write_bytes(data)
        secret = encode(credentials or self.credentials())
        (self.folder / credentials_file_name()).write_bytes(secret)


@dataclass(slots=True)
class Plane(Files):
    """A sidecar that serves by them, in this loop."""

    sidecar: Sidecar
    ports: Ports

    async def publish(self, config: SidecarConfig, credentials: Credentials | None = None) -> None:
        self.write(config, credentials)
        await self.sidecar.reload()

    @contextlib.asynccontextmanager
    async def client(self, **options: Any) -> AsyncIterator[AsyncOpenAI]:
        """The official client, as an application has it: no key of a provider's, no retries."""
        fields = {"api_key": "penstock", "max_retries": 0, **options}
        url = f"http://localhost:{self.ports.application}/v1"
        async with AsyncOpenAI(base_url=url, **fields) as client:
            yield client

    async def ask(self, document: object, **headers: str) -> Response:
        """One chat request by hand."""
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        return await exchange(self.ports.application, post(data, **headers))

    async def state(self) -> dict[str, Any]:
        response = await exchange(self.ports.admin, head("GET", "/debug/state"))
        found = json.loads(response.body)
        assert isinstance(found, dict)
        return found

    async def probe(self, path: str) -> Response:
        return await exchange(self.ports.probe, head("GET", path))


def chat(content: str = "hello", **fields: Any) -> dict[str, Any]:
    return {"model": "fast", "messages": [{"role": "user", "content": content}], **fields}


@contextlib.asynccontextmanager
async def running_plane(
    folder: Path, redis_url: str | None, *, written: bool = True, **changes: Any
) -> AsyncIterator[Plane]:
    """With its files read, if they are `written` before it starts; `changes` are of settings."""
    usual = {"max_body_bytes": 100_000, "drain_seconds": 20}
    settings = settings_in(folder, NAMESPACE, **usual | changes)
    async with StubProvider() as main, StubProvider() as backup:
        sidecar = Sidecar(settings)
        plane = Plane(folder, main, backup, redis_url, sidecar, Ports(0, 0, 0))
        if written:
            plane.write()
        plane.ports = await sidecar.start()
        try:
            yield plane
        finally:
            await sidecar.close()


async def within(seconds: float, event: asyncio.Event) -> None:
    async with asyncio.timeout(seconds):
        await event.wait()
