"""Breakers in the operator's metrics."""

from prometheus_client import REGISTRY

from penstock_config.breaker import Record, Standing
from penstock_operator.handlers.breaker_figures import BreakerFigures
from penstock_operator.metrics import Metrics
from tests.operator.health.facts import opened, standing

LABELS = {"provider": "llm/own", "model": "a", "endpoint": "chat"}


def state(metrics: Metrics, **labels: str) -> float | None:
    return metrics.registry.get_sample_value("penstock_breaker_state", LABELS | labels)


def changes(metrics: Metrics, to: str) -> float:
    name = "penstock_breaker_transitions_total"
    return metrics.registry.get_sample_value(name, {**LABELS, "to": to}) or 0


def test_each_state_is_shown_and_each_change_counted_once() -> None:
    metrics = Metrics()
    figures = BreakerFigures(metrics)
    healthy = Standing(now=0)
    shown = (
        (healthy, None),
        (standing(chat_a=opened()), 2),
        (standing(chat_a=opened()), 2),
        (standing(chat_a=opened(left_ms=-1)), 1),
        (standing(chat_a=Record()), 0),
        (healthy, 0),
    )
    for seen, expected in shown:
        figures.show({"llm/own": seen})
        assert state(metrics) == expected
    assert [changes(metrics, to) for to in ("open", "half-open", "closed")] == [1, 1, 1]
    assert REGISTRY.get_sample_value("penstock_breaker_state", LABELS) is None


def test_a_providers_own_lapses_without_a_trial() -> None:
    metrics = Metrics()
    BreakerFigures(metrics).show({"llm/own": standing(whole=opened(left_ms=-1))})
    assert state(metrics, model="", endpoint="*") == 0


def test_nothing_is_shown_of_a_provider_that_is_gone() -> None:
    metrics = Metrics()
    figures = BreakerFigures(metrics)
    figures.show({"llm/own": standing(chat_a=opened())})
    figures.show({})
    assert state(metrics) is None
