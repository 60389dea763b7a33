"""Adaptive: what outcomes teach."""

from random import Random

import pytest

from penstock_config.classification import Complexity
from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.estimates import Estimates
from penstock_sidecar.routing.scores import Learning, Scores, Tally
from penstock_sidecar.routing.strategies.adaptive import Adaptive
from tests.sidecar.routing.builders import ManualClock
from tests.sidecar.routing.strategies.models import asked, candidate, priced

STRAIGHT = Learning(exploration=0.0)
GOOD = Tally(1, 1, -STRAIGHT.recovery, 1, 400)
BAD = Tally(1, 1, 1.0, 1, 400)
FAILED = Tally(asked=1)


def two() -> tuple[Candidate, Candidate]:
    """The first is a little better by the platform team's figures."""
    one, other = (
        candidate(priced(name, 1, quality=quality, expected_latency_ms=400))
        for name, quality in (("a", 82), ("b", 78))
    )
    return one, other


def adaptive(clock: ManualClock, learning: Learning = STRAIGHT) -> Adaptive:
    return Adaptive(Scores(clock, learning), Estimates(), Random(3))


def first(by: Adaptive, *candidates: Candidate, complexity: Complexity = "medium") -> str:
    return by.ranked(candidates, asked(complexity=complexity))[0].model.name


def test_a_bad_sign_takes_a_fifth_of_a_weight() -> None:
    by, (one, _) = adaptive(ManualClock()), two()
    before = by.score(one, asked())
    by.scores.learn(one.label, "chat", Tally(signs=1))
    assert by.score(one, asked()) == pytest.approx(0.8 * before)
    by.scores.learn(one.label, "chat", Tally(signs=1))
    assert by.score(one, asked()) == pytest.approx(0.64 * before)


def test_who_answers_badly_is_passed_over_and_good_answers_win_it_back() -> None:
    by, (one, other) = adaptive(ManualClock()), two()
    assert first(by, one, other) == "a"
    by.scores.learn(one.label, "chat", BAD)
    assert first(by, one, other) == "b"
    for _ in range(5):
        by.scores.learn(one.label, "chat", GOOD)
    assert by.scores.weight(one.label, "chat") == 1.0
    assert first(by, one, other) == "a"


def test_what_was_bad_is_forgotten_with_time() -> None:
    clock = ManualClock()
    by, (one, other) = adaptive(clock), two()
    for _ in range(4):
        by.scores.learn(one.label, "chat", BAD)
    assert by.scores.weight(one.label, "chat") == pytest.approx(0.8**4)
    clock.now += STRAIGHT.half_life_seconds
    assert by.scores.weight(one.label, "chat") == pytest.approx(0.8**2)
    clock.now += 10 * STRAIGHT.half_life_seconds
    assert first(by, one, other) == "a"


def test_what_is_learnt_of_a_task_says_nothing_of_another() -> None:
    by, (one, other) = adaptive(ManualClock()), two()
    for _ in range(4):
        by.scores.learn(one.label, "coding", BAD)
    assert first(by, one, other) == "a"
    assert by.ranked((one, other), asked(task="coding"))[0] is other


def test_failures_count_as_a_share_of_attempts() -> None:
    by, (one, other) = adaptive(ManualClock()), two()
    for _ in range(60):
        by.scores.learn(one.label, "chat", GOOD)
    by.scores.learn(one.label, "chat", FAILED)
    assert first(by, one, other) == "a"
    for _ in range(10):
        by.scores.learn(one.label, "chat", FAILED)
    assert first(by, one, other) == "b"


def test_a_weight_never_falls_below_a_tenth() -> None:
    by, (one, _) = adaptive(ManualClock()), two()
    for _ in range(100):
        by.scores.feedback(one.label, "chat", "hallucination")
    assert 0.1 < by.scores.weight(one.label, "chat") < 0.11


def test_feedback_counts_as_a_sign() -> None:
    by, (one, other) = adaptive(ManualClock()), two()
    by.scores.feedback(one.label, "chat", "hallucination")
    assert first(by, one, other) == "b"
    by.scores.feedback(one.label, "chat", "good")
    by.scores.feedback(one.label, "chat", "good")
    assert first(by, one, other) == "a"


def test_hard_requests_go_to_the_good_model_and_easy_ones_to_the_cheap() -> None:
    strong = candidate(priced("strong", 30, quality=95, expected_latency_ms=1500))
    small = candidate(priced("small", 0.1, quality=60, expected_latency_ms=200))
    by = adaptive(ManualClock())
    assert first(by, strong, small, complexity="simple") == "small"
    assert first(by, strong, small, complexity="expert") == "strong"


def test_of_two_alike_the_quicker_is_taken() -> None:
    slow, quick = (candidate(priced(name, 1, quality=80)) for name in ("slow", "quick"))
    by = adaptive(ManualClock())
    for _ in range(10):
        by.scores.learn(slow.label, "chat", Tally(1, 1, 0, 1, 5_000))
        by.scores.learn(quick.label, "chat", Tally(1, 1, 0, 1, 300))
    assert first(by, slow, quick) == "quick"


def test_a_known_share_of_requests_explores_and_no_more() -> None:
    by, (one, other) = adaptive(ManualClock(), Learning(exploration=0.05)), two()
    for _ in range(8):
        by.scores.learn(other.label, "chat", BAD)
    tried = sum(first(by, one, other) == "b" for _ in range(4_000))
    assert tried / 4_000 == pytest.approx(0.05, abs=0.01)


def test_who_was_bad_and_is_good_again_is_found_out() -> None:
    """By exploration alone: its weight is a tenth, and no time passes."""
    by, (one, other) = adaptive(ManualClock(), Learning(exploration=0.05)), two()
    for _ in range(20):
        by.scores.learn(one.label, "chat", BAD)
    for _ in range(2_000):
        chosen = by.ranked((one, other), asked())[0]
        by.scores.learn(chosen.label, "chat", GOOD)
    assert by.scores.weight(one.label, "chat") == 1.0
