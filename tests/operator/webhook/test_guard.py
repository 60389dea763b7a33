"""What the operator's account may change on a pod."""

from copy import deepcopy
from typing import Any

import pytest

from penstock_operator.webhook.guard import MAX_FIELDS, Guard
from penstock_operator.webhook.review import Verdict

ACCOUNT = "system:serviceaccount:penstock-system:penstock-operator"
POD: dict[str, Any] = {
    "metadata": {
        "name": "a",
        "labels": {"app.kubernetes.io/name": "a"},
        "annotations": {"example.com/theirs": "x"},
        "managedFields": [{"manager": "kubectl"}],
    },
    "spec": {"containers": [{"name": "app", "image": "hush:1"}, {"name": "penstock"}]},
}


def pod(**annotations: str) -> dict[str, Any]:
    found = deepcopy(POD)
    found["metadata"]["annotations"] |= annotations
    return found


def ask(changed: Any, former: Any = POD, user: str = ACCOUNT, operation: str = "UPDATE") -> Verdict:
    request = {
        "uid": "u",
        "operation": operation,
        "userInfo": {"username": user},
        "object": changed,
        "oldObject": former,
    }
    return Guard(ACCOUNT)(request)


def test_our_annotation_may_be_added_changed_and_removed() -> None:
    bare, first, second = pod(), pod(**{"penstock.dev/config": "1"}), pod()
    second["metadata"]["annotations"]["penstock.dev/config"] = "2"
    for former, changed in ((bare, first), (first, second), (second, bare)):
        assert ask(changed, former) == Verdict("allowed")


def test_the_first_annotation_of_a_pod_may_be_ours() -> None:
    bare = pod()
    del bare["metadata"]["annotations"]
    changed = deepcopy(bare) | {}
    changed["metadata"]["annotations"] = {"penstock.dev/config": "1"}
    assert ask(changed, bare) == Verdict("allowed")
    assert ask(bare, changed) == Verdict("allowed")


def test_the_servers_notes_on_who_changed_what_are_no_change() -> None:
    changed = pod()
    changed["metadata"]["managedFields"] = [{"manager": "penstock-operator"}]
    assert ask(changed) == Verdict("allowed")


def label(changed: dict[str, Any]) -> None:
    changed["metadata"]["labels"]["app.kubernetes.io/name"] = "hush"


def annotation(changed: dict[str, Any]) -> None:
    changed["metadata"]["annotations"]["example.com/ours"] = "hush"


def image(changed: dict[str, Any]) -> None:
    changed["spec"]["containers"][0]["image"] = "hush:2"


def container(changed: dict[str, Any]) -> None:
    changed["spec"]["containers"].append({"name": "hush"})


def finalizer(changed: dict[str, Any]) -> None:
    changed["metadata"]["finalizers"] = ["example.com/hush"]


def status(changed: dict[str, Any]) -> None:
    changed["status"] = {"phase": "hush"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (label, "metadata.labels[app.kubernetes.io/name]"),
        (annotation, "metadata.annotations[example.com/ours]"),
        (image, "spec.containers[0].image"),
        (container, "spec.containers"),
        (finalizer, "metadata.finalizers"),
        (status, "status"),
    ],
)
def test_whatever_else_is_changed_is_denied_by_its_name_and_not_its_value(
    change: Any, field: str
) -> None:
    changed = pod(**{"penstock.dev/config": "1"})
    change(changed)
    verdict = ask(changed)
    assert verdict.result == "denied"
    assert verdict.message.endswith(f"penstock.dev/config alone, not {field}")
    assert "hush" not in verdict.message
    assert verdict.answer("u")["response"]["status"]["reason"] == "Forbidden"


def test_many_changes_are_named_up_to_a_bound() -> None:
    changed = pod()
    changed["metadata"]["labels"] = {f"label-{n}": "x" for n in range(MAX_FIELDS + 3)}
    assert ask(changed).message.endswith("and 4 more"), "the former label is gone too"


def test_others_are_not_looked_at() -> None:
    changed = pod()
    image(changed)
    assert ask(changed, user="system:serviceaccount:kube-system:operator") == Verdict("allowed")
    assert ask(changed, user="") == Verdict("allowed")


def test_without_an_account_nobody_is_looked_at() -> None:
    changed = pod()
    image(changed)
    request = {"operation": "UPDATE", "userInfo": {"username": ""}, "object": changed}
    assert Guard("")({**request, "oldObject": POD}) == Verdict("allowed")


@pytest.mark.parametrize("missing", ["object", "oldObject"])
def test_what_cannot_be_compared_is_denied(missing: str) -> None:
    request: dict[str, Any] = {"operation": "UPDATE", "userInfo": {"username": ACCOUNT}}
    request |= {"object": POD, "oldObject": POD} | {missing: None}
    assert Guard(ACCOUNT)(request).result == "denied"


@pytest.mark.parametrize("annotations", [["penstock.dev/config"], "text", 1])
def test_annotations_of_another_kind_are_no_way_round(annotations: Any) -> None:
    changed = pod()
    changed["metadata"]["annotations"] = annotations
    assert ask(changed).result == "denied"
