"""The fleet's part of a status, and what is news in it."""

from datetime import timedelta
from typing import Any

import pytest

from penstock_operator.api.provider_status import LLMProviderStatus
from penstock_operator.fleet.observed import Told
from penstock_operator.fleet.page import (
    REQUEST_TIME_SECONDS,
    is_urgent,
    last_request_in,
    news_of,
    own_part,
    status_of,
    wanted_in,
    with_dropped,
)
from penstock_operator.ollama.planner.types import Unplaced
from tests.operator.fleet.things import (
    AT,
    GIB,
    facts,
    group,
    model,
    ollama,
    pod,
    told,
)

LATER = AT + timedelta(seconds=60)
GOOD = status_of(facts(), {}, AT)
LACKING = Unplaced("llm/own", ("m",), 1, "InsufficientVRAM", "needs 9 GiB, the best has 8")


def verdict(document: dict[str, Any], type_: str) -> tuple[str, str]:
    (found,) = [each for each in document["conditions"] if each["type"] == type_]
    return found["status"], found["reason"]


def message(document: dict[str, Any], type_: str) -> str:
    (found,) = [each for each in document["conditions"] if each["type"] == type_]
    text: str = found["message"]
    return text


def test_all_is_well() -> None:
    assert verdict(GOOD, "Scheduled") == ("True", "Placed")
    assert verdict(GOOD, "ModelsReady") == ("True", "Serving")
    assert verdict(GOOD, "FullyOnGPU") == ("True", "OnGpu")
    assert GOOD["placement"] == [
        {
            "group": "g",
            "node": "n1",
            "models": ["m"],
            "loaded": ["m"],
            "replicas": 1,
            "readyReplicas": 1,
            "requiredMiB": 3000,
            "message": "it fits there",
        }
    ]
    assert GOOD["loading"] == [
        {
            "name": "m",
            "state": "Ready",
            "loaded": 1,
            "requiredMiB": 3000,
            "source": "formula",
            "vramMiB": 2048,
        }
    ]
    assert (GOOD["replicas"], GOOD["readyReplicas"]) == (1, 1)


def test_the_definition_takes_all_that_is_said() -> None:
    pulling = told(model(state="Pulling", completed_bytes=1, total_bytes=3))
    failed = told(model(state="Failed", message="x" * 500))
    for each in (
        facts(),
        facts(pods=(pulling,), last_request=AT),
        facts(pods=(failed,), unplaced=(LACKING,), groups=()),
    ):
        document = status_of(each, {}, AT)
        parsed = LLMProviderStatus.model_validate(document)
        dumped = parsed.model_dump(by_alias=True, mode="json", exclude_unset=True)
        assert dumped.keys() == document.keys()


@pytest.mark.parametrize(
    ("fields", "type_", "said", "words"),
    [
        ({"unplaced": (LACKING,)}, "Scheduled", ("False", "InsufficientVRAM"), "needs 9 GiB"),
        ({"unknown": {"m": "is unknown"}}, "Scheduled", ("False", "MemoryUnknown"), "m is unknown"),
        (
            {"fault": ("WorkloadRefused", "quota")},
            "Scheduled",
            ("False", "WorkloadRefused"),
            "quota",
        ),
        (
            {"pods": (Told(pod(ready=False, unschedulable="0/3 nodes")),)},
            "Scheduled",
            ("False", "Unschedulable"),
            "0/3 nodes",
        ),
        (
            {"wanted": 0, "groups": (), "pods": (), "suspended": True},
            "Scheduled",
            ("True", "NothingWanted"),
            "suspended",
        ),
        (
            {"wanted": 0, "pods": ()},
            "ModelsReady",
            ("False", "NoReplica"),
            "spec.ollama.replicas",
        ),
        (
            {
                "wanted": 0,
                "pods": (),
                "ollama": ollama(autoscaling={"min": 0, "max": 2}),
            },
            "ModelsReady",
            ("False", "NoReplica"),
            "the first request brings one",
        ),
        ({"pods": ()}, "ModelsReady", ("False", "Starting"), "starting"),
        (
            {"pods": (told(model(state="Pulling", completed_bytes=43, total_bytes=100)),)},
            "ModelsReady",
            ("False", "Pulling"),
            "Pulling m, 43 %.",
        ),
        ({"pods": (told(model(state="Creating")),)}, "ModelsReady", ("False", "Creating"), "m"),
        ({"pods": (told(model(state="Loading")),)}, "ModelsReady", ("False", "Loading"), "m"),
        (
            {"pods": (told(model(state="Failed", message="pull model manifest: no such file")),)},
            "ModelsReady",
            ("False", "PullFailed"),
            "m: pull model manifest: no such file",
        ),
        (
            {"pods": (Told(pod(ready=False, fault="container ollama: ErrImagePull")),)},
            "ModelsReady",
            ("False", "PodFailing"),
            "p: container ollama: ErrImagePull",
        ),
        (
            {"pods": (told(model(size_bytes=4 * GIB, vram_bytes=3 * GIB)),)},
            "FullyOnGPU",
            ("False", "PartlyOnCpu"),
            "m: 75 % of 4096 MiB",
        ),
        ({"groups": (group("g", None),)}, "FullyOnGPU", ("False", "OnCpu"), "cpuFallback"),
        (
            {"pods": (told(model(state="Idle")),)},
            "FullyOnGPU",
            ("Unknown", "NothingLoaded"),
            "No model",
        ),
    ],
)
def test_what_is_not_as_it_should_be_is_said(
    fields: dict[str, Any], type_: str, said: tuple[str, str], words: str
) -> None:
    document = status_of(facts(**fields), {}, AT)
    assert verdict(document, type_) == said
    assert words in message(document, type_)


