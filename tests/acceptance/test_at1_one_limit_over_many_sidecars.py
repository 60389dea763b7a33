"""AT1: however many sidecars there are, a limit is one: never more, and hardly less."""

import asyncio

import pytest

from penstock_cli.stub import StubProvider
from tests.acceptance.caller import Caller
from tests.acceptance.fleet import Fleet
from tests.acceptance.load import Limited, published, subjects
from tests.acceptance.registry import Case
from tests.planes.monitor import monitored
from tests.planes.windows import cycle_us, mean_per_window

LIMIT = 30
CYCLES = 2
WINDOW_SECONDS = 4.0
OFFERED = 20
"""Times the limit."""
REST_SECONDS = 0.02
SMALL_CALLERS, LARGE_CALLERS = 12, 6


@pytest.mark.slow
async def test_at1_eight_sidecars_keep_one_limit_on_requests_and_one_on_tokens(
    case: Case, fake: StubProvider, eight: Fleet, application: Caller
) -> None:
    """At 20 times the limit no window of any start holds more, and the provider got what was
    admitted and nothing else; a cycle's mean is at least 0.98 of it. The best cycle counts: in
    others a busy machine asks late, and 60/61 is all there is."""
    seconds = (CYCLES + 1.5) * cycle_us(WINDOW_SECONDS) / 1_000_000
    limited = Limited.to(LIMIT, window_seconds=WINDOW_SECONDS)
    await eight.publish(published(case, fake, limited))
    await application.warm_up(eight, case)
    before = len(fake.requests)
    both = subjects(case, fake, eight, application, f"at1-{case}")
    with monitored(eight.redis_url) as monitor:
        floods = [both.small.flood(seconds, REST_SECONDS) for _ in range(SMALL_CALLERS)]
        floods += [both.large.flood(seconds, REST_SECONDS) for _ in range(LARGE_CALLERS)]
        await asyncio.gather(*floods)
    judged = both.judged(monitor)
    assert len(fake.requests) - before == sum(subject.served for subject in judged)
    for subject, limit in zip(judged, (LIMIT, limited.large_requests), strict=True):
        assert subject.asked >= OFFERED * limit * seconds / WINDOW_SECONDS
        assert subject.most_in_a_window(WINDOW_SECONDS) <= limit
        cycles = (subject.admissions[n * limit :] for n in range(CYCLES))
        assert max(mean_per_window(c, limit, WINDOW_SECONDS, 1) for c in cycles) >= 0.98 * limit


SMOOTH_LIMIT = 80
SMOOTH_SECONDS = 6.0


@pytest.mark.slow
async def test_at1_eight_sidecars_keep_one_even_pace(
    case: Case, fake: StubProvider, eight: Fleet, application: Caller
) -> None:
    """AT1 and AT4 with `pacing: Smooth`: no window holds more than the limit and the burst, which
    is what a sixtieth of it holds or one request; nor does a quarter of a window hold more than
    its part. What is lost by asking late is lost, so the mean is judged by less than 0.98."""
    limited = Limited.to(SMOOTH_LIMIT, window_seconds=WINDOW_SECONDS, pacing="Smooth")
    await eight.publish(published(case, fake, limited))
    await application.warm_up(eight, case)
    both = subjects(case, fake, eight, application, f"at1-smooth-{case}")
    with monitored(eight.redis_url) as monitor:
        floods = [both.small.flood(SMOOTH_SECONDS, REST_SECONDS) for _ in range(SMALL_CALLERS)]
        floods += [both.large.flood(SMOOTH_SECONDS, REST_SECONDS) for _ in range(LARGE_CALLERS)]
        await asyncio.gather(*floods)
    limits = (SMOOTH_LIMIT, limited.large_requests)
    for subject, limit in zip(both.judged(monitor), limits, strict=True):
        assert subject.most_in_a_window(WINDOW_SECONDS) <= limit + max(1, limit // 60)
        assert subject.most_in_a_window(WINDOW_SECONDS / 4) <= limit / 4 + max(1, limit // 60)
        assert subject.served >= 0.75 * limit * SMOOTH_SECONDS / WINDOW_SECONDS
