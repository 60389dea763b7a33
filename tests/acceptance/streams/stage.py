"""One sidecar in this loop, with two providers of every type, and callers of every dialect."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from penstock_cli.stub import Behaviour, StubProvider
from penstock_config.budget import Budget
from penstock_config.codec import config_file_name, credentials_file_name, encode
from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.policy import Policy, Retry, Target
from penstock_config.provider import Health, Provider, ProviderType
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Tier
from penstock_sidecar.app import Sidecar
from penstock_sidecar.settings import Settings
from tests.acceptance.streams.callers import SPEAKERS, Speaker
from tests.acceptance.streams.providers import KINDS, NAMESPACE, Kind
from tests.sidecar.http.edge import Response, connection, head, read_response

NEVER_COOLS: Final = Health(failure_threshold=10**9)
PATIENCE_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class Pair:
    """A caller's dialect and a provider's type."""

    speaker: Speaker
    kind: Kind

    def __str__(self) -> str:
        return f"{self.speaker} to {self.kind}"

    def tier(self, *, fallback: bool = True) -> str:
        name = f"{self.kind}-{self.speaker}"
        return name if fallback else f"{name}-alone"

    @property
    def upstream_model(self) -> str:
        return f"vendor-{self.speaker}"


PAIRS: Final = tuple(Pair(speaker, kind) for speaker in SPEAKERS for kind in KINDS)


@dataclass(slots=True)
class Stage:
    """A tier for each pair: of its type `main` is asked first and `backup` next; in `<pair>-alone`
    main alone."""

    folder: Path
    redis_url: str
    main: Mapping[ProviderType, StubProvider]
    backup: Mapping[ProviderType, StubProvider]
    sidecar: Sidecar
    port: int = 0

    def always(self, main: Behaviour, backup: Behaviour) -> None:
        """Of all types."""
        for fake in self.main.values():
            fake.always(main)
        for fake in self.backup.values():
            fake.always(backup)

    async def publish(
        self,
        *,
        budgets: tuple[Budget, ...] = (),
        policy: Mapping[str, Any] | None = None,
        **of: Any,
    ) -> None:
        """`of` are fields of every provider."""
        providers = tuple(self._providers({"health": NEVER_COOLS, **of}))
        config = SidecarConfig(
            cluster="test",
            namespace=NAMESPACE,
            providers=providers,
            tiers=tuple(_tiers()),
            policies=(_policy(**policy or {}),),
            budgets=budgets,
        )
        keys = {p.id: (SecretStr("sk-the-platforms-own"),) for p in providers}
        credentials = Credentials(
            provider_keys=keys,
            redis=RedisAccess(url=self.redis_url),
            scope_key=SecretStr("scope"),
        )
        (self.folder / config_file_name()).write_bytes(encode(config))
        (self.folder / credentials_file_name()).write_bytes(encode(credentials))
        await self.sidecar.reload()

    def _providers(self, changes: Mapping[str, Any]) -> list[Provider]:
        return [
            kind.configured(fakes[kind.type], f"{kind.type}-{name}", **changes)
            for name, fakes in (("main", self.main), ("backup", self.backup))
            for kind in KINDS
        ]

    async def ask(
        self, pair: Pair, text: str = "hello", *, stream: bool = True, fallback: bool = True
    ) -> Response:
        """One answer, read to its end, off a connection of its own."""
        body = pair.speaker.body(pair.tier(fallback=fallback), text, stream=stream)
        async with asyncio.timeout(PATIENCE_SECONDS), connection(self.port) as (reader, writer):
            writer.write(request(pair.speaker, body))
            return await read_response(reader)

    async def ask_all(self, **options: Any) -> dict[str, Response]:
        """Every pair at once, by its name."""
        found = await asyncio.gather(*(self.ask(pair, **options) for pair in PAIRS))
        return {str(pair): response for pair, response in zip(PAIRS, found, strict=True)}


def request(speaker: Speaker, body: bytes) -> bytes:
    return head(path=speaker.path, content_length=str(len(body))) + body


def _tiers() -> list[Tier]:
    tiers = []
    for pair in PAIRS:
        both = tuple(
            Candidate(
                provider=f"{NAMESPACE}/{pair.kind}-{name}", model=pair.speaker.api, priority=place
            )
            for place, name in enumerate(("main", "backup"))
        )
        for fallback in (True, False):
            name = pair.tier(fallback=fallback)
            found = both if fallback else both[:1]
            tiers.append(Tier(id=f"{NAMESPACE}/{name}", name=name, candidates=found))
    return tiers


def _policy(**changes: Any) -> Policy:
    tiers = tuple(tier.id for tier in _tiers())
    fields: dict[str, Any] = {
        "id": f"{NAMESPACE}/shop",
        "default": Target(tier=tiers[0]),
        "tiers": tiers,
        "retry": Retry(attempts=1, backoff_ms=0),
        **changes,
    }
    return Policy(**fields)


@contextlib.asynccontextmanager
async def stage(folder: Path, redis_url: str, **settings: Any) -> AsyncIterator[Stage]:
    """With a configuration, unless the test publishes another."""
    fields: dict[str, Any] = {
        "config_dir": folder,
        "credentials_dir": folder,
        "pod_info_dir": folder,
        "namespace": NAMESPACE,
        "port": 0,
        "probe_host": "127.0.0.1",
        "probe_port": 0,
        "admin_port": 0,
        **settings,
    }
    async with AsyncExitStack() as stack:
        main = {k.type: await stack.enter_async_context(k.fake()) for k in KINDS}
        backup = {k.type: await stack.enter_async_context(k.fake()) for k in KINDS}
        sidecar = Sidecar(Settings(**fields))
        ports = await sidecar.start()
        stack.push_async_callback(sidecar.close)
        running = Stage(folder, redis_url, main, backup, sidecar, ports.application)
        await running.publish()
        yield running
