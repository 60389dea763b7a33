"""What a sidecar admits by itself, beside what Redis told it."""

import pytest

from penstock_config.layout import Group
from penstock_config.provider import RateLimits
from penstock_sidecar.limits.bounds import BUCKETS, Place, rate_bounds
from penstock_sidecar.limits.holds import Refusal
from penstock_sidecar.limits.shares import Counted, Shares
from tests.sidecar.routing.builders import ManualClock

TEN = RateLimits(requests_per_minute=10, concurrent_requests=10)


def counted(limits: RateLimits = TEN) -> list[Counted]:
    bounds = rate_bounds("limit app", limits, Place(4, 5), enforced=True)
    group = Group.of_namespace("test", "shop")
    return [Counted(group, "key", bound) for bound in bounds]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def shares(clock: ManualClock) -> Shares:
    return Shares(clock)


def admitted(shares: Shares, wanted: list[Counted], sidecars: int = 1) -> int:
    """How many more it admits now; their slots are free again at once."""
    count = 0
    while shares.take(wanted, 0, sidecars) is None:
        shares.free_slots(wanted)
        count += 1
    return count


def test_a_share_is_nine_tenths_divided_by_the_sidecars(shares: Shares) -> None:
    assert admitted(shares, counted(), sidecars=3) == 3


def test_what_redis_granted_counts_against_the_share(shares: Shares, clock: ManualClock) -> None:
    wanted = counted()
    for _ in range(7):
        shares.granted(wanted, 0)
        shares.free_slots(wanted)
    assert admitted(shares, wanted) == 2
    clock.now += 61
    assert admitted(shares, wanted) == 9


def test_what_redis_refused_stays_refused_until_the_time_it_named(
    shares: Shares, clock: ManualClock
) -> None:
    wanted = counted()
    requests = next(b for _, _, b in wanted if b.what == "requests")
    shares.refused(wanted, Refusal(requests, 20, ()))
    refusal = shares.take(wanted, 0, 1)
    assert refusal is not None
    assert refusal.wait_seconds == 20
    clock.now += 20
    assert shares.take(wanted, 0, 1) is None


def test_a_refused_slot_says_nothing_of_later(shares: Shares) -> None:
    wanted = counted()
    slots = next(b for _, _, b in wanted if b.what == "slots")
    shares.refused(wanted, Refusal(slots, 1, ()))
    assert shares.take(wanted, 0, 1) is None


def test_slots_that_redis_granted_are_free_when_their_requests_end(shares: Shares) -> None:
    wanted = counted(RateLimits(concurrent_requests=2))
    shares.granted(wanted, 0)
    assert shares.take(wanted, 0, 1) is not None
    shares.free_slots(wanted)
    assert shares.take(wanted, 0, 1) is None


def test_a_busy_window_needs_one_entry_a_bucket(shares: Shares, clock: ManualClock) -> None:
    wanted = counted(RateLimits(requests_per_minute=10**9))
    for _ in range(5000):
        clock.now += 0.05
        shares.granted(wanted, 0)
    (counter,) = shares._counters.values()
    assert len(counter.buckets) <= BUCKETS + 1
    assert counter.used == sum(bucket.used for bucket in counter.buckets)
