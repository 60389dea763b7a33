"""How a drain waits, in virtual time."""

import asyncio
import contextlib

import pytest

from penstock_sidecar.errors import Overloaded
from penstock_sidecar.http.load import Load

pytestmark = pytest.mark.looptime


async def stay(load: Load, seconds: float, after: float = 0) -> None:
    await asyncio.sleep(after)
    with load:
        await asyncio.sleep(seconds)


async def drained_after(load: Load, seconds: float, quiet_seconds: float = 0) -> float:
    now = asyncio.get_running_loop().time
    began = now()
    await load.drain(seconds, quiet_seconds)
    return now() - began


async def test_a_drain_of_nothing_is_over_at_once() -> None:
    load = Load(1)
    assert await drained_after(load, 25) == 0
    assert (load.draining, load.gave_up) == (True, False)


async def test_a_drain_ends_with_the_last_request() -> None:
    load = Load(2)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stay(load, 10))
        tasks.create_task(stay(load, 6, after=9))
        drain = tasks.create_task(drained_after(load, 25))
    assert drain.result() == 15
    assert not load.gave_up


async def test_a_quiet_time_waits_for_whoever_comes_again() -> None:
    """An application that ends calls once more, and nothing tells when it has ended."""
    load = Load(1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stay(load, 4))
        tasks.create_task(stay(load, 1, after=6))
        drain = tasks.create_task(drained_after(load, 25, quiet_seconds=3))
    assert drain.result() == 10


async def test_a_time_that_is_over_is_remembered_until_the_next_drain() -> None:
    load = Load(1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stay(load, 8))
        drain = tasks.create_task(drained_after(load, 5, quiet_seconds=3))
        await asyncio.sleep(6)
        assert (drain.result(), load.gave_up) == (5, True)
    await load.drain(5)
    assert not load.gave_up


async def test_two_drains_at_a_time_end_both() -> None:
    """A kubelet's, and one by hand."""
    load = Load(1)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(stay(load, 4))
        drains = [
            tasks.create_task(drained_after(load, 25, quiet_seconds=quiet)) for quiet in (3, 1)
        ]
    assert [drain.result() for drain in drains] == [7, 5]


async def test_who_is_not_admitted_disturbs_no_quiet() -> None:
    load = Load(0)
    with contextlib.suppress(Overloaded), load:
        pass
    assert await drained_after(load, 25, quiet_seconds=3) == 3
