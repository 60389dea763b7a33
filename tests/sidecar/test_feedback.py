"""What is remembered of calls, and what becomes of people's word on them."""

from collections import Counter

import pytest

from penstock_sidecar.clock import SystemClock
from penstock_sidecar.errors import UnknownCall
from penstock_sidecar.feedback import KINDS, Calls, Feedback
from penstock_sidecar.model import Outcome
from penstock_sidecar.routing.scores import Scores

LABEL = "team/openai/gpt"


class Counts:
    def __init__(self) -> None:
        self.told: Counter[tuple[str, str]] = Counter()

    def feedback_given(self, model: str, kind: str) -> None:
        self.told[model, kind] += 1


def outcome(call_id: str, error_type: str = "", model: str = "gpt") -> Outcome:
    return Outcome(
        call_id=call_id,
        policy="team/shop",
        tier="fast",
        provider="team/openai" if model else "",
        model=model,
        status=500 if error_type else 200,
        error_type=error_type,
        cache="off",
        stream=False,
        usage=None,
        cost_micro_usd=0,
        saved_micro_usd=0,
        retries=0,
        fallbacks=0,
        duration_seconds=1,
        overhead_seconds=0,
        first_content_seconds=None,
        task="coding",
    )


def test_a_bad_word_lowers_the_model_s_standing_in_its_task() -> None:
    calls, scores, counts = Calls(), Scores(SystemClock()), Counts()
    calls.request_ended(outcome("call-1"))
    Feedback(calls, scores, counts).given("call-1", "bad", 1.0)
    assert scores.weight(LABEL, "coding") == pytest.approx(0.8, abs=0.01)
    assert scores.weight(LABEL, "chat") == 1
    assert counts.told == {("gpt", "bad"): 1}


def test_half_a_word_lowers_it_less() -> None:
    calls, scores = Calls(), Scores(SystemClock())
    calls.request_ended(outcome("call-1"))
    Feedback(calls, scores, Counts()).given("call-1", "bad", 0.5)
    assert scores.weight(LABEL, "coding") == pytest.approx(0.8**0.5, abs=0.01)


def test_the_same_word_on_the_same_call_counts_once() -> None:
    calls, scores, counts = Calls(), Scores(SystemClock()), Counts()
    calls.request_ended(outcome("call-1"))
    feedback = Feedback(calls, scores, counts)
    for _ in range(3):
        feedback.given("call-1", "bad", 1.0)
    feedback.given("call-1", "too_short", 1.0)
    assert counts.told == {("gpt", "bad"): 1, ("gpt", "too_short"): 1}
    assert scores.weight(LABEL, "coding") == pytest.approx(0.64, abs=0.01)


def test_only_answered_calls_are_remembered_and_only_so_many() -> None:
    calls = Calls(most=2)
    for ended in (outcome("failed", "own_error"), outcome("nobody", model=""), outcome("one")):
        calls.request_ended(ended)
    calls.request_ended(outcome("two"))
    assert calls.named("one").candidate == LABEL
    calls.request_ended(outcome("three"))
    for unknown in ("failed", "nobody", "one", "never"):
        with pytest.raises(UnknownCall):
            calls.named(unknown)


def test_every_kind_has_an_effect() -> None:
    for kind in KINDS:
        calls, scores = Calls(), Scores(SystemClock())
        calls.request_ended(outcome("call-1"))
        Feedback(calls, scores, Counts()).given("call-1", kind, 1.0)
        assert (scores.tally(LABEL, "coding").signs > 0) == (kind != "good")
