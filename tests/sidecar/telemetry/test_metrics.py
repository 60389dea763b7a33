from collections.abc import Iterator

import pytest
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from penstock_sidecar.model import Usage
from penstock_sidecar.telemetry import metrics as module
from penstock_sidecar.telemetry.metrics import Metrics
from tests.sidecar.telemetry.outcomes import outcome


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("1.2.3")


def samples(metrics: Metrics) -> dict[str, float]:
    """`name{label=value,...}` to value, as Prometheus reads the exposition; labels sorted."""

    def entries() -> Iterator[tuple[str, float]]:
        text, _ = metrics.exposition()
        for family in text_string_to_metric_families(text.decode()):
            for sample in family.samples:
                labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
                yield f"{sample.name}{{{labels}}}", sample.value

    return dict(entries())


WHO = "gen_ai_operation_name=chat,gen_ai_provider_name=team/openai,gen_ai_request_model=gpt-4o-mini"


def test_a_request_is_counted_by_what_became_of_it(metrics: Metrics) -> None:
    metrics.request_ended(outcome())
    metrics.request_ended(outcome())
    metrics.request_ended(outcome(status=502, error_type="provider_unavailable"))
    found = samples(metrics)
    counts = {k: v for k, v in found.items() if k.startswith("penstock_requests_total")}
    who = "policy=team/shop,provider=team/openai,tier=fast"
    assert counts == {
        f"penstock_requests_total{{model=gpt-4o-mini,outcome=ok,{who}}}": 2,
        f"penstock_requests_total{{model=gpt-4o-mini,outcome=provider_unavailable,{who}}}": 1,
    }


def test_tokens_go_by_open_telemetry_s_names(metrics: Metrics) -> None:
    metrics.request_ended(outcome())
    found = samples(metrics)
    assert found[f"gen_ai_client_token_usage_sum{{{WHO},gen_ai_token_type=input}}"] == 100
    assert found[f"gen_ai_client_token_usage_sum{{{WHO},gen_ai_token_type=output}}"] == 20
    duration = "gen_ai_client_operation_duration_seconds_count"
    assert found[f"{duration}{{error_type=,{WHO}}}"] == 1


def test_money_is_counted_in_dollars(metrics: Metrics) -> None:
    metrics.request_ended(outcome())
    name = "penstock_cost_usd_total{model=gpt-4o-mini,policy=team/shop,provider=team/openai}"
    assert samples(metrics)[name] == pytest.approx(0.0015)


def test_what_a_request_costs_goes_by_how_hard_it_was(metrics: Metrics) -> None:
    for cost, complexity in ((200, "simple"), (400, "simple"), (90_000, "expert")):
        metrics.request_ended(outcome(cost_micro_usd=cost, complexity=complexity))
    metrics.request_ended(outcome(cost_micro_usd=500))
    metrics.request_ended(outcome(complexity="simple", status=502, error_type="provider_down"))
    found = samples(metrics)
    series = "penstock_request_cost_usd_{}{{complexity={},model=gpt-4o-mini}}"
    assert found[series.format("count", "simple")] == 2
    assert found[series.format("sum", "simple")] == pytest.approx(0.0006)
    assert found[series.format("sum", "expert")] == pytest.approx(0.09)
    assert len([name for name in found if name.startswith("penstock_request_cost_usd_count")]) == 2


def test_only_streams_have_a_time_to_first_chunk(metrics: Metrics) -> None:
    metrics.request_ended(outcome(stream=False))
    metrics.request_ended(outcome(stream=True))
    name = f"gen_ai_client_operation_time_to_first_chunk_seconds_count{{{WHO}}}"
    assert samples(metrics)[name] == 1


def test_a_hit_saves_money_and_uses_no_tokens(metrics: Metrics) -> None:
    metrics.request_ended(outcome(cache="miss", usage=None))
    usage = Usage(input_tokens=100, output_tokens=20)
    hit = outcome(cache="hit-exact", usage=usage, cost_micro_usd=0, saved_micro_usd=2_000_000)
    metrics.request_ended(hit)
    found = samples(metrics)
    assert found["penstock_cache_hits_total{level=exact,policy=team/shop}"] == 1
    assert found["penstock_cache_misses_total{policy=team/shop}"] == 1
    assert found["penstock_cost_saved_usd_total{model=gpt-4o-mini,policy=team/shop}"] == 2
    assert found[f"gen_ai_client_token_usage_count{{{WHO},gen_ai_token_type=input}}"] == 0


