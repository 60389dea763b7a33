"""The scripts against the oracle: any sequence of calls, any passing of time, exact answers."""

import pytest
import redis
from hypothesis.errors import Flaky

from penstock_sidecar.limits.scripts import ACQUIRE, PUBLISH, RENEW, SETTLE
from penstock_sidecar.store import StoreUnavailable
from tests.sidecar.limits.machine import Differential
from tests.sidecar.machines import check


def test_the_scripts_do_what_the_oracle_does(each_redis_url: str) -> None:
    check(Differential, each_redis_url, examples=100, steps=STEPS)


STEPS = 60
EXAMPLES = 800
"""That mutants are shown at most: most fall within the first hundred."""
MUTANTS = {
    "half as much again": ("item.limit - item.sum", "item.limit * 1.5 - item.sum"),
    "a bucket expires a second early": ("local SPAN = 60 ", "local SPAN = 59 "),
    "a bucket expires a second late": ("local SPAN = 60 ", "local SPAN = 61 "),
    "the wait is a bucket short": ("(bucket + SPAN + 1)", "(bucket + SPAN)"),
    "refunded twice": ("known[key][field] + delta", "known[key][field] + 2 * delta"),
    "charged again by a retry": ("hold.taken[1] == ENDED", "true"),
    "a hold can be settled twice": (
        "return ENDED_RECORD, memory",
        "return cmsgpack.pack(record), memory",
    ),
    "the reservation stays": ("add(key, from, -amount)", "add(key, from, 0)"),
    "the actual is added as well as the total": (
        "max(settled + news,",
        "max(settled + news + total,",
    ),
    "a sum is told twice": ("max(last or 0, total))", "last or 0)"),
    "the interval is a microsecond short": (
        "cost * interval / 1000",
        "cost * (interval / 1000 - 1)",
    ),
    "without the larger of arrival time and now": (
        "max(known[key][field] or now, now)",
        "(known[key][field] or now)",
    ),
    "a smooth refund is rounded up": ("-floor(-cost", "-ceil(-cost"),
    "the tolerance is half as much again": (
        "ahead <= item.tolerance",
        "ahead <= item.tolerance * 1.5",
    ),
    "a lease lives on at its end": ("'(%.0f'", "'%.0f'"),
    "a lease lives a microsecond longer": (
        "now + life, item.hold.id",
        "now + life + 1, item.hold.id",
    ),
    "a lease is renewed into a full house": (">= limit", ">= limit + 1"),
    "the sidecar's clock decides the period": ("if now < start then", "if false then"),
    "less than the least is granted": ("item.hold.least or item.cost", "0 or item.cost"),
    "rounded to fourteen digits": ("format('(%.0f', now)", "'(' .. now"),
    "shortest refusal wins": ("wait > longest)", "wait < longest)"),
    "refused by the edge": ("(item.room < cost or", "(item.room <= cost or"),
}


NOTICED = (
    *(AssertionError, StoreUnavailable, redis.ResponseError, Flaky),
    pytest.fail.Exception,  # what was to be refused is not
)


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_it_would_notice_if(mutant: tuple[str, str], redis_url: str) -> None:
    """The test of the test: each change to the scripts makes it fail."""
    assert any(mutant[0] in script.text for script in (ACQUIRE, SETTLE, RENEW, PUBLISH))
    with pytest.raises(NOTICED):
        check(Differential, redis_url, examples=EXAMPLES, mutate=mutant, steps=STEPS)


@pytest.mark.slow
def test_without_a_mutant_the_same_examples_pass(redis_url: str) -> None:
    """Else a mutant could be noticed for nothing that it does."""
    check(Differential, redis_url, examples=EXAMPLES, mutate=("", ""), steps=STEPS)
