"""AT12: a caller who leaves pays for what the provider did: no less, and little more."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.fleet import config, fleet
from tests.acceptance.metered import MeteredProvider, Plan, Tariff, ask, offer
from tests.acceptance.metered.work import PICO_PER_MICRO
from tests.acceptance.metered.world import (
    World,
    budget,
    metered,
    money_of,
    quiet,
    until,
    world,
)
from tests.acceptance.registry import EVERY, Case
from tests.sidecar.http.edge import head
from tests.sidecar.limits.books import Books

STREAMS = [case for case in EVERY if case.endpoint.streamed]
LONG = "ask " * 1000
"""So long that the request's own few words are lost in it."""
TARIFF = Tariff(image_tokens=1000)
TEAM = budget("team")
LEAVING = 5
LONG_STREAMS = 30
PIECE_BYTES = 64_000
PIECES = 80
PROBES = 200
PROBE_EVERY_SECONDS = 0.005
PROBE_SECONDS = 0.25
"""A quiet machine has 0.02; who tokenised 5 MB on its loop would take seconds."""


@pytest.fixture
async def here(tmp_path: Path, redis_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, redis_url) as running:
        yield running


@pytest.mark.parametrize("case", STREAMS, ids=str)
@pytest.mark.parametrize("pieces", [1, 7, 100])
async def test_at12_who_leaves_at_a_chunk_is_charged_what_the_provider_generated(
    here: World, case: Case, pieces: int
) -> None:
    """Never less than its bill, and at most a tenth more."""
    async with MeteredProvider(lambda *_: Plan(says=4000, stepped=True), TARIFF) as fake:
        await here.publish(metered(case, fake, "one"), budgets=(TEAM,))
        leaving = offer(case, "one", "a", LONG, max_tokens=4000, leaves_after=pieces)
        heard = await ask(here.port, leaving, fake)
        await fake.meter.ended()
    await here.settled()
    (work,), money = fake.meter.works, money_of(here.books, TEAM)
    bill = work.bill_pico_usd / PICO_PER_MICRO
    assert (heard.pieces, heard.left, work.told) == (pieces, True, False)
    assert work.shown_bytes == pieces * Plan().piece_bytes
    assert (money.reserved, money.unsettled) == (0, 0)
    assert money.settled == leaving.estimate_micro_usd(TARIFF, work.shown_bytes)
    assert bill <= money.settled <= 1.1 * bill


@pytest.mark.parametrize("case", EVERY, ids=str)
@pytest.mark.parametrize("goes_on", [False, True], ids=["stops", "goes-on"])
async def test_at12_who_leaves_before_anything_came_leaves_the_whole_hold_unsettled(
    here: World, case: Case, goes_on: bool
) -> None:
    """Nobody can know what it costs, so it counts as much as it can have cost: that covers also a
    provider that does not stop."""
    stall = Plan(says=900, fate="stall")
    async with MeteredProvider(lambda *_: stall, TARIFF, goes_on=goes_on) as fake:
        await here.publish(metered(case, fake, "one"), budgets=(TEAM,))
        leaving = offer(case, "one", "a", LONG, max_tokens=1000, leaves_after=0)
        heard = await ask(here.port, leaving, fake)
        await fake.meter.ended()
    await here.settled()
    (work,), money = fake.meter.works, money_of(here.books, TEAM)
    assert (heard.left, heard.pieces, work.unknowable) == (True, 0, True)
    assert (money.settled, money.reserved) == (0, 0)
    assert money.unsettled == leaving.bound_micro_usd(TARIFF)
    assert fake.meter.bill_micro_usd() <= money.unsettled


@pytest.mark.parametrize("case", EVERY, ids=str)
async def test_at12_an_explicit_zero_is_kept(here: World, case: Case) -> None:
    async with MeteredProvider(lambda *_: Plan(usage="zero"), TARIFF) as fake:
        await here.publish(metered(case, fake, "one"), budgets=(TEAM,))
        heard = await ask(here.port, offer(case, "one", "a", LONG, max_tokens=100), fake)
    await here.settled()
    assert (heard.status, fake.meter.bill_micro_usd()) == (200, 0)
    assert money_of(here.books, TEAM).used == 0


