"""A sidecar that dies with requests in flight: slots come back, money stays counted."""

import asyncio

from penstock_config.credentials import RedisAccess
from penstock_config.provider import RateLimits
from penstock_sidecar.limits.ledger import HOLD_SECONDS
from penstock_sidecar.limits.renewals import RENEWALS_PER_LIFE
from penstock_sidecar.model import Chunk, Usage
from penstock_sidecar.redis_store import connect
from tests.planes.limits_fleet import limiter_process
from tests.sidecar.limits import world
from tests.sidecar.limits.books import Books

IN_FLIGHT = 5
HOLD = 1.5
"""Seconds, where production has thirty: the same code, a twentieth of the time."""
CLOCK_SECONDS = 0.01
"""By which our clock and Redis's may differ over a hold's life."""
WORST = 30 * 1 + 10 * 2
"""Micro-dollars that one of the requests holds."""


def test_holds_live_for_thirty_seconds_and_are_renewed_every_ten() -> None:
    assert (HOLD_SECONDS, HOLD_SECONDS / RENEWALS_PER_LIFE) == (30, 10)


async def test_kill_dash_nine_frees_the_slots_and_keeps_the_money_counted(redis_url: str) -> None:
    """AT5: within the lease's life (30 s) and a second all slots are free; the reservations of
    the dead are unsettled, still counted against the budget."""
    limits = RateLimits(concurrent_requests=IN_FLIGHT)
    config = world.config(limits=(world.per_app(limits),), budgets=(world.budget(),))
    order = {"mode": "hold", "pod": "web-1", "requests": IN_FLIGHT, "hold_seconds": HOLD}
    books = Books(redis_url)
    with limiter_process(config, redis_url, **order) as sidecar:
        await asyncio.to_thread(sidecar.wait_until_ready)
        assert books.money() == {"S": 0, "R": IN_FLIGHT * WORST, "U": 0}
        await asyncio.to_thread(sidecar.kill_dash_nine)
    killed_at = books.now_us()
    ends = books.slot_ends_us()
    assert len(ends) == IN_FLIGHT
    assert all(end <= killed_at + HOLD * 1_000_000 for end in ends)
    left_us = max(ends) - books.now_us()  # they were renewed one after the other
    await asyncio.sleep(max(0, left_us) / 1_000_000 + CLOCK_SECONDS)
    await _admitted(redis_url)
    assert books.money() == {"S": WORST, "R": 0, "U": IN_FLIGHT * WORST}
    assert books.slots() == 0
    books.client.close()


async def _admitted(redis_url: str) -> None:
    """One more request, which finds a slot."""
    limits = RateLimits(concurrent_requests=IN_FLIGHT)
    config = world.config(limits=(world.per_app(limits),), budgets=(world.budget(),))
    store = await connect(RedisAccess(url=redis_url), deadline_seconds=5)
    limiter = world.limiter(config, store)
    ticket = limiter.ticket(world.CALLER, world.request())
    async with ticket, ticket.attempt(world.candidate()) as attempt:
        attempt.saw(Chunk(b"", content=True, usage=Usage(30, 10), end=True))
    await limiter.close()
    await store.close()
