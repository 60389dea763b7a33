"""Says why a kept answer to one question must not answer another one."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.cache.semantic.guard.refusal import MOST_CHARACTERS, refusal
from tests.sidecar.cache.semantic.guard.examples import ALLOWED, REFUSED

WHY = [(why, *pair) for why, pairs in REFUSED.items() for pair in pairs]
QUESTIONS = sorted({text for _, *pair in WHY for text in pair} | {t for p in ALLOWED for t in p})
HOSTILE = (
    "a" * 10_000,
    "not " * 2500,
    "how do i " * 1100,
    "can you please " * 700,
    "(" * 10_000,
    "`" * 9_999,
    "1" * 10_000,
    "1.1" * 3300,
    "-" * 10_000,
    "x=" * 5000,
    "don't" * 2000,
    "a.b." * 2500,
    "\u0301" * 10_000,
    "i would like to " * 600,
)


@pytest.mark.parametrize(("why", "asked", "kept"), WHY)
def test_what_says_something_else_is_refused(why: str, asked: str, kept: str) -> None:
    assert refusal(asked, kept) == why
    assert refusal(kept, asked) == why


@pytest.mark.parametrize(("asked", "kept"), ALLOWED)
def test_what_says_the_same_passes(asked: str, kept: str) -> None:
    assert refusal(asked, kept) is None
    assert refusal(kept, asked) is None


@pytest.mark.parametrize("text", QUESTIONS)
def test_a_question_answers_itself_however_it_is_written(text: str) -> None:
    assert refusal(text, text) is None
    assert refusal(text, f"  {text} ") is None
    assert refusal(text, f"{text}!") is None
    assert refusal(text, text.replace("'", "\u2019")) is None


@given(st.text(max_size=200), st.text(max_size=200))
def test_nobody_is_nearer_than_the_other(asked: str, kept: str) -> None:
    assert refusal(asked, kept) == refusal(kept, asked)


@given(st.text(max_size=300))
def test_any_text_answers_itself(text: str) -> None:
    assert refusal(text, text) is None


@given(st.sampled_from(QUESTIONS), st.sampled_from(["blorf", "grimmel", "tovish"]), st.integers(0))
def test_a_word_that_nobody_knows_changes_a_long_question(text: str, word: str, at: int) -> None:
    """As a name does, a product, or the opposite of what was said."""
    words = f"please tell my grandmother in the kitchen about this: {text}".split()
    at %= len(words)
    assert refusal(" ".join(words), " ".join([*words[:at], word, *words[at:]])) is not None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_costs_little(text: str) -> None:
    """Many times what an ordinary question costs, and no power of its length."""
    asked, kept = text[:MOST_CHARACTERS], text[: MOST_CHARACTERS - 1]
    started = time.thread_time()
    refusal(asked, kept)
    assert time.thread_time() - started < 1


def test_what_is_too_long_is_not_read() -> None:
    assert refusal("a" * 5000, "a" * 4999) == "too_long"
    assert refusal("a" * 5000, "a" * 5000) is None
