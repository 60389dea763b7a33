"""Which workload a pod counts for."""

from typing import Any

import pytest

from tests.operator.injection.pods import env_of, injected, pod, sidecar_of


def owned(kind: str, name: str, **labels: str) -> dict[str, Any]:
    owner = {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": "u", "controller": True}
    names = {key.replace("_", "-"): value for key, value in labels.items()}
    return {"labels": names, "ownerReferences": [owner]}


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        (owned("ReplicaSet", "shop-6d4cf56db6", pod_template_hash="6d4cf56db6"), "shop"),
        (owned("ReplicaSet", "shop-abc", rollouts_pod_template_hash="abc"), "shop"),
        (owned("ReplicaSet", "shop-6d4cf56db6"), "shop-6d4cf56db6"),
        (owned("ReplicaSet", "shop", pod_template_hash="shop"), "shop"),
        (owned("ReplicaSet", "-abc", pod_template_hash="abc"), "-abc"),
        (owned("Job", "report-29384756"), "report"),
        (owned("Job", "report-1763740800"), "report"),
        (owned("Job", "report-20240101"), "report-20240101"),
        (owned("Job", "report-4102444800"), "report-4102444800"),
        (owned("Job", "report-2938475"), "report-2938475"),
        (owned("Job", "import"), "import"),
        (owned("StatefulSet", "db"), "db"),
        (owned("DaemonSet", "agent-29384756"), "agent-29384756"),
        (owned("Workflow", "train-x7"), "train-x7"),
        ({"generateName": "bare-"}, "bare"),
        ({"generateName": "", "name": "one"}, "one"),
    ],
)
def test_the_app_is_the_workload_and_not_one_of_its_generations(
    meta: dict[str, Any], expected: str
) -> None:
    assert env_of(sidecar_of(injected(pod(meta=meta))))["PENSTOCK_APP"] == expected


def test_an_owner_that_does_not_control_the_pod_does_not_count() -> None:
    meta = owned("Helper", "other")
    meta["ownerReferences"][0]["controller"] = False
    assert env_of(sidecar_of(injected(pod(meta=meta))))["PENSTOCK_APP"] == "shop"
