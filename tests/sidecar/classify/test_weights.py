"""How features become words."""

import pytest

from penstock_config.classification import COMPLEXITIES
from penstock_sidecar.classify.weights import COLUMNS, MAX_SIGNALS, Weights, strongest


def row(**weights: int) -> tuple[int, ...]:
    return tuple(weights.get(name, 0) for name in COLUMNS)


WEIGHTS = Weights(
    rows={
        "code": row(coding=300),
        "poem": row(creative=300, coding=-100),
        "proof": row(reasoning=200, expert=250),
        "parts": row(complex=200, simple=-100),
        "tiny": row(simple=250, expert=-100),
        "faint": row(coding=10, expert=10),
    },
    bias=row(chat=50, medium=50),
)


def test_nothing_known_is_what_the_bias_says() -> None:
    weighed = WEIGHTS.weigh({"unheard of": 1.0})
    assert weighed.task == "chat"
    assert weighed.task_confidence < 0.3
    assert weighed.task_reasons == {}


@pytest.mark.parametrize(
    ("features", "task"),
    [
        ({"code": 1.0}, "coding"),
        ({"poem": 1.0}, "creative"),
        ({"code": 1.0, "poem": 1.0}, "creative"),
        ({"code": 2.0, "poem": 1.0}, "coding"),
    ],
)
def test_the_task_is_that_with_the_highest_sum(features: dict[str, float], task: str) -> None:
    assert WEIGHTS.weigh(features).task == task


@pytest.mark.parametrize(
    ("features", "complexity"),
    [
        ({}, "medium"),
        ({"tiny": 2.0}, "simple"),
        ({"parts": 1.0}, "complex"),
        ({"proof": 1.0}, "expert"),
        ({"proof": 1.0, "parts": 2.0}, "complex"),
        ({"proof": 1.0, "tiny": 2.0}, "simple"),
    ],
)
def test_the_complexity_is_that_with_the_highest_sum(
    features: dict[str, float], complexity: str
) -> None:
    assert WEIGHTS.weigh(features).complexity == complexity


def test_more_of_the_same_is_surer() -> None:
    weak, strong = WEIGHTS.weigh({"code": 0.5}), WEIGHTS.weigh({"code": 3.0})
    assert weak.task_confidence < strong.task_confidence < 1
    assert WEIGHTS.weigh({"tiny": 9.0}).complexity_confidence > 0.99


def test_what_decided_is_named_with_what_it_adds() -> None:
    weighed = WEIGHTS.weigh({"code": 1.0, "poem": 1.0, "faint": 1.0, "proof": 1.0})
    assert weighed.task == "creative"
    assert weighed.task_reasons == {"poem": 300}
    assert weighed.complexity == "expert"
    assert weighed.complexity_reasons == {"proof": 250, "faint": 10}
    found = weighed.classification()
    assert found.signals == ("poem", "proof")
    assert found.confidence == min(weighed.task_confidence, weighed.complexity_confidence)


def test_only_the_strongest_signals_are_named() -> None:
    reasons = {f"f{i}": float(i * 10 * (-1) ** i) for i in range(1, 14)}
    assert strongest(reasons) == ("f12", "f10", "f8", "f6")
    assert len(strongest(reasons)) == MAX_SIGNALS


def test_extreme_values_raise_nothing() -> None:
    for value in (1e6, -1e6):
        weighed = WEIGHTS.weigh({"proof": value, "code": value, "poem": value})
        assert weighed.complexity in COMPLEXITIES
        assert 0 < weighed.task_confidence <= 1


def test_a_table_that_lacks_something_is_refused() -> None:
    with pytest.raises(ValueError, match="bias"):
        Weights.of({"rows": {}})


def test_the_package_s_table_has_every_column() -> None:
    weights = Weights.load()
    assert {len(found) for found in weights.rows.values()} == {len(COLUMNS)}
    assert len(weights.bias) == len(COLUMNS)


def test_words_alone_never_make_it_vision() -> None:
    everything = dict.fromkeys(Weights.load().rows, 3.0)
    assert Weights.load().weigh(everything).task != "vision"
