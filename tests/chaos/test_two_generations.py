"""Sidecars of two versions share one Redis while a limit is edited."""

from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from penstock_config.schema import SidecarConfig
from tests.chaos.figures import note
from tests.chaos.generations import FURTHER_FIELD, later_code
from tests.chaos.house import Sidecar, budget, config, per_app, started, write
from tests.chaos.load import Load, load, until
from tests.chaos.meter import Meter
from tests.chaos.reading import TEAM, Money, Reading
from tests.chaos.windows import most_at_once
from tests.servers import any_server, single

WINDOW_SECONDS = 4.0
BEFORE, AFTER = 40, 24
"""The limit, as the two versions are told."""
SLOTS_BEFORE, SLOTS_AFTER = 4, 2
WINDOWS = 3
OFFERED = 20 * BEFORE * WINDOWS
CALLERS = 16


def limited(meter: Meter, limit: int, slots: int) -> SidecarConfig:
    app = per_app(
        requests_per_minute=limit, window_seconds=WINDOW_SECONDS, concurrent_requests=slots
    )
    return config(meter, (app,), (budget(),))


async def two_of_each(
    stack: AsyncExitStack, before: Path, after: Path, code: Path
) -> list[Sidecar]:
    """Two as they are, two of the later version, each with its own configuration."""
    folders = [(before, None), (before, None), (after, code), (after, code)]
    return [
        await stack.enter_async_context(started(folder, its_code, POD_NAME=f"shop-{n}"))
        for n, (folder, its_code) in enumerate(folders)
    ]


@pytest.mark.slow
async def test_two_versions_with_two_limits_admit_the_larger_at_most(tmp_path: Path) -> None:
    """At 20 times the load: no window holds more than the larger limit, nor more slots; money of
    both goes into one sum, to the micro-dollar."""
    folders = [tmp_path / name for name in ("before", "after", "code", "redis")]
    for folder in folders:
        folder.mkdir()
    before, after, code, redis = folders
    code = later_code(code)
    async with AsyncExitStack() as stack:
        server = stack.enter_context(single(any_server(), redis))
        client = stack.enter_context(server.client())
        meter = await stack.enter_async_context(Meter())
        write(before, limited(meter, BEFORE, SLOTS_BEFORE), server.url)
        write(after, limited(meter, AFTER, SLOTS_AFTER), server.url)
        sidecars = await two_of_each(stack, before, after, code)
        session = await stack.enter_async_context(aiohttp.ClientSession())
        urls = [sidecar.url for sidecar in sidecars]
        assert {await Load().ask(session, url, "user-0") for url in urls} == {200}
        async with load(session, urls, CALLERS) as callers:
            await callers.more_answers(OFFERED)
            until_seconds = meter.arrivals[0] + WINDOWS * WINDOW_SECONDS
            await until(lambda: meter.arrivals[-1] >= until_seconds)
        books = Reading(client)
        await until(lambda: books.money().reserved == 0 and books.slots() == 0)
        assert books.money() == Money(settled=meter.billed)
        assert client.hexists(TEAM.state, FURTHER_FIELD), "the later version was there"
    most = most_at_once(meter.arrivals, WINDOW_SECONDS)
    note(most_in_a_window=most, most_in_flight=meter.most_in_flight)
    assert AFTER <= most <= BEFORE
    assert meter.most_in_flight <= SLOTS_BEFORE
