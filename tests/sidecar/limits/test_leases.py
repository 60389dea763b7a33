"""Requests taken ahead: fewer round trips, a stated bound, and nothing lost."""

import asyncio
import contextlib
from typing import Any

import pytest

from penstock_config.provider import RateLimits
from penstock_sidecar.errors import RateLimited, UpstreamUnavailable
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.limits.scripts import ACQUIRE
from penstock_sidecar.model import Chunk, Usage
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.store import Argument, Script
from tests.servers import eventually
from tests.sidecar.limits import world
from tests.sidecar.limits.books import Books
from tests.sidecar.limits.world_in_time import SECOND, InTime

DONE = Chunk(b"", content=True, usage=Usage(7, 5), finish="stop", end=True)


class Counting:
    """A store that counts how often a limit was asked for."""

    def __init__(self, store: RedisStore) -> None:
        self._store = store
        self.asked = 0

    async def command(self, *arguments: Argument) -> object:
        return await self._store.command(*arguments)

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        self.asked += script.name == ACQUIRE.name
        return await self._store.script(script, keys, arguments)


async def admitted(limiter: Limiter, requests: int) -> int:
    """Of so many requests one after another."""
    count = 0
    for _ in range(requests):
        with contextlib.suppress(RateLimited):
            ticket = limiter.ticket(world.CALLER, world.request())
            async with ticket, ticket.attempt(world.candidate()) as attempt:
                attempt.saw(DONE)
            count += 1
    return count


def leased(limit: int, store: Counting, **changes: Any) -> Limiter:
    limits = changes.pop("limits", RateLimits(requests_per_minute=limit))
    own = world.per_app(limits, lease=True, **changes)
    return world.limiter(world.config(limits=(own,)), store)


async def test_most_requests_of_dense_traffic_ask_nobody(store: RedisStore) -> None:
    counting = Counting(store)
    limiter = leased(100_000, counting)
    assert await admitted(limiter, 600) == 600
    assert counting.asked < 200
    await limiter.close()


async def test_what_was_not_used_is_given_back(store: RedisStore, books: Books) -> None:
    limiter = leased(100_000, Counting(store))
    await admitted(limiter, 300)
    await limiter.close()
    assert books.subject_counts("rpm60") == [300]


async def test_what_nobody_came_for_is_given_back_soon(store: RedisStore, books: Books) -> None:
    limiter = leased(100_000, Counting(store))
    await admitted(limiter, 300)
    await asyncio.to_thread(
        eventually, lambda: books.subject_counts("rpm60") == [300], "the rest is given back"
    )
    await limiter.close()


async def test_one_is_given_back_to_the_chunk_it_came_from(time: InTime, books: Books) -> None:
    """And to no other: who fails late would else let another chunk admit more than it took."""
    own = world.per_app(RateLimits(requests_per_minute=100_000), lease=True)
    limiter = time.limiter(world.config(limits=(own,)))

    async def fails_after(microseconds: int) -> None:
        with contextlib.suppress(UpstreamUnavailable):
            ticket = limiter.ticket(world.CALLER, world.request())
            async with ticket, ticket.attempt(world.candidate()) as attempt:
                attempt.sent()
                time.passes(microseconds)
                assert await admitted(limiter, 1) == 1
                raise UpstreamUnavailable("refused")

    assert await admitted(limiter, 60) == 60
    await fails_after(0)
    await fails_after(SECOND // 2)
    time.passes(3 * SECOND)
    assert await admitted(limiter, 1) == 1  # no longer dense: it asks for itself alone
    await limiter.settled()
    assert books.subject_counts("rpm60") == [60 + 1 + (1 + 1) + 1]


async def test_near_the_limit_nothing_is_taken_ahead_and_none_is_wasted(store: RedisStore) -> None:
    limiter = leased(100, Counting(store))
    assert await admitted(limiter, 300) == 100
    await limiter.close()


async def test_two_sidecars_admit_the_limit_together(store: RedisStore) -> None:
    limiters = [leased(400, Counting(store)) for _ in range(2)]
    counts = await asyncio.gather(*(admitted(each, 400) for each in limiters))
    assert sum(counts) == 400
    for each in limiters:
        await each.close()


async def test_a_limit_on_tokens_is_always_asked_for(store: RedisStore) -> None:
    counting = Counting(store)
    own = world.per_app(RateLimits(requests_per_minute=9999, tokens_per_minute=10**9), lease=True)
    limiter = world.limiter(world.config(limits=(own,)), counting)
    assert await admitted(limiter, 100) == 100
    assert counting.asked >= 100
    await limiter.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"reserved_percent": 10},
        {"limits": RateLimits(requests_per_minute=10**6, pacing="Smooth")},
    ],
    ids=["kept for some", "evenly spaced"],
)
async def test_a_limit_that_tells_requests_apart_is_always_asked_for(
    store: RedisStore, changes: dict[str, Any]
) -> None:
    """A chunk would go to whoever comes, and as fast as they come."""
    counting = Counting(store)
    limiter = leased(10**6, counting, **changes)
    assert await admitted(limiter, 100) == 100
    assert counting.asked >= 100
    await limiter.close()