@pytest.mark.parametrize("case", EVERY, ids=str)
async def test_at12_without_usage_the_estimate_covers_the_bill(here: World, case: Case) -> None:
    async with MeteredProvider(lambda *_: Plan(says=2000, usage="missing"), TARIFF) as fake:
        await here.publish(metered(case, fake, "one"), budgets=(TEAM,))
        asked = offer(case, "one", "a", LONG, max_tokens=3000)
        await ask(here.port, asked, fake)
    await here.settled()
    (work,), money = fake.meter.works, money_of(here.books, TEAM)
    assert money.settled == money.used == asked.estimate_micro_usd(TARIFF, work.shown_bytes)
    assert fake.meter.bill_micro_usd() <= money.settled <= 1.1 * fake.meter.bill_micro_usd()


@pytest.mark.parametrize("case", STREAMS, ids=str)
async def test_at12_spend_is_on_record_within_a_second_of_leaving(here: World, case: Case) -> None:
    """The quickest of some, by Redis's clock: others may have met a busy machine."""
    async with MeteredProvider(lambda *_: Plan(says=400, stepped=True), TARIFF) as fake:
        await here.publish(metered(case, fake, "one"), budgets=(TEAM,))
        waited_us = []
        for number in range(LEAVING):
            leaving = offer(case, "one", f"a{number}", max_tokens=400, leaves_after=3)
            await ask(here.port, leaving, fake)
            left_us = here.books.now_us()
            await here.settled()
            waited_us.append(here.books.now_us() - left_us)
            assert money_of(here.books, TEAM).reserved == 0
    assert min(waited_us) < 1_000_000


@pytest.mark.alone
@pytest.mark.parametrize("case", STREAMS[:1], ids=str)
async def test_at12_thirty_long_streams_left_at_once_keep_no_probe_waiting(
    case: Case, tmp_path: Path, redis_url: str
) -> None:
    """5 MB each. What was seen is counted on the way, not when the caller leaves."""
    plan = Plan(says=6_000_000, stepped=True, piece_bytes=PIECE_BYTES)
    async with MeteredProvider(lambda *_: plan, TARIFF) as fake:
        with fleet(tmp_path, redis_url, size=1) as alone:
            await alone.publish(config(metered(case, fake, "one"), budgets=(TEAM,)))
            ports = alone.sidecars[0].ports
            with probing(ports.probe) as at_rest:
                await until(lambda: len(at_rest) >= PROBES)
            leaving = [
                offer(case, "one", f"a{n}", max_tokens=6_000_000, leaves_after=PIECES)
                for n in range(LONG_STREAMS)
            ]
            with probing(ports.probe) as in_use:
                heard = await asyncio.gather(*(ask(ports.application, o, fake) for o in leaving))
                await until(lambda: len(in_use) >= PROBES)
            books = Books(redis_url)
            await quiet(books, TEAM)
    assert all(h.left and h.pieces == PIECES for h in heard)
    assert money_of(books, TEAM).settled >= fake.meter.bill_micro_usd()
    assert p99(in_use) <= max(PROBE_SECONDS, 20 * p99(at_rest))
    books.client.close()


def p99(seconds: list[float]) -> float:
    return sorted(seconds)[len(seconds) * 99 // 100 - 1]


@contextmanager
def probing(port: int) -> Iterator[list[float]]:
    """As a kubelet does it, one after the other, from a thread: how long each `/readyz` took."""
    took: list[float] = []
    stop = threading.Event()

    def probe() -> None:
        while not stop.is_set():
            began = time.perf_counter()
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(head("GET", "/readyz"))
                assert connection.recv(1024).startswith(b"HTTP/1.1 200")
            took.append(time.perf_counter() - began)
            stop.wait(PROBE_EVERY_SECONDS)

    with ThreadPoolExecutor(1) as pool:
        probes = pool.submit(probe)
        try:
            yield took
        finally:
            stop.set()
            probes.result()
