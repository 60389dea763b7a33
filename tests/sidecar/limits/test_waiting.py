"""`onExceeded: Queue`: who waits, for how long, in which order, and what is left when he goes."""

import asyncio
from asyncio import TaskGroup
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from penstock_config.budget import Amounts
from penstock_config.credentials import RedisAccess
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from penstock_config.queue import Queue
from penstock_sidecar.errors import (
    BudgetExceeded,
    ConcurrencyLimited,
    RateLimited,
    SidecarError,
    TokensLimited,
)
from penstock_sidecar.limits.attempt import Most
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.redis_store import RedisStore, connect
from penstock_sidecar.store import Store
from tests.sidecar.limits import world
from tests.sidecar.limits.books import Books
from tests.sidecar.limits.conftest import PATIENCE_SECONDS
from tests.sidecar.limits.world import CountingStore, serve, serving

HANGS_SECONDS = 20
"""What takes so long would last for ever."""


def queueing(queue: Queue | None = None, **limits: Any) -> CallerLimit:
    queue = queue or Queue()
    return world.per_app(RateLimits(**limits), on_exceeded="Queue", queue=queue)


def limiter_of(store: Store, *limits: CallerLimit, **settings: Any) -> Limiter:
    return world.limiter(world.config(limits=limits, **settings), store)


@pytest.fixture
async def counting(store: RedisStore) -> CountingStore:
    return CountingStore(store)


@pytest.fixture
async def stores(each_redis_url: str) -> AsyncIterator[list[RedisStore]]:
    """Of three sidecars."""
    access = RedisAccess(url=each_redis_url)
    opened = [await connect(access, deadline_seconds=PATIENCE_SECONDS) for _ in range(3)]
    yield opened
    for each in opened:
        await each.close()


async def test_who_came_first_goes_first(counting: CountingStore) -> None:
    limiter = limiter_of(counting, queueing(concurrent_requests=1))
    order: list[int] = []

    async def ask(number: int) -> None:
        async with serving(limiter):
            order.append(number)

    async with asyncio.timeout(HANGS_SECONDS), TaskGroup() as tasks, serving(limiter):
        for number in range(8):
            tasks.create_task(ask(number))
        await counting.answered("acquire", 1 + 8)
    assert order == list(range(8))
    await limiter.close()


async def test_who_comes_later_joins_the_end_without_asking(counting: CountingStore) -> None:
    limiter = limiter_of(counting, queueing(concurrent_requests=1))
    order: list[str] = []

    async def ask(name: str) -> None:
        async with serving(limiter):
            order.append(name)

    async with asyncio.timeout(HANGS_SECONDS), TaskGroup() as tasks:
        async with serving(limiter):
            tasks.create_task(ask("first"))
            await counting.answered("acquire", 3)
        tasks.create_task(ask("later"))
    assert order == ["first", "later"]
    await limiter.close()


async def test_no_more_wait_than_may(counting: CountingStore) -> None:
    limiter = limiter_of(counting, queueing(Queue(max_length=2), concurrent_requests=1))
    async with asyncio.timeout(HANGS_SECONDS), TaskGroup() as tasks, serving(limiter):
        waiting = [tasks.create_task(serve(limiter)) for _ in range(2)]
        await counting.answered("acquire", 4)
        with pytest.raises(ConcurrencyLimited) as refused:
            await serve(limiter)
        assert not any(task.done() for task in waiting)
    assert "limit per-app allows 1 requests at a time" in refused.value.public
    assert "2 requests wait for this limit already" in refused.value.public
    assert refused.value.status == 429
    assert refused.value.retry_after_seconds
    await limiter.close()


async def test_the_longest_wait_is_bounded(store: Store, books: Books) -> None:
    queue = Queue(max_wait_seconds=0.3)
    limiter = limiter_of(store, queueing(queue, concurrent_requests=1, requests_per_minute=9))
    async with asyncio.timeout(HANGS_SECONDS), serving(limiter):
        answers = await asyncio.gather(*(serve(limiter) for _ in range(3)), return_exceptions=True)
    await limiter.close()
    for answer in answers:
        assert isinstance(answer, ConcurrencyLimited)
        assert "limit per-app allows 1 requests at a time" in answer.public
    assert (books.slots(), books.subject_counts("rpm60")) == (0, [1])


@pytest.mark.parametrize("patience_seconds", [0.2, 0, -5])
async def test_nobody_waits_longer_than_the_request_may_take(
    store: Store, patience_seconds: float
) -> None:
    limiter = limiter_of(store, queueing(concurrent_requests=1))
    most = Most(until=asyncio.get_running_loop().time() + patience_seconds)
    async with asyncio.timeout(HANGS_SECONDS), serving(limiter):
        with pytest.raises(RateLimited):
            await serve(limiter, most=most)
    await limiter.close()


async def test_what_will_not_end_in_time_is_not_waited_for(store: Store) -> None:
    """The window frees in a minute; the queue waits for half of one."""
    limiter = limiter_of(store, queueing(requests_per_minute=1))
    await serve(limiter)
    async with asyncio.timeout(HANGS_SECONDS):
        with pytest.raises(RateLimited) as refused:
            await serve(limiter)
    assert refused.value.retry_after_seconds
    assert refused.value.retry_after_seconds > 30
    await limiter.close()


async def test_a_budget_is_not_waited_for(counting: CountingStore) -> None:
    budget = world.budget(limits=Amounts(daily=60))
    limits = queueing(Queue(max_wait_seconds=1e6), concurrent_requests=1)
    limiter = limiter_of(counting, limits, budgets=(budget,))
    async with asyncio.timeout(HANGS_SECONDS):
        await serve(limiter, size=30)
        with pytest.raises(BudgetExceeded):
            await serve(limiter, size=50)
    await limiter.close()


