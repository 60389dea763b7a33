"""When a second candidate is asked."""

import pytest

from penstock_config.tier import Hedge, Tier
from penstock_sidecar.attempts.hedging import Hedging, headroom_percent
from penstock_sidecar.attempts.times import LEAST_SAMPLES, FirstContentTimes
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.holds import Standing
from tests.sidecar.routing.builders import ManualClock

NAME = ("cloud/small", True)


def hedging(hedge: Hedge) -> tuple[Hedging, Tier]:
    tier = Tier(id="shop/fast", name="fast", candidates=(), hedge=hedge)
    return Hedging((tier,), FirstContentTimes(), ManualClock()), tier


def standing(remaining: int, *, limit: int = 100, **changes: object) -> Standing:
    fields = {"name": "x", "what": "requests", "per": "minute", "amount": limit}
    more = {"enforced": True, "key": 1, "field": "x", "head": (), **changes}
    return Standing(Bound(**{**fields, **more}), limit, remaining, None)  # type: ignore[arg-type]  # the test's own


def test_a_fixed_delay_is_as_it_says() -> None:
    found, _ = hedging(Hedge(after_ms=250))
    assert found.delay_seconds(Hedge(after_ms=250), NAME, ()) == 0.25


def test_a_percentile_is_of_the_firsts_own_time_and_unknown_at_first() -> None:
    hedge = Hedge(after_percentile=95)
    found, _ = hedging(hedge)
    for _ in range(LEAST_SAMPLES - 1):
        found.took(hedge, NAME, 0.4)
    assert found.delay_seconds(hedge, NAME, ()) is None
    found.took(hedge, NAME, 0.4)
    assert found.delay_seconds(hedge, NAME, ()) == pytest.approx(0.4, rel=0.1)
    assert found.delay_seconds(hedge, ("cloud/large", True), ()) is None


@pytest.mark.parametrize(("remaining", "delay"), [(30, 0.25), (20, 0.25), (19, 0), (0, 0)])
def test_with_little_headroom_it_is_at_once(remaining: int, delay: float) -> None:
    hedge = Hedge(after_ms=250, when_headroom_below_percent=20)
    found, _ = hedging(hedge)
    standings = (standing(90), standing(remaining))
    assert found.delay_seconds(hedge, NAME, standings) == delay


def test_headroom_is_of_limits_that_refuse_and_of_no_money() -> None:
    assert headroom_percent(()) == 100
    assert headroom_percent((standing(0, what="money"), standing(0, enforced=False))) == 100
    assert headroom_percent((standing(-3), standing(50))) == 0


@pytest.mark.parametrize("percent", [5, 10, 100])
def test_extra_load_is_bounded_by_its_share(percent: int) -> None:
    found, tier = hedging(Hedge(after_ms=1, max_extra_percent=percent))
    made = 0
    for _ in range(500):
        found.begun(tier)
        made += found.spend(tier)
    assert made <= 1 + 500 * percent // 100
    assert made >= 500 * percent // 100
