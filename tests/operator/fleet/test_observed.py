"""Deployments and pods, read from the API server's documents."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from penstock_operator.fleet.observed import (
    PLACEMENT_ANNOTATION,
    placement_text,
    pods_of,
    workload_of,
)
from tests.operator.fleet.things import deployment, group


def document(name: str = "p", status: dict[str, Any] | None = None, **meta: Any) -> dict[str, Any]:
    labels = {"penstock.dev/provider": "own", "penstock.dev/placement-group": "g"}
    return {
        "metadata": {"name": name, "namespace": "llm", "uid": f"u-{name}", "labels": labels} | meta,
        "spec": {"nodeName": "n1"},
        "status": {"phase": "Running", "podIP": "10.0.0.7"} | (status or {}),
    }


@pytest.mark.parametrize(
    "said", [group(), group("cpu", None), group("two", "n2", "a", "b", replicas=3, why="x" * 5)]
)
def test_what_was_planned_is_read_back_as_it_was(said: Any) -> None:
    found = workload_of(deployment(said))
    assert found
    assert found.group == said


def test_replicas_are_the_deployments_own() -> None:
    found = workload_of(deployment(group(), spec={"replicas": 5}))
    assert found
    assert found.group == replace(group(), replicas=5)
    assert placement_text(group()) == placement_text(group(replicas=9))


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"node": 7}'])
def test_one_that_somebody_rewrote_is_there_without_models(text: str | None) -> None:
    body = deployment(group())
    body["metadata"]["annotations"] = {} if text is None else {PLACEMENT_ANNOTATION: text}
    found = workload_of(body)
    assert found
    assert (found.group.name, found.group.models) == ("g", ())


def test_others_and_those_that_go_are_none() -> None:
    other, going = deployment(group()), deployment(group())
    other["metadata"]["labels"] = {}
    going["metadata"]["deletionTimestamp"] = "2026-11-22T00:00:00Z"
    assert workload_of(other) is None
    assert workload_of(going) is None


def test_why_no_pod_can_be_made_is_read() -> None:
    refused = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota"}
    found = workload_of(deployment(group(), status={"conditions": [refused]}))
    assert found
    assert found.refused == "exceeded quota"


def test_a_pod_is_ready_while_its_kubelet_says_so_and_nobody_deleted_it() -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    there, going, coming = pods_of(
        [
            document("b", ready, deletionTimestamp="2026-11-22T00:00:00Z"),
            document("a", ready),
            document("c", {"podIP": ""}),
        ]
    )
    assert (there.ready, there.leaving, there.address) == (True, False, "10.0.0.7")
    assert (going.ready, going.leaving) == (False, True)
    assert (coming.ready, coming.address) == (False, None)
    assert (there.provider, there.group, there.node) == ("llm/own", "g", "n1")


def test_pods_that_are_over_or_of_others_are_left_out() -> None:
    foreign = document("x", labels={})
    assert pods_of([document(status={"phase": "Failed"}), foreign]) == ()


def test_the_schedulers_words_are_kept() -> None:
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/5 nodes are available",
        "lastTransitionTime": "2026-11-22T00:00:00Z",
    }
    (found,) = pods_of([document(status={"phase": "Pending", "conditions": [condition]})])
    assert found.unschedulable == "0/5 nodes are available"
    assert found.unschedulable_since == datetime(2026, 11, 22, tzinfo=UTC)
    (gated,) = pods_of(
        [document(status={"conditions": [condition | {"reason": "SchedulingGated"}]})]
    )
    assert (gated.unschedulable, gated.unschedulable_since) == ("", None)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"waiting": {"reason": "ContainerCreating"}}, ""),
        ({"running": {}}, ""),
        (
            {"waiting": {"reason": "ErrImagePull", "message": "no such image"}},
            "container ollama: ErrImagePull: no such image",
        ),
        ({"waiting": {"reason": "CrashLoopBackOff"}}, "container ollama: CrashLoopBackOff"),
    ],
)
def test_why_a_container_does_not_run_is_read(state: dict[str, Any], said: str) -> None:
    statuses = [{"name": "loader", "state": {"running": {}}}, {"name": "ollama", "state": state}]
    (found,) = pods_of([document(status={"containerStatuses": statuses})])
    assert found.fault == said
