"""What redis-py's calls end with."""

import asyncio
from contextlib import suppress

import pytest

from penstock_operator.ledger.store import LedgerAway, opened, translated
from penstock_operator.settings import Settings

TIMES = 300


async def test_a_call_ends_when_it_is_cancelled_at_whatever_moment(redis_url: str) -> None:
    async with opened(Settings(cluster="test", redis_url=redis_url)) as store:

        async def asks_for_ever() -> None:
            while True:
                await store.now()
                await asyncio.sleep(0)

        for turns in range(TIMES):
            asking = asyncio.create_task(asks_for_ever())
            for _ in range(turns % 50):
                await asyncio.sleep(0)
            asking.cancel()
            await asyncio.wait([asking])
            assert asking.cancelled()


async def test_a_time_out_within_a_call_is_still_one() -> None:
    async def loses_it() -> None:
        with translated(), suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(loses_it(), 0.01)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await loses_it()


async def test_what_redis_does_not_answer_is_said_in_our_words() -> None:
    with pytest.raises(LedgerAway, match="OSError: gone"), translated():
        raise OSError("gone")
