"""What every strategy keeps to, and what each goes by."""

from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_config.tier import Strategy as StrategyName
from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.estimates import Estimates
from penstock_sidecar.routing.room import Endless
from penstock_sidecar.routing.seen import Seen
from penstock_sidecar.routing.strategies.base import Strategy
from penstock_sidecar.routing.strategies.build import Known, strategy_of
from tests.sidecar.routing.builders import ManualClock, tier
from tests.sidecar.routing.strategies.models import asked, candidate, names, plain, priced

ALL: tuple[StrategyName, ...] = get_args(StrategyName)


class Shares(Endless):
    """What is left, by the model's name."""

    def __init__(self, **left: float) -> None:
        self.left = left

    def share_left(self, candidate: Candidate, tokens: int | None = None) -> float:  # noqa: ARG002  # a `Room`'s
        return self.left.get(candidate.model.name, 1.0)


def strategy(
    name: StrategyName, *, seed: int = 1, seen: Seen | None = None, room: Shares | None = None
) -> Strategy:
    known = Known(Estimates(), seen or Seen.nothing(ManualClock()), room or Shares(), Random(seed))
    return strategy_of(tier("fast").model_copy(update={"strategy": name}), known)


def firsts(ranked: Callable[[], Sequence[Candidate]], times: int = 4_000) -> dict[str, float]:
    """How often each is first, as a share."""
    counted = Counter(ranked()[0].model.name for _ in range(times))
    return {name: count / times for name, count in counted.items()}


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.sampled_from(ALL),
    st.lists(st.tuples(st.integers(0, 9), st.none() | st.integers(0, 5)), min_size=1, max_size=8),
    st.integers(0, 99),
)
def test_whatever_the_strategy_everybody_is_ranked_once(
    name: StrategyName, facts: list[tuple[int, int | None]], seed: int
) -> None:
    candidates = [
        candidate(priced(f"m{place}", price), weight=weight)
        for place, (weight, price) in enumerate(facts)
    ]
    ranked = strategy(name, seed=seed).ranked(candidates, asked())
    assert sorted(c.label for c in ranked) == sorted(c.label for c in candidates)


@pytest.mark.parametrize("name", ALL)
def test_equal_seeds_give_equal_orders(name: StrategyName) -> None:
    candidates = plain("a b c d e")
    one, other = strategy(name, seed=7), strategy(name, seed=7)
    for _ in range(20):
        assert names(one.ranked(candidates, asked())) == names(other.ranked(candidates, asked()))


def test_weighted_is_first_by_weight() -> None:
    pair = [candidate(priced("a", 0), weight=1), candidate(priced("b", 0), weight=3)]
    by = strategy("Weighted")
    assert firsts(lambda: by.ranked(pair, asked()))["b"] == pytest.approx(0.75, abs=0.03)
    assert [by.score(c, asked()) for c in pair] == [1, 3]


def test_round_robin_takes_everybody_in_turn() -> None:
    candidates, by = plain("a b c"), strategy("RoundRobin")
    turns = [by.ranked(candidates, asked())[0].model.name for _ in range(9)]
    assert sorted(turns[:3]) == ["a", "b", "c"]
    assert turns[:3] == turns[3:6] == turns[6:]


def test_round_robin_goes_on_in_turn_while_one_is_out() -> None:
    candidates, by = plain("a b c"), strategy("RoundRobin")
    without_c = [by.ranked(candidates[:2], asked())[0].model.name for _ in range(4)]
    assert without_c[:2] == without_c[2:]
    assert by.ranked(candidates, asked())[0].model.name == "c"


def test_sidecars_begin_their_rounds_at_different_candidates() -> None:
    candidates = plain("a b c d")
    begun = {names(strategy("RoundRobin", seed=s).ranked(candidates, asked())) for s in range(20)}
    assert len(begun) > 5


def test_least_cost_goes_by_the_price_of_this_request_and_the_unknown_comes_last() -> None:
    unknown, dear, cheap = (
        candidate(priced(name, price)) for name, price in (("u", None), ("d", 5), ("c", 1))
    )
    by = strategy("LeastCost")
    assert names(by.ranked([unknown, dear, cheap], asked())) == "c d u"
    assert by.score(unknown, asked()) is None
    assert by.score(cheap, asked(tokens=100, max_output_tokens=50)) == 150


def test_least_cost_spreads_over_equally_cheap_ones() -> None:
    by, candidates = strategy("LeastCost"), plain("a b")
    assert firsts(lambda: by.ranked(candidates, asked()))["a"] == pytest.approx(0.5, abs=0.03)


def test_least_busy_takes_the_less_busy_of_two() -> None:
    seen, candidates = Seen.nothing(ManualClock()), plain("a b c")
    for number, busy in enumerate(candidates):
        for _ in range(number):
            seen.busy.began(busy)
    by = strategy("LeastBusy", seen=seen)
    shares = firsts(lambda: by.ranked(candidates, asked()))
    assert shares == {"a": pytest.approx(2 / 3, abs=0.03), "b": pytest.approx(1 / 3, abs=0.03)}
    assert [by.score(c, asked()) for c in candidates] == [0, 1, 2]


def test_who_has_ended_is_not_busy_any_more() -> None:
    seen, (one,) = Seen.nothing(ManualClock()), plain("a")
    seen.busy.began(one)
    seen.busy.began(one)
    seen.busy.ended(one)
    assert seen.busy.in_flight(one) == 1
    seen.busy.ended(one)
    seen.busy.ended(one)
    assert seen.busy.in_flight(one) == 0


def test_least_latency_begins_with_what_is_expected() -> None:
    slow, fast = (
        candidate(priced(name, 0, expected_latency_ms=ms)) for name, ms in (("s", 900), ("f", 90))
    )
    by = strategy("LeastLatency")
    assert firsts(lambda: by.ranked([slow, fast], asked()), 200) == {"f": 1.0}
    assert by.score(slow, asked()) == 900


def test_least_latency_counts_requests_under_way_as_waiting() -> None:
    seen, (one, other) = Seen.nothing(ManualClock()), plain("a b")
    seen.latencies.measured(one, 0.1, stream=True)
    seen.latencies.measured(other, 0.15, stream=True)
    by = strategy("LeastLatency", seen=seen)
    assert by.ranked([one, other], asked())[0] is one
    seen.busy.began(one)
    assert by.ranked([one, other], asked())[0] is other


def test_most_headroom_takes_who_has_most_left() -> None:
    by = strategy("MostHeadroom", room=Shares(a=0.2, b=0.7, c=0.5))
    assert names(by.ranked(plain("a b c"), asked())) == "b c a"
    assert by.score(plain("b")[0], asked()) == 0.7


def test_most_headroom_spreads_over_who_has_equally_much() -> None:
    by, candidates = strategy("MostHeadroom"), plain("a b c d")
    shares = firsts(lambda: by.ranked(candidates, asked()))
    assert all(share == pytest.approx(0.25, abs=0.03) for share in shares.values())
