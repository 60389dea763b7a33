"""Who made a pod, out of what it says of its owners."""

import pytest

from penstock_operator.delivery.owner import Owner, controller_of


def reference(**fields: object) -> dict[str, object]:
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "web-1",
        "uid": "uid-1",
        "controller": True,
        **fields,
    }


def test_the_owner_is_the_controller_in_the_requests_namespace() -> None:
    other = reference(kind="ConfigMap", controller=False)
    pod = {"metadata": {"ownerReferences": [other, reference()]}}
    assert controller_of(pod, "team") == Owner("apps/v1", "ReplicaSet", "team", "web-1", "uid-1")


@pytest.mark.parametrize(
    "references",
    [
        None,
        [],
        "text",
        [None],
        [reference(controller=None)],
        [reference(controller="true")],
        [reference(uid="")],
    ],
)
def test_a_pod_without_a_controller_has_no_owner(references: object) -> None:
    assert controller_of({"metadata": {"ownerReferences": references}}, "team") is None
    assert controller_of({}, "team") is None
