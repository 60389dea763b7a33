"""AT4: a window is not anchored anywhere: no interval of its length holds more than the limit."""

import asyncio

import pytest

from penstock_cli.stub import StubProvider
from tests.acceptance.caller import Caller
from tests.acceptance.fleet import Fleet
from tests.acceptance.load import Limited, published, subjects
from tests.acceptance.registry import Case
from tests.planes.monitor import monitored

LIMIT = 10
WINDOW_SECONDS = 1.0
PREEMPTED_SECONDS = 0.03
"""A script's time stands still from its beginning, MONITOR's goes on: of two admissions that are
a window apart, the first may seem as much later as the server was kept from running."""
PATTERNS = {
    "last-moment": ((1, 0.0), (9, 0.95), (20, 1.0), (20, 1.05), (20, 1.95), (20, 2.0), (20, 2.05)),
    "halves": ((5, 0.0), (5, 0.5), (20, 0.99), (20, 1.03), (20, 1.49), (20, 1.52), (20, 2.04)),
}
"""Requests, and when: in windows from the first on. An anchored window would admit twice."""


@pytest.mark.parametrize("pattern", PATTERNS)
async def test_at4_no_interval_of_a_windows_length_holds_more_than_the_limit(
    pattern: str, case: Case, fake: StubProvider, eight: Fleet, application: Caller
) -> None:
    limited = Limited.to(LIMIT, window_seconds=WINDOW_SECONDS)
    await eight.publish(published(case, fake, limited))
    both = subjects(case, fake, eight, application, f"at4-{case}-{pattern}")
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def burst(requests: int, at_windows: float) -> None:
        await asyncio.sleep(began + at_windows * WINDOW_SECONDS - loop.time())
        asking = [subject.ask() for _ in range(requests) for subject in (both.small, both.large)]
        await asyncio.gather(*asking)

    with monitored(eight.redis_url) as monitor:
        await asyncio.gather(*(burst(*part) for part in PATTERNS[pattern]))
    for subject, limit in zip(both.judged(monitor), (LIMIT, limited.large_requests), strict=True):
        assert subject.most_in_a_window(WINDOW_SECONDS - PREEMPTED_SECONDS) <= limit
        assert subject.served > limit, "one full window, and some of the next"
