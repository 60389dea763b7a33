"""When requests are classified, and what the caller says himself."""

from typing import Any

import pytest

from penstock_config.classification import COMPLEXITIES, TASKS
from penstock_config.policy import Match, Policy, Rule, Target
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Ensemble, EnsembleSize, Floor, Tier, TierTimeout
from penstock_sidecar.classify import Classifier, Classify
from penstock_sidecar.classify.weights import Weighed
from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import UNCLASSIFIED, Request
from penstock_sidecar.normalise.embeddings import parse_openai_embeddings
from tests.sidecar.classify.requests import chat, parsed

TEXT = "Write a Python function that merges two sorted lists."


class Counted(Classifier):
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.times = 0

    def weigh(self, request: Request) -> Weighed:
        self.times += 1
        return Classifier.load().weigh(request)


def stage(*, always: bool) -> tuple[Classify, Counted]:
    counted = Counted()
    return Classify(counted, always), counted


def tier(name: str, **fields: Any) -> Tier:
    return Tier(id=f"shop/{name}", name=name, candidates=(), **fields)


def heeds(*tiers: Tier, rules: tuple[Rule, ...] = (), **policy: Any) -> bool:
    fields = {"tiers": ("shop/used",), **policy}
    ruling = Policy(id="shop/policy", rules=rules, **fields)
    config = SidecarConfig(
        cluster="test", namespace="shop", providers=(), tiers=tiers, policies=(ruling,)
    )
    return Classify.for_policy(config, ruling).always


def test_nothing_is_classified_where_nobody_wants_to_know() -> None:
    classify, counted = stage(always=False)
    assert classify.classification(chat(TEXT)) is UNCLASSIFIED
    assert counted.times == 0


def test_what_the_policy_heeds_is_found_for_every_request() -> None:
    classify, counted = stage(always=True)
    assert classify.classification(chat(TEXT)).task == "coding"
    assert counted.times == 1


@pytest.mark.parametrize(
    "request_",
    [
        chat(TEXT, x_penstock_debug="true"),
        chat(TEXT, x_penstock_complexity="simple"),
        chat(TEXT, model="auto:simple"),
    ],
)
def test_a_request_that_asks_for_it_is_classified_under_any_policy(request_: Request) -> None:
    assert stage(always=False)[0].classification(request_).task == "coding"


@pytest.mark.parametrize("task", TASKS)
def test_the_caller_s_task_counts(task: str) -> None:
    found = stage(always=True)[0].classification(chat("hello", x_penstock_task=task))
    assert (found.task, found.complexity) == (task, "simple")


@pytest.mark.parametrize("complexity", COMPLEXITIES)
def test_the_caller_s_complexity_counts_by_header_and_by_model(complexity: str) -> None:
    classify = stage(always=True)[0]
    by_header = classify.classification(chat("hello", x_penstock_complexity=complexity))
    by_model = classify.classification(chat("hello", model=f"auto:{complexity}"))
    assert by_header == by_model
    assert (by_header.task, by_header.complexity) == ("chat", complexity)


def test_a_header_counts_before_the_model_s_name() -> None:
    request = chat("hello", model="auto:simple", x_penstock_complexity="expert")
    assert stage(always=True)[0].classification(request).complexity == "expert"


def test_who_says_both_is_believed_and_nothing_is_looked_at() -> None:
    classify, counted = stage(always=True)
    request = chat(TEXT, x_penstock_task=" Creative ", x_penstock_complexity="EXPERT")
    found = classify.classification(request)
    assert (found.task, found.complexity, found.confidence) == ("creative", "expert", 1.0)
    assert counted.times == 0


@pytest.mark.parametrize(
    ("name", "words"), [("x-penstock-task", TASKS), ("x-penstock-complexity", COMPLEXITIES)]
)
@pytest.mark.parametrize("value", ["hard", "", "simple,complex"])
def test_a_word_that_is_none_is_refused_with_those_that_are(
    name: str, words: tuple[str, ...], value: str
) -> None:
    with pytest.raises(MalformedRequest) as caught:
        stage(always=False)[0].classification(chat(TEXT, **{name: value}))
    assert caught.value.public == f"header {name} must be one of {', '.join(words)}"
    assert caught.value.param == name


def test_a_model_that_is_called_like_automatic_ones_says_nothing() -> None:
    assert stage(always=False)[0].classification(chat(TEXT, model="auto:7b")) is UNCLASSIFIED


def test_what_is_embedded_is_not_classified() -> None:
    classify, counted = stage(always=True)
    document = {"model": "small", "input": TEXT}
    found = classify.classification(parsed(parse_openai_embeddings, document))
    assert (found.task, found.complexity, found.confidence) == ("chat", "medium", 0.0)
    assert counted.times == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"strategy": "Adaptive"},
        {"floors": (Floor(complexity="expert", min_quality=90),)},
        {"timeouts": (TierTimeout(complexity="simple", seconds=30),)},
        {"ensemble": Ensemble(sizes=(EnsembleSize(complexity="expert", min=2, max=3),))},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_tier_that_the_policy_may_use_makes_it_wanted(fields: dict[str, Any]) -> None:
    assert heeds(tier("used", **fields))
    assert heeds(tier("used"), tier("last", **fields), downgrade_tiers=("shop/last",))
    assert not heeds(tier("used"), tier("other", **fields))


@pytest.mark.parametrize("match", [Match(tasks=("coding",)), Match(complexity=("simple",))])
def test_a_rule_that_asks_for_it_makes_it_wanted(match: Match) -> None:
    target = Target(tier="shop/used")
    assert heeds(tier("used"), rules=(Rule(name="r", match=match, target=target),))
    plain = Rule(name="plain", match=Match(models=("gpt-*",)), target=target)
    assert not heeds(tier("used"), rules=(plain,))
