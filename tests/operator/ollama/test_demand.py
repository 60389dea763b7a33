"""Demand that a moment does not move."""

from penstock_operator.ollama.demand import SECONDS, rounded, smoothed


def test_it_comes_near_what_is_asked_for_with_time() -> None:
    demand: dict[str, float] = {}
    for _ in range(int(SECONDS) // 2):
        demand = smoothed(demand, {"m": 10}, ["m"], 2)
    assert 6.3 < demand["m"] < 6.4
    for _ in range(int(SECONDS) * 5):
        demand = smoothed(demand, {"m": 10}, ["m"], 2)
    assert rounded(demand) == {"m": 10.0}


def test_what_nobody_asks_for_is_forgotten_and_what_is_not_served_never_known() -> None:
    gone = smoothed({"m": 8.0, "old": 9.0}, {"other": 5}, ["m"], SECONDS * 20)
    assert rounded(gone) == {"m": 0.0}


def test_no_time_is_no_change() -> None:
    assert smoothed({"m": 3.0}, {"m": 99}, ["m"], 0) == {"m": 3.0}
    assert smoothed({"m": 3.0}, {"m": 99}, ["m"], -5) == {"m": 3.0}
