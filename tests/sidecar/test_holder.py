"""Which configuration serves, and what becomes of the former ones. Time is virtual."""

import asyncio
from typing import cast

import pytest

from penstock_sidecar.errors import ConfigurationMissing, Overloaded
from penstock_sidecar.holder import RETIRED_DEADLINE_SECONDS, SETTLED_SECONDS, RuntimeHolder
from penstock_sidecar.runtime import Runtime

pytestmark = pytest.mark.looptime


class FakeRuntime:
    """Says what was done to it."""

    def __init__(self) -> None:
        self.redis_heard = asyncio.Event()
        self.redis_heard.set()
        self.closed = asyncio.Event()
        self.close_seconds = 0

    async def settled(self) -> None:
        await self.redis_heard.wait()

    async def close(self) -> None:
        await asyncio.sleep(self.close_seconds)
        self.closed.set()


async def put(holder: RuntimeHolder, runtime: FakeRuntime | None = None) -> FakeRuntime:
    runtime = runtime or FakeRuntime()
    await holder.replace(cast("Runtime", runtime))
    return runtime


async def use(holder: RuntimeHolder, until: asyncio.Event) -> object:
    async with holder.current() as runtime:
        await until.wait()
        return runtime


async def test_without_a_configuration_every_request_is_told_so() -> None:
    with pytest.raises(ConfigurationMissing):
        await use(RuntimeHolder(), asyncio.Event())


async def test_a_request_keeps_what_it_began_with_and_nothing_closes_under_it() -> None:
    holder, done = RuntimeHolder(), asyncio.Event()
    first = await put(holder)
    async with asyncio.TaskGroup() as tasks:
        request = tasks.create_task(use(holder, done))
        await asyncio.sleep(0)
        second = await put(holder)
        await asyncio.sleep(10)
        assert not first.closed.is_set()
        done.set()
    assert request.result() is first
    await first.closed.wait()
    assert await use(holder, done) is second
    await holder.close()
    assert second.closed.is_set()


async def test_one_that_nobody_uses_closes_at_once() -> None:
    holder = RuntimeHolder()
    retired = [await put(holder) for _ in range(50)]
    await put(holder)
    async with asyncio.timeout(1):
        for runtime in retired:
            await runtime.closed.wait()
    await holder.close()


async def test_requests_in_the_oldest_of_four_get_a_deadline() -> None:
    """Configurations that nobody is in do not count."""
    holder, done = RuntimeHolder(), asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        await put(holder)
        oldest = tasks.create_task(_refused(holder))
        others = []
        for _ in range(2):
            await asyncio.sleep(100)
            await put(holder)
            await put(holder)
            others.append(tasks.create_task(use(holder, done)))
        await asyncio.sleep(100)
        assert not oldest.done()
        changed_at = asyncio.get_running_loop().time()
        await put(holder)
        await asyncio.sleep(2 * RETIRED_DEADLINE_SECONDS)
        assert not any(other.done() for other in others)
        done.set()
    assert oldest.result() == changed_at + RETIRED_DEADLINE_SECONDS
    await holder.close()


async def test_what_was_used_is_told_to_redis_before_a_runtime_ends() -> None:
    holder, former = RuntimeHolder(), FakeRuntime()
    former.redis_heard.clear()
    await put(holder, former)
    await put(holder)
    await asyncio.sleep(SETTLED_SECONDS - 1)
    assert not former.closed.is_set()
    former.redis_heard.set()
    await former.closed.wait()
    await holder.close()


async def test_a_runtime_that_is_closing_at_the_end_is_closed_to_its_own_end() -> None:
    holder, former = RuntimeHolder(), FakeRuntime()
    former.close_seconds = 5
    await put(holder, former)
    await put(holder)
    await asyncio.sleep(1)
    await holder.close()
    assert former.closed.is_set()


async def test_a_redis_that_never_comes_back_keeps_nothing_for_ever() -> None:
    holder, former = RuntimeHolder(), FakeRuntime()
    former.redis_heard.clear()
    await put(holder, former)
    await put(holder)
    await former.closed.wait()
    assert asyncio.get_running_loop().time() <= SETTLED_SECONDS + 1
    await holder.close()


async def test_the_end_waits_shortly_for_those_who_leave_and_for_nothing_else() -> None:
    holder, former = RuntimeHolder(), FakeRuntime()
    former.redis_heard.clear()
    await put(holder, former)
    current = await put(holder)
    stuck = asyncio.create_task(use(holder, asyncio.Event()))
    await asyncio.sleep(0)
    await holder.close()
    assert former.closed.is_set()
    assert current.closed.is_set()
    assert asyncio.get_running_loop().time() < 5
    stuck.cancel()
    await asyncio.gather(stuck, return_exceptions=True)


async def _refused(holder: RuntimeHolder) -> float:
    """When a request that would go on for ever is ended."""
    with pytest.raises(Overloaded):
        await use(holder, asyncio.Event())
    return asyncio.get_running_loop().time()
