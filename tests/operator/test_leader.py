"""The Lease, in virtual time: who leads, who waits, who must end."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from penstock_operator.cluster import ClusterUnreachable, Conflict
from penstock_operator.cluster.client import WRITE_SECONDS
from penstock_operator.cluster.leases import LeaseRecord
from penstock_operator.leader import Elector, LeaseLost, Timing

pytestmark = pytest.mark.looptime


class Store:
    """A Lease in memory, with the API server's optimistic lock."""

    def __init__(self) -> None:
        self.record = LeaseRecord()
        self.reachable = True
        self.hangs = False
        self.written: list[tuple[str, datetime, int]] = []

    async def read(self) -> LeaseRecord:
        await self._arrive()
        return self.record

    async def write(
        self, former: LeaseRecord, holder: str, now: datetime, seconds: int
    ) -> LeaseRecord:
        await self._arrive()
        if former.version != self.record.version:
            raise Conflict(former.version)
        self.written.append((holder, now, seconds))
        self.record = replace(self.record, holder=holder, version=f"{self.record.version}+")
        return self.record

    async def _arrive(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if not self.reachable:
            raise ClusterUnreachable


def elector(store: Store, identity: str, clock: Callable[[], float] | None = None) -> Elector:
    return Elector(store, identity, Timing(), clock or asyncio.get_running_loop().time)


async def seconds_until(what: asyncio.Task[None]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.wait([what])
    return loop.time() - began


async def test_a_free_lease_is_taken_at_once() -> None:
    store = Store()
    first = elector(store, "first")
    assert not first.holds()
    await first.acquire()
    assert first.holds()
    assert store.record.holder == "first"


async def test_a_live_lease_is_waited_for() -> None:
    store = Store()
    first, second = elector(store, "first"), elector(store, "second")
    await first.acquire()
    async with asyncio.TaskGroup() as group:
        holding = group.create_task(first.hold())
        waiting = group.create_task(second.acquire())
        await asyncio.sleep(120)
        assert not waiting.done()
        assert store.record.holder == "first"
        holding.cancel()
        waiting.cancel()


async def test_a_crashed_holder_is_replaced_within_the_lease_and_one_retry() -> None:
    store = Store()
    first, second = elector(store, "first"), elector(store, "second")
    await first.acquire()
    async with asyncio.TaskGroup() as group:
        took = await seconds_until(group.create_task(second.acquire()))
    assert 15 <= took <= 15 + 2 * 2.4
    assert store.record.holder == "second"


async def test_the_old_holder_stops_writing_before_another_may_begin() -> None:
    """The fence: between the two lies the time that clocks and packets may need."""
    store = Store()
    loop = asyncio.get_running_loop()
    first, second = elector(store, "first"), elector(store, "second")
    await first.acquire()
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(second.acquire())
        while first.holds():  # noqa: ASYNC110  # in virtual time
            await asyncio.sleep(0.5)
        fenced_at = loop.time()
        await waiting
    assert loop.time() - fenced_at >= 15 - 10


@pytest.mark.parametrize("trouble", ["reachable", "hangs"])
async def test_a_holder_that_cannot_renew_gives_up_in_time(trouble: str) -> None:
    store = Store()
    first = elector(store, "first")
    await first.acquire()
    setattr(store, trouble, trouble == "hangs")
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(LeaseLost, match="not renewed for 10"):
        await first.hold()
    assert 10 <= loop.time() - began <= 13
    assert not first.holds()


async def test_one_failed_renewal_is_nothing() -> None:
    store = Store()
    first = elector(store, "first")
    await first.acquire()
    async with asyncio.TaskGroup() as group:
        holding = group.create_task(first.hold())
        store.reachable = False
        await asyncio.sleep(5)
        store.reachable = True
        await asyncio.sleep(60)
        assert first.holds()
        holding.cancel()


async def test_a_lease_that_somebody_took_is_lost_at_once() -> None:
    store = Store()
    first = elector(store, "first")
    await first.acquire()
    store.record = LeaseRecord(holder="second", version="other")
    with pytest.raises(LeaseLost, match="held by second"):
        await first.hold()
    assert not first.holds()


async def test_a_lease_that_was_written_by_hand_and_is_still_ours_is_kept() -> None:
    store = Store()
    first = elector(store, "first")
    await first.acquire()
    store.record = replace(store.record, version="annotated")
    async with asyncio.TaskGroup() as group:
        holding = group.create_task(first.hold())
        await asyncio.sleep(60)
        assert first.holds()
        holding.cancel()


async def test_a_released_lease_is_taken_by_the_next_without_waiting() -> None:
    store = Store()
    first, second = elector(store, "first"), elector(store, "second")
    await first.acquire()
    await first.release()
    assert not first.holds()
    assert [(holder, seconds) for holder, _, seconds in store.written] == [("first", 15), ("", 1)]
    async with asyncio.TaskGroup() as group:
        assert await seconds_until(group.create_task(second.acquire())) == 0


async def test_releasing_what_was_never_held_touches_nothing() -> None:
    store = Store()
    await elector(store, "first").release()
    assert store.record == LeaseRecord()


async def test_a_server_that_is_away_while_waiting_is_asked_again() -> None:
    store = Store()
    store.reachable = False
    first = elector(store, "first")
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(first.acquire())
        await asyncio.sleep(30)
        store.reachable = True
        assert await seconds_until(waiting) <= 2.4


async def test_a_write_begun_as_leader_ends_before_another_may_lead() -> None:
    timing = Timing()
    assert timing.renew_seconds + WRITE_SECONDS < timing.lease_seconds
