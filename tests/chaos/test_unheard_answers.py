"""Redis did what it was asked, and its answers were lost: what nobody uses is given back."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from penstock_config.provider import RateLimits
from tests.chaos.house import budget, config, per_app, started, write
from tests.chaos.load import Load, until
from tests.chaos.meter import Meter
from tests.chaos.reading import Money, Reading
from tests.fakes.proxy import proxied
from tests.servers import any_server, single

SLOTS = 8
GIVEN_BACK_WITHIN_SECONDS = 15.0
"""Half of a hold's life: it did not just expire."""


@pytest.mark.slow
async def test_what_was_granted_unheard_is_given_back_once_redis_answers(tmp_path: Path) -> None:
    """Slots and money, also of those whose connection the breaker ended; none stays unsettled."""
    limits, slots = (per_app(concurrent_requests=SLOTS),), RateLimits(concurrent_requests=SLOTS)
    with single(any_server(), tmp_path) as server, server.client() as client:
        books = Reading(client)
        async with (
            Meter() as meter,
            proxied(server.url) as redis,
            aiohttp.ClientSession() as session,
        ):
            write(tmp_path, config(meter, limits, (budget(),), slots), redis.url)
            async with started(tmp_path, POD_NAME="shop-0") as sidecar:
                callers = Load()
                assert await callers.ask(session, sidecar.url, "ann") == 200
                await until(lambda: books.money().settled == meter.billed and not books.slots())
                redis.to_client.swallows = True
                asked = [callers.ask(session, sidecar.url, "ann") for _ in range(SLOTS)]
                assert await asyncio.gather(*asked) == [503] * SLOTS
                assert books.money().reserved > 0, "granted, and nobody heard"
                assert books.slots() > 0
                await redis.mend()
                await until(lambda: not books.money().reserved, GIVEN_BACK_WITHIN_SECONDS)
                await until(lambda: not books.slots(), GIVEN_BACK_WITHIN_SECONDS)
                assert books.money() == Money(settled=meter.billed)
