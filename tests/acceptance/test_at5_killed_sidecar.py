"""AT5: a sidecar that is killed keeps no slot for longer than its lease."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import aiohttp
import pytest

from penstock_cli.stub import Ok, StubProvider
from penstock_config.budget import Amounts, Budget
from penstock_config.provider import RateLimits
from penstock_sidecar.limits.ledger import HOLD_SECONDS
from tests.acceptance.caller import Caller
from tests.acceptance.counters import GROUP, Counters, counters
from tests.acceptance.fleet import START_SECONDS, Shipped, by_subject, config, shipped, write
from tests.acceptance.registry import CASES, PROVIDERS, Case
from tests.planes.plane import NAMESPACE

US = 1_000_000
SLOTS = 2
MONEY = Budget(id=f"{NAMESPACE}/killed", limits=Amounts(daily=US))


@pytest.mark.slow
async def test_at5_kill_dash_nine_costs_no_slot_for_longer_than_its_lease(
    tmp_path: Path, redis_url: str, fakes: Mapping[str, StubProvider], application: Caller
) -> None:
    """By Redis's clock, with the lease as it ships, all cases at once because it lasts so long;
    what was reserved stays counted, unsettled."""
    limits = (by_subject(RateLimits(concurrent_requests=SLOTS)),)
    providers = [kind.configured(fakes[kind.type]) for kind in PROVIDERS]
    write(tmp_path, config(*providers, limits=limits, budgets=(MONEY,)), redis_url)
    with counters(redis_url) as counts:
        with shipped(tmp_path) as dying:
            held = await filled(dying, fakes, application, counts)
            killed_us = counts.now_us()
        assert len(lease_ends_us(counts)) == SLOTS * len(CASES)
        assert max(lease_ends_us(counts)) <= killed_us + HOLD_SECONDS * US
        for fake in fakes.values():
            fake.always(Ok("at last"))
        with shipped(tmp_path) as successor:
            assert await asyncio.to_thread(successor.started.wait, START_SECONDS)
            await asyncio.gather(*(served(successor, case, application) for case in CASES))
        assert counts.now_us() <= killed_us + (HOLD_SECONDS + 1) * US
        assert counts.money(GROUP, MONEY.id)["U"] == held > 0


async def filled(
    sidecar: Shipped, fakes: Mapping[str, StubProvider], application: Caller, counts: Counters
) -> int:
    """Every slot of every case is taken when the sidecar is killed; what was reserved by then."""
    assert await asyncio.to_thread(sidecar.started.wait, START_SECONDS)
    for fake in fakes.values():
        fake.always(Ok("never said", first=asyncio.Event()))
    asking = [
        asyncio.create_task(application.ask(sidecar, case, asked(case), x_subject=str(case)))
        for case in CASES
        for _ in range(SLOTS)
    ]
    for kind in PROVIDERS:
        await fakes[kind.type].request(SLOTS * sum(case.provider is kind for case in CASES))
    held = counts.money(GROUP, MONEY.id)
    assert (counts.slots(), held["S"], held["U"]) == (len(asking), 0, 0)
    sidecar.kill_dash_nine()
    broken = await asyncio.gather(*asking, return_exceptions=True)
    assert all(isinstance(end, aiohttp.ClientError) for end in broken), broken
    return held["R"]


async def served(sidecar: Shipped, case: Case, application: Caller) -> None:
    """Asks for a slot until there is one."""
    while True:
        reply = await application.ask(sidecar, case, asked(case), x_subject=str(case))
        if reply.status == 200:
            return
        assert reply.status in {429, 503}, reply.body
        await asyncio.sleep(0.2)


def asked(case: Case) -> bytes:
    return case.endpoint.body(case.provider.type, max_tokens=5)


def lease_ends_us(counts: Counters) -> list[float]:
    """When each lease ends, by Redis's clock."""
    keys = cast("list[bytes]", counts.client.keys("*:slots:*"))
    found = (counts.client.zrange(key.decode(), 0, -1, withscores=True) for key in keys)
    return [end for leases in found for _, end in cast("list[tuple[bytes, float]]", leases)]