async def test_another_limit_that_rejects_is_not_waited_for(store: Store) -> None:
    rejects = world.per_app(RateLimits(requests_per_minute=1), name="strict")
    limiter = limiter_of(
        store, queueing(Queue(max_wait_seconds=1e6), concurrent_requests=9), rejects
    )
    await serve(limiter)
    async with asyncio.timeout(HANGS_SECONDS):
        with pytest.raises(RateLimited, match="limit strict"):
            await serve(limiter)
    await limiter.close()


async def test_a_freed_slot_is_taken_by_the_next_question(counting: CountingStore) -> None:
    limiter = limiter_of(counting, queueing(concurrent_requests=1))
    async with asyncio.timeout(HANGS_SECONDS), TaskGroup() as tasks:
        async with serving(limiter):
            tasks.create_task(serve(limiter))
            await counting.answered("acquire", 4)
        asked = counting.calls["acquire"]
        await counting.answered("settle", 2)
    assert counting.calls["acquire"] <= asked + 2
    await limiter.close()


async def test_tokens_that_come_back_are_taken_before_the_time_redis_named(store: Store) -> None:
    """The first request holds half of the limit for a minute, and uses next to nothing of it."""
    limits = queueing(Queue(max_wait_seconds=120), tokens_per_minute=100)
    limiter = limiter_of(store, limits)
    large: dict[str, Any] = {"size": 30, "max_output_tokens": 40}
    async with (
        asyncio.timeout(HANGS_SECONDS),
        TaskGroup() as tasks,
        serving(limiter, **large),
        serving(limiter, **large),
    ):
        last = tasks.create_task(serve(limiter, **large))
        await asyncio.wait([last], timeout=0.2)
        assert not last.done()
    await limiter.close()


@pytest.mark.parametrize("freed", [False, True])
async def test_who_leaves_while_waiting_leaves_nothing_behind(
    store: Store, books: Books, *, freed: bool
) -> None:
    """Cancelled after any number of the loop's turns, also just when it is his turn."""
    cloud = world.provider(limits=RateLimits(concurrent_requests=9, requests_per_minute=999))
    limits = queueing(concurrent_requests=1, requests_per_minute=999)
    settings = world.config((cloud,), (limits,), (world.budget(limits=Amounts(daily=9**9)),))
    limiter = world.limiter(settings, store)
    served = 0
    for turns in range(0, 60, 2):
        async with AsyncExitStack() as busy:
            await busy.enter_async_context(serving(limiter, world.candidate(cloud)))
            waits = asyncio.ensure_future(serve(limiter, world.candidate(cloud)))
            if freed:
                await asyncio.wait([waits], timeout=0.002)
                await busy.aclose()
            for _ in range(turns):
                await asyncio.sleep(0)
            waits.cancel()
            (answer,) = await asyncio.gather(waits, return_exceptions=True)
        served += 1 + (not isinstance(answer, BaseException))
    async with asyncio.timeout(HANGS_SECONDS):
        await serve(limiter, world.candidate(cloud))
        await limiter.settled()
    await limiter.close()
    assert books.slots() == 0
    assert (books.subject_counts("rpm60"), books.count("rpm60")) == ([served + 1], served + 1)
    money = books.money()
    assert (money["R"], money["U"], money["S"]) == (0, 0, 17 * (served + 1))


async def test_sidecars_share_a_queueing_limit_and_nobody_starves(
    stores: list[RedisStore], books: Books
) -> None:
    """Never more than the limit at a time, by the leases that Redis holds."""
    limiters = [limiter_of(store, queueing(concurrent_requests=2)) for store in stores]
    active, most, served = 0, 0, [0] * len(limiters)

    async def ask(number: int) -> None:
        nonlocal active, most
        async with serving(limiters[number]):
            active += 1
            most = max(most, active, books.slots())
            await asyncio.sleep(0)
            active -= 1
        served[number] += 1

    async with asyncio.timeout(HANGS_SECONDS):
        await asyncio.gather(*(ask(number) for number in range(len(limiters)) for _ in range(12)))
    for limiter in limiters:
        await limiter.close()
    assert served == [12, 12, 12]
    assert most == 2


async def test_a_queueing_window_holds_exactly(stores: list[RedisStore], books: Books) -> None:
    """What is admitted in one bucket is Redis's own record: no 61 of them hold more."""
    limits = queueing(requests_per_minute=5, window_seconds=0.6)
    limiters = [limiter_of(store, limits) for store in stores]
    most = 0

    async def ask(limiter: Limiter) -> None:
        nonlocal most
        async with serving(limiter):
            most = max(most, *books.subject_counts("rpm0.6"))

    async with asyncio.timeout(HANGS_SECONDS):
        await asyncio.gather(*(ask(limiters[n % 3]) for n in range(20)))
    for limiter in limiters:
        await limiter.close()
    assert most == 5


async def test_refusals_after_a_wait_are_for_callers(store: Store) -> None:
    queue = Queue(max_wait_seconds=0.05)
    limiter = limiter_of(store, queueing(queue, tokens_per_minute=20))
    await serve(limiter)
    async with asyncio.timeout(HANGS_SECONDS):
        with pytest.raises(SidecarError) as refused:
            await serve(limiter)
    assert isinstance(refused.value, TokensLimited)
    await limiter.close()
