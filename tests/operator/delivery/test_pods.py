"""What is kept of a pod's body."""

from typing import Any

from penstock_operator.api.names import MARK_ANNOTATION
from penstock_operator.delivery.owner import Owner
from penstock_operator.delivery.pods import is_finished, is_static, seen_pod


def body(*containers: str, native: tuple[str, ...] = (), **meta: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "namespace": "shop", "uid": "uid-p", **meta},
        "spec": {
            "containers": [{"name": name} for name in ("app", *containers)],
            "initContainers": [{"name": name} for name in native],
        },
    }


def test_a_sidecar_is_one_wherever_it_is() -> None:
    assert seen_pod(body("penstock")).missed_by is None
    assert seen_pod(body(native=("penstock",))).missed_by is None


def test_a_pod_without_one_names_who_made_it() -> None:
    reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u"}
    other = {**reference, "name": "somebody"}
    owned = body(ownerReferences=[other, {**reference, "controller": True}])
    assert seen_pod(owned).missed_by == Owner("apps/v1", "ReplicaSet", "shop", "web", "u")
    bare = body(ownerReferences=[other])
    assert seen_pod(bare).missed_by == Owner("v1", "Pod", "shop", "p", "uid-p")


def test_labels_mark_and_leaving_are_kept() -> None:
    found = seen_pod(
        body(
            "penstock",
            labels={"app": "a"},
            annotations={MARK_ANNOTATION: "m"},
            deletionTimestamp="2026-01-01T00:00:00Z",
        )
    )
    assert (found.labels, found.mark, found.leaving) == ({"app": "a"}, "m", True)


def test_equal_labels_of_many_pods_are_one_text() -> None:
    one, other = (seen_pod(body(labels={"app": "".join(["a", "b"])})) for _ in range(2))
    assert one.labels["app"] is other.labels["app"]


def test_a_pod_that_ended_and_a_static_one_are_told_apart() -> None:
    assert [is_finished({"status": {"phase": p}}) for p in ("Succeeded", "Failed")] == [True] * 2
    assert not is_finished(body())
    assert is_static(body(annotations={"kubernetes.io/config.mirror": "hash"}))
    assert not is_static(body())
