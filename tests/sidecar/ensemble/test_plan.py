"""Which requests several models answer."""

from typing import Any

import pytest

from penstock_config.classification import COMPLEXITIES
from penstock_config.policy import Policy
from penstock_config.provider import Model, Provider
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Ensemble, EnsembleSize, Judge, Tier, TierTimeout
from penstock_sidecar.ensemble import Ensembles, GpuMemory
from penstock_sidecar.ensemble.plan import comparable
from penstock_sidecar.model import Request
from tests.sidecar.routing.builders import model, provider
from tests.sidecar.routing.builders import request as asked

TARGET = "tier:shop/panel"


def size(complexity: Any, least: int, most: int) -> EnsembleSize:
    return EnsembleSize(complexity=complexity, min=least, max=most)


def config(
    *sizes: EnsembleSize, timeouts: tuple[TierTimeout, ...] = (), **ensemble: Any
) -> SidecarConfig:
    vectors: Model = model("vectors", capabilities=("embeddings",))
    cloud: Provider = provider("cloud", "one", "two", vectors)
    tier = Tier(
        id="shop/panel",
        name="panel",
        candidates=tuple(
            Candidate(provider=cloud.id, model=name) for name in ("one", "two", "vectors")
        ),
        timeouts=timeouts,
        ensemble=Ensemble(sizes=sizes, **ensemble),
    )
    ruling = Policy(id="shop/main", tiers=(tier.id,))
    return SidecarConfig(
        cluster="test", namespace="shop", providers=(cloud,), tiers=(tier,), policies=(ruling,)
    )


def ensembles(settings: SidecarConfig) -> Ensembles:
    return Ensembles(settings, settings.policies[0], GpuMemory(), None)


def request(**changes: Any) -> Request:
    defaults: dict[str, Any] = {
        "call_id": "call",
        "model": "panel",
        "stream": False,
        "usage_wanted": False,
        "body": b"",
        "document": {},
        "headers": {},
    }
    return Request(**{**defaults, **changes})


def test_only_what_is_listed_with_more_than_one_has_a_plan() -> None:
    found = ensembles(config(size("medium", 2, 3), size("complex", 1, 1)))
    plans = {each: found.plan(TARGET, request(), each) for each in COMPLEXITIES}
    assert [each for each, plan in plans.items() if plan] == ["medium"]
    assert found.plan("model:one", request(), "medium") is None
    assert found.plan("tier:shop/other", request(), "medium") is None


@pytest.mark.parametrize(
    ("changes", "makes_sense"),
    [
        ({}, True),
        ({"stream": True}, True),
        ({"images": 2}, True),
        ({"json": True}, True),
        ({"api": "anthropic-messages"}, True),
        ({"tools": True}, False),
        ({"choices": 2}, False),
        ({"document": {"modalities": ["text", "audio"]}}, False),
        ({"document": {"modalities": ["text"]}}, True),
        ({"api": "openai-embeddings"}, False),
        ({"api": "ollama-embed"}, False),
        ({"api": "anthropic-count-tokens"}, False),
    ],
)
def test_consensus_is_for_requests_that_one_text_answers(
    changes: dict[str, Any], makes_sense: bool
) -> None:
    assert comparable(request(**changes)) == makes_sense
    plan = ensembles(config(size("medium", 2, 3))).plan(TARGET, request(**changes), "medium")
    assert (plan is not None) == makes_sense


def test_time_and_quorum_have_defaults() -> None:
    sizes = [size(complexity, 2, 12) for complexity in COMPLEXITIES]
    timeouts = (TierTimeout(complexity="complex", seconds=7),)
    found = ensembles(config(*sizes, timeouts=timeouts))
    plans = [found.plan(TARGET, request(), each) for each in COMPLEXITIES]
    assert [plan.seconds for plan in plans if plan] == [30, 45, 7, 120]
    assert plans[0]
    assert [plans[0].quorum(asked) for asked in (1, 2, 3, 4, 12)] == [1, 2, 2, 3, 7]


def test_a_quorum_is_never_more_than_are_asked() -> None:
    plan = ensembles(config(size("medium", 2, 9), quorum=5)).plan(TARGET, request(), "medium")
    assert plan
    assert [plan.quorum(asked) for asked in (3, 5, 9)] == [3, 5, 5]


def test_a_fifth_of_the_time_is_kept_where_answers_are_compared_by_others() -> None:
    found = {}
    for consensus in ("Majority", "Similarity"):
        settings = config(size("medium", 2, 3), consensus=consensus)
        plan = ensembles(settings).plan(TARGET, request(), "medium")
        assert plan
        found[consensus] = plan.gathered_at(100, 150)
    assert found == {"Majority": 150, "Similarity": 140}


def test_the_judge_is_known_where_he_judges() -> None:
    judge = Judge(provider="shop/cloud", model="two")
    settings = config(size("medium", 2, 3), consensus="Judge", judge=judge)
    plan = ensembles(settings).plan(TARGET, request(), "medium")
    assert plan
    assert plan.judge
    assert (plan.judge.label, plan.judge.tier_id) == ("shop/cloud/two", "shop/panel")
    nobody = ensembles(config(size("medium", 2, 3))).plan(TARGET, request(), "medium")
    assert nobody
    assert nobody.judge is None


def test_who_makes_vectors_is_known_and_who_may_get_answers() -> None:
    found = ensembles(config(size("medium", 2, 3)))
    plan = found.plan(TARGET, request(), "medium")
    assert plan
    (embedder,) = plan.embedders
    assert embedder.label == "shop/cloud/vectors"
    assert found.may_get(embedder, asked())
    stranger = embedder.provider.model_copy(update={"may_send_personal_data": False})
    assert not found.may_get(type(embedder)(stranger, embedder.model, "t", "shop/t"), asked())
