"""Sidecars of two versions, one configuration, one Redis: what they admit and spend together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis

from penstock_config.layout import PROCESS
from tests.chaos.load import Load, load, until
from tests.chaos.meter import Meter
from tests.chaos.reading import TEAM, Money, Reading
from tests.chaos.windows import most_at_once
from tests.operator.compile.documents import document
from tests.planes.plane import NAMESPACE
from tests.skew.mixed import Pods, documents, pods, present_operator

LIMIT, RAISED, SLOTS = 40, 60, 3
MINUTE = 60.0
OFFERED = 20 * LIMIT
CALLERS = 6
AMOUNT = 8_000
"""Micro-dollars: more than a hundred requests."""


class Shop:
    """Both versions, their provider, and everybody's books."""

    def __init__(self, both: Pods, meter: Meter, redis_url: str, stack: AsyncExitStack) -> None:
        self.pods = both
        self.meter = meter
        self.operator = present_operator(redis_url)
        self.client = stack.enter_context(redis.Redis.from_url(redis_url, decode_responses=True))
        self.books = Reading(self.client)

    async def publish(self, **of_policy: Any) -> None:
        await self.pods.mount(await self.operator(documents_of(self.meter, **of_policy)))

    async def offer(self, session: aiohttp.ClientSession, count: int) -> dict[str, Load]:
        """As much to each, by version, from callers who ask at once."""
        older, newer = self.pods.both
        async with (
            load(session, [older.url], CALLERS) as at_older,
            load(session, [newer.url], CALLERS) as at_newer,
        ):
            await asyncio.gather(at_older.more_answers(count), at_newer.more_answers(count))
        return {"older": at_older, "newer": at_newer}

    async def quiet(self) -> Money:
        """What the budget holds once nothing is under way."""
        await until(lambda: self.books.money().reserved == 0 and self.books.slots() == 0)
        return self.books.money()

    def settled_by_process(self) -> list[int]:
        fields = self.client.hgetall(TEAM.state)
        assert isinstance(fields, dict)
        return [int(v) for name, v in fields.items() if name.rpartition(":")[2].startswith(PROCESS)]


def documents_of(meter: Meter, *, amount: str = "1000", **of_policy: Any) -> list[Any]:
    money = document("Budget", "money", NAMESPACE, limits={"total": amount})
    return [*documents(meter.url, **of_policy), money]


@asynccontextmanager
async def opened(folder: Path, code: Path, redis_url: str, **more: Any) -> AsyncIterator[Shop]:
    async with AsyncExitStack() as stack:
        meter = await stack.enter_async_context(Meter())
        files = await present_operator(redis_url)(documents_of(meter, **more))
        both = await stack.enter_async_context(pods(folder, code, files))
        yield Shop(both, meter, redis_url, stack)


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as found:
        yield found


def per_app(limit: int) -> list[dict[str, Any]]:
    return [{"name": "app", "per": "App", "requestsPerMinute": limit, "concurrentRequests": SLOTS}]


async def test_one_limit_holds_over_both_versions_also_when_it_is_edited(
    tmp_path: Path, code: Path, redis_url: str, session: aiohttp.ClientSession
) -> None:
    """AT1 over two versions: at 20 times the load they admit the limit, neither more nor less,
    and of a raised one what was not used yet."""
    async with opened(tmp_path, code, redis_url, limits=per_app(LIMIT)) as shop:
        first = await shop.offer(session, OFFERED // 2)
        assert most_at_once(shop.meter.arrivals, MINUTE) == LIMIT
        assert all(each.seen[200] for each in first.values()), "both serve"
        await shop.publish(limits=per_app(RAISED))
        second = await shop.offer(session, OFFERED // 2)
        loads = (*first.values(), *second.values())
        assert sum(each.seen[200] for each in loads) == len(shop.meter.arrivals)
        assert most_at_once(shop.meter.arrivals, MINUTE) == RAISED
        seen = {status for each in loads for status in each.seen}
        assert seen - {503} == {200, 429}, "503 where Redis was late: this machine is busy"
        assert shop.meter.most_in_flight <= SLOTS
        assert await shop.quiet() == Money(settled=shop.meter.billed)


async def test_money_of_both_versions_is_one_sum_and_a_hard_cap_holds(
    tmp_path: Path, code: Path, redis_url: str, session: aiohttp.ClientSession
) -> None:
    dollars = f"{AMOUNT / 1_000_000:.6f}"
    async with opened(tmp_path, code, redis_url, amount=dollars) as shop:
        found = await shop.offer(session, AMOUNT // 20)
        money = await shop.quiet()
        assert money == Money(settled=shop.meter.billed)
        assert all(each.seen[200] and each.seen[429] for each in found.values()), found
        told = sum(sum(each.spent.values()) for each in found.values())
        assert told == money.settled <= AMOUNT
        by_process = shop.settled_by_process()
        assert len(by_process) == len(shop.pods.both)
        assert sum(by_process) == money.settled
