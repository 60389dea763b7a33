"""Sidecars before a metered provider, and what their books say of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from penstock_config.budget import Amounts, Budget
from penstock_config.credentials import Credentials, RedisAccess
from penstock_config.layout import Group
from penstock_config.provider import Model, Provider
from penstock_config.schema import SidecarConfig
from tests.acceptance.fleet import config as config_of
from tests.acceptance.metered.provider import MeteredProvider
from tests.acceptance.metered.work import Tariff
from tests.acceptance.registry import Case
from tests.planes.plane import NAMESPACE, Plane, running_plane
from tests.sidecar.limits.books import Books

CLUSTER = "test"
ABILITIES = ("chat", "completions", "tools", "vision", "json")
THINKS = (*ABILITIES, "reasoning")
"""It may think unseen: what is shown says little of what is billed."""
PATIENCE_SECONDS = 30
POLL_SECONDS = 0.02
ENDLESS = 10**12
"""Micro-USD that no test spends."""


def metered_model(tariff: Tariff, **changes: Any) -> Model:
    fields = {"name": "small", "upstream_name": "small", "capabilities": ABILITIES}
    return Model(**{**fields, "price": tariff.price, **changes})


def metered(case: Case, fake: MeteredProvider, name: str, **changes: Any) -> Provider:
    """The provider as the operator would write it, and its one tier is called the same."""
    models = changes.pop("models", (metered_model(fake.meter.tariff),))
    return case.provider.configured(fake, name, models=models, **changes)


def budget(name: str, total: int = ENDLESS, **changes: Any) -> Budget:
    return Budget(**{"id": f"{NAMESPACE}/{name}", "limits": Amounts(total=total), **changes})


@dataclass(frozen=True, slots=True)
class Money:
    """One budget's books, in micro-USD."""

    settled: int
    reserved: int
    unsettled: int

    def __add__(self, other: "Money") -> "Money":
        return Money(
            self.settled + other.settled,
            self.reserved + other.reserved,
            self.unsettled + other.unsettled,
        )

    @property
    def used(self) -> int:
        return self.settled + self.reserved + self.unsettled


def money_of(books: Books, of: Budget) -> Money:
    group = (
        Group.of_provider(CLUSTER, of.providers[0])
        if of.provider_wide
        else Group.of_namespace(CLUSTER, NAMESPACE)
    )
    found = books.money(group, of.id)
    return Money(found["S"], found["R"], found["U"])


async def quiet(books: Books, *budgets: Budget) -> None:
    """Returns when nothing is reserved any more: all that ended is settled."""
    await until(lambda: not any(money_of(books, of).reserved for of in budgets))


async def until(true: Callable[[], bool]) -> None:
    """For what another process does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if true():
                return
            await asyncio.sleep(POLL_SECONDS)


@dataclass(slots=True)
class World:
    """A sidecar in this loop."""

    plane: Plane
    books: Books

    @property
    def port(self) -> int:
        return self.plane.ports.application

    async def publish(self, *providers: Provider, **of_config: Any) -> SidecarConfig:
        """`of_config` as `fleet.config` takes it."""
        config = config_of(*providers, **of_config)
        keys = {p.id: (SecretStr("sk-the-platforms-own"),) for p in providers}
        redis = RedisAccess(url=self.plane.redis_url) if self.plane.redis_url else None
        credentials = Credentials(provider_keys=keys, redis=redis, scope_key=SecretStr("scope"))
        await self.plane.publish(config, credentials)
        return config

    async def settled(self) -> None:
        """Returns when requests have ended and Redis knows what they used."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.plane.sidecar._load.idle()
            runtime = self.plane.sidecar._holder.peek()
            assert runtime
            await runtime.settled()


@asynccontextmanager
async def world(folder: Path, redis_url: str) -> AsyncIterator[World]:
    books = Books(redis_url)
    async with running_plane(folder, redis_url) as plane:
        yield World(plane, books)
    books.client.close()
