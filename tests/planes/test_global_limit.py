"""Eight limiters, one Redis, one limit: what they admit together, by the times Redis recorded."""

from contextlib import ExitStack
from typing import cast

import pytest
import redis

from penstock_config.provider import RateLimits
from tests.planes.limits_fleet import limiter_process
from tests.planes.limits_process import ADMITTED_KEY
from tests.planes.monitor import Moment
from tests.planes.windows import cycle_us, mean_per_window, most_in_a_window
from tests.sidecar.limits import world

SIDECARS = 8
LIMIT = 60
WINDOW_SECONDS = 3.0
"""A minute, twenty times as fast; sixty buckets all the same."""
CYCLES = 4


@pytest.mark.slow
def test_eight_sidecars_admit_one_limit(redis_url: str) -> None:
    """AT1, AT4: at 20 x the limit offered no window of any start holds more than the limit, and
    the long-run mean is at least 0.98 of it."""
    limits = RateLimits(requests_per_minute=LIMIT, window_seconds=WINDOW_SECONDS)
    config = world.config(limits=(world.per_app(limits),))
    seconds = (CYCLES + 1.5) * cycle_us(WINDOW_SECONDS) / 1_000_000
    with ExitStack() as stack:
        fleet = [
            stack.enter_context(limiter_process(config, redis_url, mode="flood", pod=f"web-{i}"))
            for i in range(SIDECARS)
        ]
        for sidecar in fleet:
            sidecar.wait_until_ready()
        for sidecar in fleet:
            sidecar.tell(str(seconds))
        offered = sum(int(sidecar.read_line()) for sidecar in fleet)
    assert offered >= 20 * LIMIT * seconds / WINDOW_SECONDS
    admissions = _admissions(redis_url)
    assert most_in_a_window(admissions, WINDOW_SECONDS) <= LIMIT
    assert mean_per_window(admissions, LIMIT, WINDOW_SECONDS, CYCLES) >= 0.98 * LIMIT


def _admissions(url: str) -> list[Moment]:
    with redis.Redis.from_url(url) as client:
        recorded = cast("list[bytes]", client.lrange(ADMITTED_KEY, 0, -1))
    return [Moment(time, time) for time in sorted(int(float(time)) for time in recorded)]
