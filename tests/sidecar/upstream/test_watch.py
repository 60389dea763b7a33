"""One timer for many waits. Time is virtual."""

import asyncio

import pytest

from penstock_sidecar.upstream.watch import Watch

pytestmark = pytest.mark.looptime


class Late:
    """When it was said, in seconds since its own beginning."""

    def __init__(self) -> None:
        self._began = asyncio.get_running_loop().time()
        self.at: list[float] = []

    def __call__(self) -> None:
        self.at.append(self.now)

    @property
    def now(self) -> float:
        return asyncio.get_running_loop().time() - self._began

    def due(self, seconds: float) -> float:
        return self._began + seconds


async def test_of_many_waits_the_one_that_is_not_over_is_late() -> None:
    late = Late()
    watch = Watch(late)
    for second in range(20):
        watch.begin(late.due(second + 5))
        await asyncio.sleep(1)
        if second < 19:
            watch.over()
    await asyncio.sleep(60)
    assert late.at == [24]


async def test_a_wait_may_be_shorter_than_the_one_before() -> None:
    late = Late()
    watch = Watch(late)
    watch.begin(late.due(30))
    watch.over()
    watch.begin(late.due(2))
    await asyncio.sleep(60)
    assert late.at == [2]


async def test_between_two_waits_nothing_is_late() -> None:
    late = Late()
    watch = Watch(late)
    watch.begin(late.due(5))
    await asyncio.sleep(1)
    watch.over()
    await asyncio.sleep(60)
    watch.begin(late.due(70))
    await asyncio.sleep(60)
    assert late.at == [70]


async def test_after_its_end_nothing_is_late() -> None:
    late = Late()
    watch = Watch(late)
    watch.begin(late.due(5))
    watch.close()
    await asyncio.sleep(60)
    assert late.at == []
