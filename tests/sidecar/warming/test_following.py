"""What the same caller usually asks next."""

from dataclasses import replace

from penstock_sidecar.warming.following import (
    LEAST_TIMES,
    MOST_ANSWERS,
    MOST_CALLERS,
    MOST_NEXT,
    TOGETHER_SECONDS,
    Following,
)
from tests.sidecar.cache.builders import CALLER, ManualClock
from tests.sidecar.warming.questions import SHELVES, question


def follow(following: Following, *names: str) -> str | None:
    """What usually follows the last of them."""
    likely = None
    for name in names:
        likely = following.asked(question(name))
    return likely


def test_what_followed_often_is_foreseen() -> None:
    following = Following(ManualClock())
    for _ in range(LEAST_TIMES):
        follow(following, "a", "b", "x")
    assert follow(following, "a") == SHELVES.answer("b")
    assert follow(following, "unknown") is None


def test_what_followed_seldom_is_not() -> None:
    following = Following(ManualClock())
    for name in ("b", "c", "d", "e"):
        for _ in range(LEAST_TIMES):
            follow(following, "a", name)
    assert follow(following, "a") is None


def test_another_callers_questions_do_not_follow() -> None:
    following = Following(ManualClock())
    other = replace(CALLER, user="bob")
    for _ in range(LEAST_TIMES + 1):
        following.asked(question("a"))
        following.asked(question("b", caller=other))
    assert follow(following, "a") is None


def test_what_comes_much_later_does_not_follow() -> None:
    clock = ManualClock()
    following = Following(clock)
    for _ in range(LEAST_TIMES):
        follow(following, "a")
        clock.now += TOGETHER_SECONDS + 1
        follow(following, "b")
        clock.now += TOGETHER_SECONDS + 1
    assert follow(following, "a") is None


def test_its_memory_is_bounded() -> None:
    following = Following(ManualClock())
    for number in range(MOST_ANSWERS + 10):
        follow(following, "hub", f"n{number}")
    for number in range(MOST_CALLERS + 10):
        following.asked(question("a", caller=replace(CALLER, user=str(number))))
    assert len(following._next) <= MOST_ANSWERS  # nothing tells it to the outside
    assert len(following._last) <= MOST_CALLERS
    assert all(len(nexts) <= MOST_NEXT for nexts in following._next.values())
