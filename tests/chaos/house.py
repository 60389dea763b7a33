"""A house of sidecars as they ship, on one Redis, with one provider that keeps its own meter."""

import asyncio
import json
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from penstock_config.budget import Amounts, Budget
from penstock_config.codec import config_file_name, credentials_file_name, encode
from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.policy import CallerLimit
from penstock_config.provider import Model, Provider, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_sidecar.app import Ports
from tests.chaos.meter import PRICE, Meter
from tests.chaos.reading import BUDGET, CLUSTER
from tests.planes.plane import NAMESPACE, policy, tier
from tests.planes.shipped import running

PLENTY = 10**12


def budget(**changes: Any) -> Budget:
    """In one period without end, so that no midnight parts what belongs together."""
    fields: dict[str, Any] = {"id": BUDGET, "limits": Amounts(total=PLENTY), **changes}
    return Budget(**fields)


def per_app(**limits: Any) -> CallerLimit:
    return CallerLimit(name="app", per="App", limits=RateLimits(**limits))


def config(
    meter: Meter,
    limits: tuple[CallerLimit, ...] = (),
    budgets: tuple[Budget, ...] = (),
    provider_limits: RateLimits = RateLimits(),  # noqa: B008  # immutable
    model_limits: RateLimits = RateLimits(),  # noqa: B008
    **changes: Any,
) -> SidecarConfig:
    """One provider, `cloud`; by default nobody is served what Redis has not granted."""
    model = Model(
        name="small",
        upstream_name="small",
        capabilities=("chat",),
        context_window=8192,
        max_output_tokens=64,
        price=PRICE,
        limits=model_limits,
    )
    cloud = Provider(
        id=f"{NAMESPACE}/cloud",
        type="openai",
        base_url=f"{meter.url}/v1",
        needs_key=False,
        models=(model,),
        limits=provider_limits,
    )
    tiers = (tier("fast", ("cloud", "small")),)
    ruling = policy(tiers=(tiers[0].id,), limits=limits, **{"on_redis_loss": "Closed", **changes})
    return SidecarConfig(
        cluster=CLUSTER,
        namespace=NAMESPACE,
        providers=(cloud,),
        tiers=tiers,
        policies=(ruling,),
        budgets=budgets,
    )


def write(folder: Path, config: SidecarConfig, redis_url: str) -> None:
    """What the sidecars of a folder read, as a kubelet would leave it."""
    redis = RedisAccess(url=redis_url)
    secrets = Credentials(redis=redis, scope_key=SecretStr("scope"))
    (folder / credentials_file_name()).write_bytes(encode(secrets))
    (folder / config_file_name()).write_bytes(encode(config))


@dataclass(frozen=True, slots=True)
class Sidecar:
    """One process, and how to ask it."""

    process: Process
    ports: Ports
    said: list[bytes]
    """Its log, line by line."""

    def times_said(self, event: str) -> int:
        return sum(json.loads(line).get("event") == event for line in self.said)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.application}/v1/chat/completions"

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """-9."""
        self.process.kill()
        await self.process.wait()


@dataclass(frozen=True, slots=True)
class House:
    """`session` is the callers'."""

    sidecars: tuple[Sidecar, ...]
    session: aiohttp.ClientSession

    @property
    def urls(self) -> list[str]:
        return [sidecar.url for sidecar in self.sidecars]


@asynccontextmanager
async def started(
    folder: Path, code: Path | None = None, **settings: str
) -> AsyncIterator[Sidecar]:
    """One process; killed at the end, if it still runs then."""
    said: list[bytes] = []
    async with running(folder, code, said, **{"APP": "shop", **settings}) as (process, ports):
        yield Sidecar(process, ports, said)


@asynccontextmanager
async def house(folder: Path, size: int) -> AsyncIterator[House]:
    """As the folder's files say."""
    async with AsyncExitStack() as stack:
        coming = (started(folder, POD_NAME=f"shop-{n}") for n in range(size))
        found = await asyncio.gather(*map(stack.enter_async_context, coming))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        yield House(tuple(found), session)
