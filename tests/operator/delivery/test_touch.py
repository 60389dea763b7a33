"""Which pods are touched, in which order, and when again."""

from collections.abc import Iterable

from penstock_operator.delivery.pods import SeenPod
from penstock_operator.delivery.touch import Patience, in_turn, mark_of, untold
from penstock_operator.plan import Published
from tests.operator.delivery.seen import OWNER, PUBLISHED, pod

MARK = mark_of(PUBLISHED) or ""


def names(pods: Iterable[SeenPod]) -> list[str]:
    return [each.name for each in pods]


def test_a_mark_stands_for_both_files() -> None:
    marks = [mark_of(Published(*digests)) for digests in ("ab", "ac", "cb")]
    assert len({*marks}) == 3
    assert mark_of(PUBLISHED) == MARK
    assert len(MARK) == 16


def test_there_is_no_mark_before_both_files_are_right() -> None:
    halves = [None, Published(), Published("a"), Published(None, "b"), Published("", "b")]
    assert [mark_of(half) for half in halves] == [None] * 5


def test_pods_that_bear_another_mark_are_untold() -> None:
    pods = [
        pod("new"),
        pod("old", mark="of-before"),
        pod("told", mark=MARK),
        pod("leaving", leaving=True),
        pod("missed", missed_by=OWNER),
        pod("elsewhere", "other"),
    ]
    assert names(untold(pods, {"shop": PUBLISHED, "half": Published("a")})) == ["new", "old"]


def test_a_namespace_whose_files_are_gone_touches_nobody() -> None:
    assert names(untold([pod(mark=MARK)], {})) == []


def test_a_large_namespace_keeps_no_small_one_waiting() -> None:
    pods = [pod(f"l{number}", "large") for number in range(100)] + [pod("s", "small")]
    found = in_turn(pods, 4)
    assert len(found) == 4
    assert "s" in names(found)[:2]


def test_everybody_gets_his_turn() -> None:
    pods = [pod(f"{name}{number}", name) for name in "abc" for number in range(3)]
    assert sorted(names(in_turn(pods, 100))) == sorted(names(pods))
    assert in_turn([], 100) == []


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_what_failed_is_due_later_each_time_and_no_other_pod_waits() -> None:
    clock, one, other = Clock(), pod("one"), pod("other")
    patience = Patience(clock)
    pauses = []
    for _ in range(7):
        patience.failed(one)
        assert not patience.is_due(one)
        assert patience.is_due(other)
        pauses.append(patience.seconds([one, other]))
        clock.now += pauses[-1] or 0
        assert patience.is_due(one)
    assert pauses == [1, 2, 5, 10, 30, 30, 30]


def test_what_succeeded_or_is_gone_is_forgotten() -> None:
    patience = Patience(Clock())
    for each in (one := pod("one"), pod("gone")):
        patience.failed(each)
    patience.succeeded(one)
    assert patience.is_due(one)
    assert patience.seconds([one]) is None
    assert patience.is_due(pod("gone"))
