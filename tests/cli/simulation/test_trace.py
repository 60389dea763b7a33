"""Traces: the same from the same seed, and shaped as the scenario says."""

from collections import Counter
from statistics import mean

import pytest

from penstock_cli.simulation.scenario import Between, Stream, Traffic, WeightedModel
from penstock_cli.simulation.trace import digest_of, trace_of
from tests.cli.simulation.scenarios import NAMES, scenario

TOKENS = Between(least=10, most=1000)


def stream(**changes: object) -> Stream:
    fields: dict[str, object] = {
        "name": "some",
        "per_hour": 3600,
        "models": (WeightedModel(name="a"), WeightedModel(name="b", weight=3)),
        "prompt_tokens": TOKENS,
        "output_tokens": TOKENS,
        "timeout_seconds": 30,
    }
    return Stream.model_validate(fields | changes)


def traffic(*streams: Stream, shape: tuple[float, ...] = (1.0,)) -> Traffic:
    return Traffic(duration_seconds=3600, shape=shape, streams=streams)


def test_the_same_seed_gives_the_same_trace_and_another_one_another() -> None:
    of = traffic(stream())
    assert trace_of(of, 1) == trace_of(of, 1)
    assert digest_of(trace_of(of, 1)) != digest_of(trace_of(of, 2))


def test_a_stream_is_drawn_the_same_whatever_comes_beside_it() -> None:
    alone = trace_of(traffic(stream()), 7)
    both = trace_of(traffic(stream(name="other"), stream()), 7)
    assert [ask.calls for ask in both if ask.stream == "some"] == [ask.calls for ask in alone]


def test_requests_come_in_order_and_within_the_time() -> None:
    found = trace_of(traffic(stream(burst=5, turns={"least": 1, "most": 4})), 0)
    assert [ask.number for ask in found] == list(range(len(found)))
    assert sorted(ask.at for ask in found) == [ask.at for ask in found]
    assert 0 <= found[0].at <= found[-1].at < 3600


@pytest.mark.parametrize("burst", [1, 4])
def test_as_many_come_as_is_said_in_bursts_or_one_by_one(burst: float) -> None:
    counts = [len(trace_of(traffic(stream(burst=burst)), seed)) for seed in range(10)]
    assert mean(counts) == pytest.approx(3600, rel=0.05)


def test_the_shape_says_when() -> None:
    found = trace_of(traffic(stream(), shape=(1, 0, 3, 0)), 0)
    quarters = Counter(int(ask.at // 900) for ask in found)
    assert set(quarters) == {0, 2}
    assert quarters[2] / quarters[0] == pytest.approx(3, rel=0.15)


def test_an_ensemble_asks_different_models() -> None:
    found = trace_of(traffic(stream(members={"least": 2, "most": 5})), 0)
    assert {len(ask.calls) for ask in found} == {2}, "there are no more than two"
    assert all(len({call.model for call in ask.calls}) == 2 for ask in found)


def test_models_are_asked_by_their_weights() -> None:
    found = Counter(ask.calls[0].model for ask in trace_of(traffic(stream()), 0))
    assert found["b"] / found["a"] == pytest.approx(3, rel=0.15)


def test_a_later_turn_brings_the_earlier_ones_along() -> None:
    turns = {"least": 3, "most": 3}
    traces = (trace_of(traffic(stream(per_hour=1, turns=turns)), seed) for seed in range(50))
    conversations = [trace for trace in traces if len(trace) == 3]
    assert conversations
    for conversation in conversations:
        first, second, third = (ask.calls[0].prompt_tokens for ask in conversation)
        assert first < second < third


def test_tokens_stay_between_their_bounds() -> None:
    found = trace_of(traffic(stream()), 0)
    tokens = [ask.calls[0].output_tokens for ask in found]
    assert 10 <= min(tokens) < 12
    assert 900 < max(tokens) <= 1000


def test_an_ensemble_needs_more_than_half_of_its_answers() -> None:
    for name in NAMES:
        for ask in trace_of(scenario(name).traffic, 0)[:200]:
            assert (
                ask.quorum
                == {1: 1, 2: 2, 3: 2, 4: 3, 5: 3, 6: 4, 8: 5, 10: 6, 11: 6, 12: 7}[len(ask.calls)]
            )
