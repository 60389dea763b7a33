"""What is known in the end of what was spent, whatever Redis forgot: see `truth`."""

import pytest
from hypothesis.errors import Flaky

from penstock_sidecar.limits.memory import Memory
from penstock_sidecar.limits.presence import Presence
from penstock_sidecar.limits.renewals import Renewals
from penstock_sidecar.limits.totals import Telling, Total
from tests.sidecar.limits.unlucky import Unlucky
from tests.sidecar.machines import check


def test_nothing_is_forgotten_that_is_known_and_nothing_counted_twice(redis_url: str) -> None:
    check(Unlucky, redis_url, examples=100)


EXAMPLES = 800
"""That mutants are shown at most: most fall within the first hundred."""
MUTANTS = {
    "what was told before a loss is all new": ("(last or sum.base)", "(last or 0)"),
    "what others saw is ignored": ("last and 0 or sum.seen + new + news", "0"),
    "what came after the loss is not added": ("sum.seen + new + news", "sum.seen"),
    "the sum of what all told is ignored": ("all + told, last", "0, last"),
    "a sum of what all told is kept for good": ("put(key, sum.all, all + told)", "local _ = 0"),
    "what is new is not kept": ("put(key, sum.new, new + news)", "local _ = 0"),
    "a sum is told twice": ("put(key, sum.own, max(last or 0, total))", "local _ = 0"),
    "an older total takes back": (
        "put(key, sum.own, max(last or 0, total))",
        "put(key, sum.own, total)",
    ),
    "who was dropped tells all again": ("now - heard > SILENCE", "false"),
    "an epoch comes twice": ("ours = max(now, theirs + 1)", "ours = 1"),
    "a loss is no news": ("    if ours and ours == theirs then", "    if ours then"),
}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_it_would_notice_if(mutant: tuple[str, str], redis_url: str) -> None:
    """The test of the test: each change to the scripts makes it fail."""
    with pytest.raises((AssertionError, Flaky)):
        check(Unlucky, redis_url, examples=EXAMPLES, mutate=mutant)


def _nothing(*_: object, **__: object) -> None:
    pass


async def _nothing_soon(*_: object, **__: object) -> None:
    pass


MENTAL = {
    "no total is told after a loss": (Presence, "_tell_totals", _nothing_soon),
    "no hold is taken again": (Renewals, "retake", _nothing_soon),
    "no window is told again": (Presence, "_tell_debts", _nothing_soon),
    "a loss leaves what is remembered as it was": (Total, "lost", _nothing),
    "older data is taken for new": (Total, "fell_back", Total.lost),
    "a lost answer is taken for a call that was not sent": (Telling, "unanswered", Telling.undone),
    "a lost connection is no reason for doubt": (Memory, "doubt", _nothing),
}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MENTAL.values(), ids=MENTAL.keys())
def test_it_would_notice_of_a_process_that(
    mutant: tuple[type, str, object], redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(*mutant)
    with pytest.raises((AssertionError, Flaky)):
        check(Unlucky, redis_url, examples=EXAMPLES, mutate=("SILENCE", "SILENCE"))
