"""Candidates whose breakers are watched, and sidecars that share one Redis."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from penstock_config.credentials import RedisAccess
from penstock_config.provider import Health
from penstock_sidecar.clock import SystemClock
from penstock_sidecar.errors import UpstreamError, UpstreamUnavailable
from penstock_sidecar.health.breaker import Phase
from penstock_sidecar.health.breakers import Breakers
from penstock_sidecar.health.sharing import Known, Place, Sharing
from penstock_sidecar.model import Candidate
from penstock_sidecar.redis_store import RedisStore
from tests.sidecar.redis_store.conftest import opened, until
from tests.sidecar.routing.builders import model, provider

CLUSTER = "test"
DOWN = UpstreamUnavailable("down")
CHAT = "openai-chat"


def candidate(
    name: str = "m", *, of: str = "p", threshold: int = 3, cooldown_seconds: float = 60
) -> Candidate:
    config = Health(failure_threshold=threshold, cooldown_seconds=cooldown_seconds)
    return Candidate(provider(of, name, health=config), model(name), "fast", "shop/fast")


@dataclass(slots=True)
class Changes:
    """A `BreakerObserver` that remembers."""

    seen: list[tuple[str, str, str, Phase]] = field(default_factory=list)

    def breaker_changed(self, provider: str, model: str, endpoint: str, phase: Phase) -> None:
        self.seen.append((provider, model, endpoint, phase))


@dataclass(slots=True)
class Sharer:
    """What of a sidecar knows of health."""

    breakers: Breakers
    store: RedisStore
    changes: Changes

    def phase(self, one: Candidate) -> Phase:
        return self.breakers.state(one, "openai-chat").phase

    async def until(self, one: Candidate, phase: Phase) -> None:
        """Bounded by the test's own time-out."""
        await until(lambda: self.phase(one) == phase)

    def fail(self, one: Candidate, times: int = 1, error: UpstreamError = DOWN) -> None:
        for _ in range(times):
            self.breakers.failed(one, error, "openai-chat")

    def succeed(self, one: Candidate) -> None:
        self.breakers.succeeded(one, "openai-chat", self.breakers.now())


@asynccontextmanager
async def sharers(
    url: str | RedisAccess, count: int, *known: Candidate
) -> AsyncIterator[Sequence[Sharer]]:
    """Sidecars that may ask these candidates."""
    providers = {each.provider.id: Known.of(each.provider) for each in known}
    found, tasks = [], []
    async with AsyncExitStack() as stack:
        for number in range(count):
            store = await stack.enter_async_context(opened(url))
            changes = Changes()
            breakers = Breakers(SystemClock(), f"sidecar-{number}", changes)
            place = Place(store, CLUSTER, providers)
            sharing = Sharing(breakers, lambda place=place: place)  # type: ignore[misc]  # bound now
            tasks.append(asyncio.create_task(sharing.run()))
            found.append(Sharer(breakers, store, changes))
        try:
            yield found
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
