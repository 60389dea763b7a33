"""Whose turn it is: who gains most comes, who loses least goes, and no crowd stays for ever."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.fleet.turns import (
    LOSS,
    NEWCOMER,
    Asked,
    Memory,
    Outside,
    Resident,
    is_done,
    leaving,
    next_turn,
)

CARD = Memory(size=10, headroom=2)
TIMEOUT = 100.0


def resident(name: str, size: int = 4, asked: int = 0, last_used: float = 0.0) -> Resident:
    return Resident(name, size, 5.0, asked, last_used)


def outside(
    name: str, *waited: float, size: int = 4, load: float = 5.0, least: float = 0
) -> Outside:
    asked = [Asked(each, TIMEOUT) for each in waited]
    return Outside(name, size, load, asked, least)


def test_who_fits_beside_the_rest_comes_at_once() -> None:
    assert leaving(3, [resident("a", asked=9)], CARD.fits) == []
    assert next_turn([outside("b", 0, size=3)], [resident("a", asked=9)], CARD.fits) == "b"


def test_memory_keeps_its_headroom_and_what_ollama_wants_free() -> None:
    assert CARD.fits(4, 4)
    assert not CARD.fits(5, 4)  # 9 of 10, of which 2 are to stay free
    assert not Memory(10, 0).fits(5, 4)  # more than 80 % of what is free
    assert Memory(10, 0).fits(8, 0)
    assert Memory(10, 0, one_at_a_time=True).fits(8, 0)
    assert not Memory(10, 0, one_at_a_time=True).fits(1, 1)


def test_whoever_nobody_asks_for_leaves_and_of_these_the_longest_unused() -> None:
    card = Memory(size=18, headroom=2)
    here = [resident("a", asked=1), resident("b", last_used=9), resident("c", last_used=3)]
    assert leaving(8, here, card.fits) == ["c"]
    assert leaving(11, here, card.fits) == ["c", "b"]
    assert next_turn([outside("d", 0, size=11)], here, card.fits) == "d"


def test_a_model_that_is_asked_for_stays_until_those_outside_gain_more() -> None:
    here = [resident("a", asked=1, size=8)]
    enough = int(LOSS / NEWCOMER) + 1
    assert next_turn([outside("b", *[0.0] * (enough - 1))], here, CARD.fits) is None
    assert next_turn([outside("b", *[0.0] * enough)], here, CARD.fits) == "b"
    assert next_turn([outside("b", 90.0, 90.0)], here, CARD.fits) == "b"


def test_the_most_to_gain_by_the_second_comes_first() -> None:
    many, few = outside("many", 1, 1, 1), outside("few", 1)
    assert next_turn([few, many], [], CARD.fits) == "many"
    assert next_turn([few._replace(load_seconds=1.0), many], [], CARD.fits) == "few"


def test_who_is_sure_to_be_late_is_not_loaded_for() -> None:
    assert next_turn([outside("a", 96.0, least=5)], [], CARD.fits) is None
    assert next_turn([outside("a", 96.0)], [], CARD.fits) == "a"


def test_who_has_waited_for_half_of_his_time_comes_whatever_others_lose() -> None:
    here = [resident("busy", asked=99, size=8)]
    assert next_turn([outside("a", 49.0)], here, CARD.fits) is None
    assert next_turn([outside("a", 50.0)], here, CARD.fits) == "a"
    assert next_turn([outside("a", 50.0), outside("b", 51.0)], here, CARD.fits) == "b"
    crowd = outside("crowd", *[50.0] * 50, load=1.0)
    assert next_turn([outside("a", 60.0), crowd], here, CARD.fits) == "crowd", "by gain alone"


@pytest.mark.parametrize(
    ("in_flight", "came", "done"),
    [(0, None, True), (1, None, False), (0, 3.0, True), (0, 2.0, False)],
)
def test_a_model_that_closes_answers_who_came_before(
    in_flight: int, came: float | None, done: bool
) -> None:
    assert is_done(in_flight, came, closed_at=2.0) is done


ARRIVALS = st.lists(st.tuples(st.integers(0, 60), st.sampled_from("abcdef")), max_size=60)


@given(
    arrivals=ARRIVALS,
    sizes=st.fixed_dictionaries({name: st.integers(1, 8) for name in "abcdef"}),
)
def test_every_model_that_is_waited_for_gets_its_turn_in_time(
    arrivals: list[tuple[int, str]], sizes: Mapping[str, int]
) -> None:
    """`a` is asked for all the time, and a load takes 2 s."""
    line: dict[str, list[int]] = {name: [] for name in sizes}
    memory = [resident("a", sizes["a"])]
    for now in range(0, 140, 2):
        line["a"] += [now] * 3
        for at, name in arrivals:
            if now <= at < now + 2:
                line[name].append(at)
        here = [each._replace(asked=len(line[each.name])) for each in memory]
        names = {each.name for each in here}
        found = next_turn(
            [outside(n, *(now + 2 - at for at in line[n]), size=sizes[n]) for n in line
             if n not in names and line[n]],
            here, CARD.fits,
        )  # fmt: skip
        for each in here:
            line[each.name].clear()
        if found:
            gone = leaving(sizes[found], here, CARD.fits)
            memory = [each for each in here if each.name not in gone]
            assert CARD.fits(sizes[found], sum(each.size for each in memory))
            memory.append(resident(found, sizes[found], last_used=now))
            line[found].clear()
        assert all(now + 2 - at < TIMEOUT for came in line.values() for at in came)
    assert not any(came for name, came in line.items() if name != "a")
