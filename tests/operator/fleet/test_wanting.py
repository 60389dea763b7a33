"""How much is wanted, from round to round and from leader to leader."""

from datetime import timedelta
from typing import Any

import pytest

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.fleet.wanting import Moment, Wanting
from tests.operator.compile.documents import provider
from tests.operator.fleet.things import AT, group

ZERO = {"min": 0, "max": 4, "scaleToZeroAfterSeconds": 300, "cooldownSeconds": 0}


def managed(*, suspended: bool = False, **ollama: Any) -> LLMProvider:
    spec = {"models": [{"name": "m"}], "gpu": {}} | ollama
    return provider(ollama=spec, baseURL=None, suspended=suspended)


def at(seconds: float) -> Moment:
    return Moment(1000 + seconds, AT + timedelta(seconds=seconds))


def begun(of: LLMProvider, status: dict[str, Any], *there: Any) -> Wanting:
    wanting = Wanting()
    assert of.spec.ollama
    wanting.begin(of.spec.ollama, status, {each.name: each for each in there}, at(0))
    return wanting


def ask(wanting: Wanting, of: LLMProvider, now: Moment, in_flight: int | None = 0) -> int:
    requests = None if in_flight is None else {"m": in_flight, "other": 99}
    return wanting.ask(of, requests, {}, now, starting=False)


def test_a_new_leader_goes_on_from_what_the_status_says() -> None:
    own = managed(autoscaling=ZERO)
    status = {"replicas": 3, "lastRequestTime": "2026-11-21T23:58:20Z"}  # 100 s ago
    wanting = begun(own, status, group(replicas=1))
    assert wanting.scale
    assert (wanting.scale.replicas, wanting.scale.busy_at) == (3, 900)
    assert ask(wanting, own, at(199)) == 1
    assert ask(wanting, own, at(200)) == 0
    assert own.spec.ollama
    assert wanting.last_request(own.spec.ollama, at(200)) == AT - timedelta(seconds=100)


def test_without_a_status_what_there_is_counts() -> None:
    models = [{"name": "m"}, {"name": "n"}]
    own = managed(autoscaling=ZERO, models=models)
    wanting = begun(own, {}, group("a", "x", "m", replicas=3), group("b", "y", "n", replicas=2))
    assert wanting.scale
    assert wanting.scale.replicas == 2
    assert begun(own, {}).scale is not None
    assert ask(begun(own, {}), own, at(0)) == 0


def test_requests_for_models_that_are_not_its_own_are_none() -> None:
    own = managed(autoscaling=ZERO)
    wanting = begun(own, {})
    assert ask(wanting, own, at(1)) == 0
    assert ask(wanting, own, at(2), 9) == 3
    assert wanting.rounded() == {"m": 0.03}


@pytest.mark.parametrize(("run", "asked"), [("m", "m:latest"), ("m:latest", "m")])
def test_a_model_without_a_tag_is_its_latest(run: str, asked: str) -> None:
    own = managed(autoscaling=ZERO, models=[{"name": run}])
    wanting = begun(own, {})
    assert wanting.ask(own, {}, {asked: 1}, at(1), starting=False) == 1
    assert wanting.ask(own, {asked: 5, run: 4}, {}, at(2), starting=False) == 3
    assert wanting.rounded() == {run: 0.03}


def test_nobody_knows_what_is_asked_for_without_redis() -> None:
    own = managed(autoscaling=ZERO)
    wanting = begun(own, {"replicas": 2})
    assert ask(wanting, own, at(10_000), None) == 2


def test_what_is_suspended_is_not_wanted_and_comes_back_as_it_was() -> None:
    own = managed(replicas=2)
    wanting = begun(own, {})
    assert ask(wanting, managed(replicas=2, suspended=True), at(1)) == 0
    assert ask(wanting, own, at(2)) == 2


def test_the_time_of_the_last_request_is_said_where_it_matters() -> None:
    own = managed(replicas=2)
    assert own.spec.ollama
    assert begun(own, {}).last_request(own.spec.ollama, at(0)) is None