def test_denials_retries_and_fallbacks_are_counted(metrics: Metrics) -> None:
    metrics.request_ended(outcome(error_type="policy_rate_limited", retries=2, fallbacks=1))
    found = samples(metrics)
    denial = "penstock_limit_denials_total{policy=team/shop,reason=policy_rate_limited}"
    assert found[denial] == 1
    assert found["penstock_retries_total{policy=team/shop}"] == 2
    assert found["penstock_fallbacks_total{policy=team/shop}"] == 1


def test_errors_are_counted_by_whose_they_are(metrics: Metrics) -> None:
    metrics.error_answered("caller_too_large")
    assert samples(metrics)["penstock_request_errors_total{error_type=caller_too_large}"] == 1


def test_only_the_present_configuration_is_shown(metrics: Metrics) -> None:
    metrics.configuration_loaded("a", "b")
    metrics.configuration_loaded("c", "b")
    metrics.configuration_rejected()
    found = samples(metrics)
    assert found["penstock_config_info{config_digest=c,credentials_digest=b}"] == 1
    assert "penstock_config_info{config_digest=a,credentials_digest=b}" not in found
    assert found["penstock_config_reload_failures_total{}"] == 1


def test_gauges_are_read_at_the_scrape(metrics: Metrics) -> None:
    state = {"in_flight": 1.0}
    metrics.watch_in_flight(lambda: state["in_flight"])
    metrics.watch_redis(lambda: False)
    state["in_flight"] = 7
    found = samples(metrics)
    assert found["penstock_in_flight_requests{}"] == 7
    assert found["penstock_redis_available{}"] == 0
    assert found["penstock_build_info{version=1.2.3}"] == 1


def test_label_values_are_bounded(metrics: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COMBINATIONS", 2)
    for number in range(10):
        metrics.request_ended(outcome(model=f"made-up-{number}"))
    counts = {k: v for k, v in samples(metrics).items() if k.startswith("penstock_requests_total")}
    assert len(counts) == 3
    assert sum(counts.values()) == 10
    assert [v for k, v in counts.items() if "model=other" in k] == [8]


def test_the_global_registry_stays_untouched(metrics: Metrics) -> None:
    metrics.request_ended(outcome())
    assert "penstock" not in str(list(REGISTRY.collect()))


def test_embeddings_are_an_operation_of_their_own_that_generates_nothing(metrics: Metrics) -> None:
    metrics.request_ended(outcome(api="openai-embeddings", usage=Usage(70, 0)))
    metrics.request_ended(outcome(api="ollama-embed", usage=Usage(30, 0)))
    found = samples(metrics)
    who = WHO.replace("=chat", "=embeddings")
    assert found[f"gen_ai_client_token_usage_sum{{{who},gen_ai_token_type=input}}"] == 100
    assert found[f"gen_ai_client_token_usage_count{{{who},gen_ai_token_type=output}}"] == 0
    assert found[f"gen_ai_client_operation_duration_seconds_count{{error_type=,{who}}}"] == 2
    assert not any("=chat" in name for name in found)


def test_requests_that_found_another_one_asking_are_counted(metrics: Metrics) -> None:
    """Not those that found nobody: they are misses."""
    for flight in ("", "led", "followed", "followed", "took-over", "alone"):
        metrics.request_ended(outcome(flight=flight))
    found = samples(metrics)
    counts = {k: v for k, v in found.items() if k.startswith("penstock_cache_flights_total")}
    assert counts == {
        "penstock_cache_flights_total{policy=team/shop,result=followed}": 2,
        "penstock_cache_flights_total{policy=team/shop,result=took-over}": 1,
        "penstock_cache_flights_total{policy=team/shop,result=alone}": 1,
    }
