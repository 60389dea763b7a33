"""Attempts of one request that run beside each other: one caller is counted, each of them pays."""

import asyncio
from collections.abc import Sequence

from penstock_config.provider import Provider, RateLimits
from penstock_sidecar.limits.limiter import Attempt, Ticket
from penstock_sidecar.store import Store
from tests.sidecar.limits import world
from tests.sidecar.limits.books import Books

LIMITS = RateLimits(requests_per_minute=9, tokens_per_minute=1000, concurrent_requests=2)
CLOUDS = tuple(world.provider(id=f"shop/cloud-{name}", limits=LIMITS) for name in "abc")


async def beside(ticket: Ticket, providers: Sequence[Provider]) -> list[Attempt]:
    """All of them at a time, once the first has brought the caller in."""
    attempts = [ticket.attempt(world.candidate(each)) for each in providers]
    first_in, all_in = asyncio.Event(), asyncio.Barrier(len(attempts))

    async def serve(attempt: Attempt) -> None:
        async with attempt:
            first_in.set()
            attempt.sent()
            await all_in.wait()
            attempt.saw(world.DONE)

    async with asyncio.TaskGroup() as group:
        group.create_task(serve(attempts[0]))
        await first_in.wait()
        assert ticket.admitted
        for attempt in attempts[1:]:
            group.create_task(serve(attempt))
    return attempts


async def test_the_caller_is_counted_once_and_every_attempt_pays(
    store: Store, books: Books
) -> None:
    settings = world.config(CLOUDS, (world.per_app(LIMITS),), (world.budget(),))
    limiter = world.limiter(settings, store)
    async with limiter.ticket(world.CALLER, world.request()) as ticket:
        assert not ticket.admitted
        attempts = await beside(ticket, CLOUDS)
    await limiter.close()
    assert [attempt.cost_micro_usd for attempt in attempts] == [17, 17, 17]
    assert books.money() == {"S": 51, "R": 0, "U": 0}
    assert (books.subject_counts("rpm60"), books.subject_counts("tpm60")) == ([1], [36])
    assert books.slots() == 0


async def test_who_has_no_limits_is_admitted_from_the_start(store: Store) -> None:
    limiter = world.limiter(world.config(), store)
    assert limiter.ticket(world.CALLER, world.request()).admitted
    await limiter.close()


async def test_a_request_of_our_own_takes_money_and_none_of_the_callers_limits(
    store: Store, books: Books
) -> None:
    settings = world.config((), (world.per_app(LIMITS),), (world.budget(),))
    limiter = world.limiter(settings, store)
    async with limiter.ticket(world.CALLER, world.request()) as ticket:
        async with ticket.attempt(world.candidate()) as attempt:
            attempt.sent()
            attempt.saw(world.DONE)
        async with ticket.aside(world.candidate(), world.request(300)) as aside:
            aside.sent()
            held = (30 + 10 * 2) + (300 + 10 * 2)
            assert books.money()["R"] == held, "the first until the end, and its own"
            aside.saw(world.DONE)
    await limiter.close()
    assert books.subject_counts("rpm60") == [1]
    assert books.money() == {"S": 34, "R": 0, "U": 0}
