"""The scripts of a flight on every server: whatever is called, in whatever order."""

import pytest
from hypothesis.errors import Flaky

from tests.sidecar.cache.flight.machine import Flying
from tests.sidecar.machines import check

EXAMPLES = 60
MUTANT_EXAMPLES = 1500
"""At most: each falls within the first hundred."""
MUTANTS = {
    "two lead": ("owner and owner ~= token", "false"),
    "numbers come again": ("fence = string.format('%.0f', latest)", "fence = '7'"),
    "numbers begin anew": ("time[1] * 1000000 + time[2]", "1"),
    "any answer will do": ("seal ~= ARGV[3]", "true"),
    "an answer is not seen": ("seal ~= ''", "false"),
    "everybody goes on": ("if alone then", "if false then"),
    "the dead lead for ever": ("redis.call('PEXPIRE', flight, ARGV[2])", ""),
    "anybody beats": ("redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1]", "false"),
    "anybody ends": ("redis.call('HGET', flight, 'owner') ~= ARGV[1]", "false"),
    "he leads on": ("redis.call('HDEL', flight, 'owner')", ""),
    "failures are not counted": ("'HINCRBY', flight, 'failures', 1", "'EXISTS', flight"),
    "nobody is told to go alone": ("redis.call('HSET', flight, 'alone', 1)", ""),
    "alone for ever": ("redis.call('PEXPIRE', flight, ARGV[4])", ""),
    "failures for ever": (
        "redis.call('PEXPIRE', flight, ARGV[3])",
        "redis.call('PERSIST', flight)",
    ),
    "whoever led may keep": ("redis.call('HGET', KEYS[3], 'fence') ~= ARGV[5]", "false"),
    "what is kept ends nothing": ("redis.call('DEL', KEYS[3])", ""),
}


def test_one_leads_at_a_time_and_only_the_latest_keeps_an_answer(each_redis_url: str) -> None:
    check(Flying, each_redis_url, EXAMPLES)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_machine_notices(mutant: str, redis_url: str) -> None:
    """What is said of the scripts is not said in vain."""
    with pytest.raises((AssertionError, Flaky)):
        check(Flying, redis_url, MUTANT_EXAMPLES, MUTANTS[mutant])