def test_what_a_modelfile_makes_fails_by_another_name() -> None:
    made = ollama()
    made = made.model_copy(
        update={"models": (made.models[0].model_copy(update={"source": "modelfile"}),)}
    )
    failed = told(model(state="Failed", message="no base"))
    document = status_of(facts(ollama=made, pods=(failed,)), {}, AT)
    assert verdict(document, "ModelsReady") == ("False", "CreateFailed")


def test_one_replica_that_serves_is_enough_for_its_models() -> None:
    pods = (told(), told(model(state="Pulling"), of=pod("q", ready=False)))
    document = status_of(facts(wanted=2, pods=pods), {}, AT)
    assert verdict(document, "ModelsReady") == ("True", "Serving")
    assert "1 of 2" in message(document, "ModelsReady")
    assert (document["replicas"], document["readyReplicas"]) == (2, 1)


def test_a_provider_on_cpu_has_no_word_on_gpus() -> None:
    on_cpu = ollama(gpu=None)
    document = status_of(facts(ollama=on_cpu, groups=(group("g", None),)), {}, AT)
    assert [each["type"] for each in document["conditions"]] == ["Scheduled", "ModelsReady"]
    assert "on CPU" in message(document, "Scheduled")
    assert not {"node", "requiredMiB"} & document["placement"][0].keys()


def test_it_says_since_when() -> None:
    bad = status_of(facts(unplaced=(LACKING,)), GOOD, LATER)
    since = {each["type"]: each["lastTransitionTime"] for each in bad["conditions"]}
    assert since["Scheduled"] == "2026-11-22T00:01:00Z"
    assert since["ModelsReady"] == "2026-11-22T00:00:00Z"


def test_the_same_facts_give_the_same_status() -> None:
    assert status_of(facts(), GOOD, LATER) == GOOD


def test_a_later_request_alone_changes_nothing_for_a_while() -> None:
    first = status_of(facts(last_request=AT), {}, AT)
    assert last_request_in(first) == AT
    soon = AT + timedelta(seconds=REQUEST_TIME_SECONDS - 1)
    assert status_of(facts(last_request=soon), first, soon) == first
    late = AT + timedelta(seconds=REQUEST_TIME_SECONDS)
    found = status_of(facts(last_request=late), first, late)
    assert last_request_in(found) == late
    assert not is_urgent(found, first)


@pytest.mark.parametrize("text", [None, 7, "", "yesterday"])
def test_what_is_no_time_is_not_read(text: object) -> None:
    assert last_request_in({"lastRequestTime": text}) is None
    assert wanted_in({"replicas": text if text != 7 else -1}) is None


def test_progress_is_not_urgent_and_everything_else_is() -> None:
    def pulled(share: int) -> dict[str, Any]:
        said = told(model(state="Pulling", completed_bytes=share, total_bytes=100))
        return status_of(facts(pods=(said,)), {}, AT)

    assert pulled(1) != pulled(2)
    assert not is_urgent(pulled(2), pulled(1))
    assert is_urgent(GOOD, pulled(99))
    assert is_urgent({}, GOOD)


def test_its_part_is_found_among_that_of_others() -> None:
    healthy = {"type": "Healthy", "status": "True"}
    whole = {**GOOD, "models": [], "conditions": [healthy, *GOOD["conditions"]]}
    assert own_part(whole) == GOOD
    assert own_part({"conditions": [healthy]}) == {}


def test_what_is_to_go_is_taken_first() -> None:
    """Old servers forget who owns a status when somebody replaces the object."""
    assert with_dropped({}, GOOD) == GOOD
    assert with_dropped(GOOD, {}) is None
    without = {**GOOD, "conditions": GOOD["conditions"][:2]}
    taken = with_dropped(without, GOOD)
    assert taken
    assert taken["conditions"] == GOOD["conditions"]


def test_how_many_and_where_is_news_once() -> None:
    more = status_of(facts(wanted=3, groups=(group(replicas=3),)), GOOD, LATER)
    assert [each[:3] for each in news_of(more, GOOD, LATER)] == [
        ("Normal", "Scaled", "3 replicas are wanted in place of 1.")
    ]
    assert news_of(more, more, LATER) == []
    (placed,) = news_of(GOOD, {}, AT)
    assert placed[:3] == ("Normal", "Placed", "m on node n1: it fits there")
    moved = status_of(facts(groups=(group("h", "n2"),)), GOOD, LATER)
    assert [each[1] for each in news_of(moved, GOOD, LATER)] == ["Placed"]


def test_what_is_in_the_way_is_news_once() -> None:
    bad = status_of(facts(unplaced=(LACKING,), groups=(), pods=()), GOOD, LATER)
    assert [each[:2] for each in news_of(bad, GOOD, LATER)] == [("Warning", "Unschedulable")]
    assert "needs 9 GiB" in news_of(bad, GOOD, LATER)[0][2]
    failed = facts(pods=(told(model(state="Failed", message="no such model")),))
    first = status_of(failed, GOOD, LATER)
    assert [each[:3] for each in news_of(first, GOOD, LATER)] == [
        ("Warning", "PullFailed", "m: no such model")
    ]
    assert news_of(status_of(failed, first, LATER), first, LATER) == []
    pulling = status_of(facts(pods=(told(model(state="Pulling")),)), first, LATER)
    assert news_of(pulling, first, LATER) == []
