"""Which replica is asked."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from penstock_sidecar.fleet.choosing import Standing, canonical, choose


def standing(name: str, in_flight: int = 0, *, loaded: bool = False) -> Standing:
    return Standing(name, loaded, in_flight, in_flight)


def chosen(*standings: Standing, parallel: int | None = 4) -> str | None:
    return choose(standings, parallel, Random(1))


def test_one_with_the_model_loaded_is_asked_before_one_that_is_idle() -> None:
    assert chosen(standing("a"), standing("b", 3, loaded=True)) == "b"


def test_one_that_must_load_is_asked_when_the_loaded_ones_are_full() -> None:
    assert chosen(standing("a"), standing("b", 4, loaded=True)) == "a"


def test_of_equals_the_least_busy_is_asked() -> None:
    assert chosen(standing("a", 2), standing("b", 1), standing("c", 3)) == "b"


def test_other_models_requests_count_where_all_else_is_equal() -> None:
    assert chosen(replace(standing("a"), under_way=3), standing("b")) == "b"


def test_what_other_sidecars_have_there_counts() -> None:
    busy = replace(standing("a", loaded=True), others=3)
    assert {choose([busy, standing("b", 1, loaded=True)], 4, Random(n)) for n in range(9)} == {"b"}


def test_news_that_are_old_send_no_herd_to_one() -> None:
    idle = standing("idle", loaded=True)
    others = [replace(standing(f"r{n}", loaded=True), others=2) for n in range(9)]
    drawn = Counter(choose([idle, *others], 4, Random(seed)) for seed in range(500))
    assert 50 < drawn["idle"] < 150, "one in five pairs holds it"


def test_nobody_is_asked_for_more_than_it_answers_at_once() -> None:
    assert chosen(standing("a", 4, loaded=True), standing("b", 5)) is None
    assert chosen(standing("a", 400), parallel=None) == "a"
    assert chosen() is None


def test_one_that_fails_is_asked_only_where_all_do() -> None:
    failing = replace(standing("a", loaded=True), failing=True)
    assert chosen(failing, standing("b", 3)) == "b"
    assert chosen(failing, standing("b", 4)) is None
    assert chosen(failing) == "a"


def test_equal_ones_are_drawn_so_that_sidecars_do_not_all_run_to_one() -> None:
    standings = [standing(name, loaded=True) for name in "abc"]
    drawn = Counter(choose(standings, 4, Random(seed)) for seed in range(300))
    assert min(drawn[name] for name in "abc") > 60


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("llama3.2", "llama3.2:latest"),
        ("llama3.2:1b", "llama3.2:1b"),
        ("registry:5000/team/llama", "registry:5000/team/llama:latest"),
        ("hf.co/bartowski/x:Q4_K_M", "hf.co/bartowski/x:Q4_K_M"),
    ],
)
def test_a_model_without_a_tag_is_the_latest(name: str, full: str) -> None:
    assert canonical(name) == full
