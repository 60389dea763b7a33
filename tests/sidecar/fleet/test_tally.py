"""What is asked is told for as long as somebody must hear of it, and no longer."""

from penstock_sidecar.fleet.tally import LASTING_SECONDS, Tally


def told(tally: Tally, now: float) -> tuple[dict[str, int], dict[str, int]]:
    demand = tally.demand(now, 0.0)
    return dict(demand.in_flight), dict(demand.waiting)


def test_requests_are_counted_by_model() -> None:
    tally = Tally()
    for model in ("a", "a", "b"):
        tally.begin(model)
    tally.wait("a")
    assert told(tally, 0) == ({"a": 2, "b": 1}, {"a": 1})


def test_an_answer_between_two_looks_is_not_missed() -> None:
    tally = Tally()
    tally.begin("a")
    tally.end("a", 10.0)
    assert told(tally, 10 + LASTING_SECONDS - 0.1) == ({"a": 1}, {})
    assert told(tally, 10 + LASTING_SECONDS) == ({}, {})


def test_what_is_going_on_is_never_told_as_less_than_it_is() -> None:
    tally = Tally()
    for _ in range(3):
        tally.begin("a")
    tally.end("a", 10.0)
    assert told(tally, 11) == ({"a": 2}, {})


def test_a_wish_counts_as_one_who_waits_and_passes() -> None:
    tally = Tally()
    tally.wish("a", 10.0)
    tally.wish("a", 10.5)
    assert told(tally, 11) == ({}, {"a": 1})
    tally.wait("a")
    tally.wait_no_more("a")
    assert told(tally, 10.5 + LASTING_SECONDS) == ({}, {})
