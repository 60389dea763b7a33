"""The scripts of a flight on every server: whatever is called, in whatever order."""

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.errors import Flaky
from hypothesis.stateful import run_state_machine_as_test

from tests.sidecar.cache.flight.machine import Flying

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


def check(url: str, examples: int, mutate: tuple[str, str] | None = None) -> None:
    with redis.Redis.from_url(url) as client:
        machine = type("Machine", (Flying,), {"client": client, "mutate": mutate})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=40,
                deadline=None,
                derandomize=mutate is not None,
                phases=[Phase.generate],
                report_multiple_bugs=False,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_one_leads_at_a_time_and_only_the_latest_keeps_an_answer(each_redis_url: str) -> None:
    check(each_redis_url, EXAMPLES)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_machine_notices(mutant: str, redis_url: str) -> None:
    """What is said of the scripts is not said in vain."""
    with pytest.raises((AssertionError, Flaky)):
        check(redis_url, MUTANT_EXAMPLES, MUTANTS[mutant])
