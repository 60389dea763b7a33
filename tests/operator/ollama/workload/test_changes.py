"""What may go while a provider's workloads change: never the last ready replica."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_operator.ollama.planner.types import Group
from penstock_operator.ollama.workload.changes import Standing, continued, pausable, removable

AB = frozenset("ab")
OLD = Standing("old", planned=0, ready=1, models=AB)
NEW = Standing("new", planned=1, ready=0, models=AB)


def test_the_last_ready_replica_stays_until_another_is_ready() -> None:
    assert removable([OLD, NEW], wanted=1) == ()
    assert removable([OLD, replace(NEW, ready=1)], wanted=1) == ("old",)


def test_what_serves_nobody_goes_at_once() -> None:
    assert removable([replace(OLD, ready=0), NEW], wanted=1) == ("old",)


def test_what_is_lost_stays_until_others_serve_all_that_is_wanted() -> None:
    """Its node may come back, with gigabytes that need not be pulled again."""
    lost = replace(OLD, ready=0, lost=True)
    assert removable([lost], wanted=1) == ()
    assert removable([lost, NEW], wanted=1) == ()
    assert removable([lost, replace(NEW, ready=1)], wanted=1) == ("old",)
    pending = replace(NEW, name="x-pending")
    assert removable([lost, replace(NEW, ready=1), pending], wanted=2) == ()
    half = replace(NEW, name="half", ready=2, models=frozenset("a"))
    rest = replace(NEW, name="rest", models=frozenset("b"))
    assert removable([lost, half, rest], wanted=1) == ()


def test_as_many_must_be_ready_as_went_but_no_more_than_are_planned() -> None:
    three = replace(OLD, ready=3)
    assert removable([three, replace(NEW, planned=3, ready=2)], wanted=3) == ()
    assert removable([three, replace(NEW, planned=3, ready=3)], wanted=3) == ("old",)
    assert removable([three, replace(NEW, planned=2, ready=2)], wanted=2) == ("old",)


def test_a_replica_that_has_only_some_of_the_models_is_no_replacement() -> None:
    half = replace(NEW, ready=1, models=frozenset("a"))
    rest = replace(NEW, name="rest", models=frozenset("b"))
    assert removable([OLD, half, rest], wanted=1) == ()
    assert removable([OLD, half, replace(rest, ready=1)], wanted=1) == ("old",)


def test_models_that_nobody_wants_any_more_are_not_waited_for() -> None:
    other = replace(NEW, ready=1, models=frozenset("c"))
    assert removable([OLD, other], wanted=1) == ("old",)
    assert removable([OLD, replace(other, ready=0)], wanted=1) == ()


def test_what_found_no_place_keeps_what_has_one() -> None:
    assert removable([OLD], wanted=1) == ()


def test_scaled_to_zero_everything_goes() -> None:
    assert removable([OLD, replace(OLD, name="b")], wanted=0) == ("b", "old")


standings = st.lists(
    st.builds(
        Standing,
        name=st.text("abcdefgh", min_size=1, max_size=3),
        planned=st.integers(0, 3),
        ready=st.integers(0, 3),
        models=st.just(AB),
        waits=st.booleans(),
        lost=st.booleans(),
    ),
    unique_by=lambda each: each.name,
    max_size=6,
)


@given(standings=standings, wanted=st.integers(1, 5))
def test_whatever_goes_somebody_ready_remains(standings: list[Standing], wanted: int) -> None:
    gone = set(removable(standings, wanted=wanted))
    assert not any(each.planned for each in standings if each.name in gone)
    if any(each.ready for each in standings):
        assert any(each.ready for each in standings if each.name not in gone)


@given(standings=standings)
def test_what_may_pause_leaves_somebody_ready(standings: list[Standing]) -> None:
    for name in pausable(standings):
        assert any(each.ready for each in standings if each.name != name)


WAITING = replace(NEW, ready=1, waits=True)


@pytest.mark.parametrize(
    ("other", "may"),
    [
        (Standing("other", 1, 1, AB), True),
        (Standing("other", 1, 0, AB), False),
        (Standing("other", 1, 1, frozenset("a")), False),
    ],
)
def test_a_single_replica_makes_room_only_while_another_group_serves_its_models(
    other: Standing, may: bool
) -> None:
    assert pausable([WAITING, other]) == ({"new"} if may else set())


def test_where_there_is_room_nobody_pauses() -> None:
    assert pausable([replace(WAITING, waits=False), Standing("other", 1, 1, AB)]) == set()


def test_one_replica_of_several_needs_no_leave() -> None:
    assert pausable([replace(WAITING, planned=2), Standing("other", 1, 1, AB)]) == set()


def test_only_one_group_pauses_at_a_time() -> None:
    assert pausable([Standing(each, 1, 1, AB, waits=True) for each in "ab"]) == {"a"}


def group(name: str, node: str | None = "n1", gpus: int = 1) -> Group:
    return Group(name, "ns/p", node, ("m",), ("m",), 1, {"nvidia.com/gpu": gpus}, (), 1, "")


def test_a_changed_list_of_models_goes_on_in_the_deployment_that_has_the_gpu() -> None:
    (found,) = continued([group("new")], {"old": group("old")})
    assert found == group("old")


def test_what_is_there_by_its_own_name_keeps_it() -> None:
    there = {"new": group("new"), "old": group("old")}
    assert continued([group("new")], there) == (group("new"),)


def test_of_two_groups_in_a_place_the_one_with_the_same_models_goes_on() -> None:
    there = {"old": replace(group("old"), models=("x",))}
    planned = [replace(group(name), models=(name,)) for name in "axz"]
    assert [each.name for each in continued(planned, there)] == ["a", "old", "z"]


def test_elsewhere_or_with_other_gpus_it_is_another_deployment() -> None:
    for old in (group("old", node="n2"), group("old", gpus=2)):
        assert continued([group("new")], {"old": old}) == (group("new"),)


def test_what_is_still_planned_is_not_taken_and_nothing_is_taken_twice() -> None:
    there = {"a": group("a"), "b": group("b")}
    found = continued([group("a"), group("x"), group("y")], there)
    assert [each.name for each in found] == ["a", "b", "y"]
