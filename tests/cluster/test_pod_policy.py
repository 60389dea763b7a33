"""The policy on what the operator does to pods: its CEL, as `policies` runs it.

Each expression is a transition rule on an object shaped like a Pod. The injector's guard, which
older servers ask, must say the same of every case.
"""

import copy
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from penstock_operator.webhook.guard import Guard
from tests.chart.rendering import OWN, named, render
from tests.cluster.cel_server import Server, connected
from tests.cluster.policies import (
    Document,
    expressions,
    installed,
    listed,
    made,
    of,
    policy,
    refusals,
    ruled,
)

ACCOUNT: Final = f"system:serviceaccount:{OWN}:penstock-operator"
Change = Callable[[Document], object]
POD: Final[Document] = {
    "metadata": {
        "name": "app",
        "annotations": {"team": "shop"},
        "labels": {"app": "shop"},
        "finalizers": ["shop/one"],
        "ownerReferences": [{"kind": "ReplicaSet", "name": "shop", "uid": "1"}],
    },
    "spec": {
        "containers": [{"name": "app", "image": "shop:1"}],
        "tolerations": [{"key": "a", "operator": "Exists"}],
    },
}
BARE: Final[Document] = {"metadata": {"name": "app"}, "spec": POD["spec"]}


@dataclass(frozen=True)
class Case:
    name: str
    change: Change
    refused: str = ""
    before: str = "pod"

    def __str__(self) -> str:
        return self.name

    @property
    def former(self) -> Document:
        found = copy.deepcopy(BARE if self.before == "bare" else POD)
        if self.before == "touched":
            found["metadata"]["annotations"]["penstock.dev/config"] = "old"
        return found

    @property
    def present(self) -> Document:
        found = self.former
        self.change(found)
        return found


def notes(pod: Document) -> dict[str, str]:
    found: dict[str, str] = pod["metadata"].setdefault("annotations", {})
    return found


TOUCH = {"penstock.dev/config": "new"}
CASES: Final = (
    Case("touched first", lambda pod: notes(pod).update(TOUCH)),
    Case("touched again", lambda pod: notes(pod).update(TOUCH), before="touched"),
    Case("touch taken back", lambda pod: notes(pod).pop("penstock.dev/config"), before="touched"),
    Case("touched without annotations", lambda pod: notes(pod).update(TOUCH), before="bare"),
    Case("nothing changed", notes),
    Case("annotation added", lambda pod: notes(pod).update(x="y"), "annotation"),
    Case("annotation added first", lambda pod: notes(pod).update(x="y"), "annotation", "bare"),
    Case("annotation changed", lambda pod: notes(pod).update(team="other"), "annotation"),
    Case("annotation removed", lambda pod: notes(pod).pop("team"), "annotation"),
    Case("annotations removed", lambda pod: pod["metadata"].pop("annotations"), "annotation"),
    Case(
        "alike annotation",
        lambda pod: notes(pod).update({"penstock.dev/config-x": "y"}),
        "annotation",
    ),
    Case("label added", lambda pod: pod["metadata"]["labels"].update(x="y"), "labels"),
    Case("label changed", lambda pod: pod["metadata"]["labels"].update(app="y"), "labels"),
    Case("labels removed", lambda pod: pod["metadata"].pop("labels"), "labels"),
    Case("labels first", lambda pod: pod["metadata"].update(labels={"x": "y"}), "labels", "bare"),
    Case("finalizer added", lambda pod: pod["metadata"]["finalizers"].append("x/y"), "finalizers"),
    Case("finalizers removed", lambda pod: pod["metadata"].pop("finalizers"), "finalizers"),
    Case("owner removed", lambda pod: pod["metadata"].pop("ownerReferences"), "owners"),
    Case(
        "owner changed", lambda pod: pod["metadata"]["ownerReferences"][0].update(uid="2"), "owners"
    ),
    Case("image changed", lambda pod: pod["spec"]["containers"][0].update(image="evil:1"), "spec"),
    Case("container added", lambda pod: pod["spec"]["containers"].append({"name": "x"}), "spec"),
    Case("toleration added", lambda pod: pod["spec"]["tolerations"].append({"key": "b"}), "spec"),
    Case("deadline set", lambda pod: pod["spec"].update(activeDeadlineSeconds=1), "spec"),
)


def operators() -> Document:
    return policy({}, "penstock-operator-pods")


def rules() -> Iterator[Document]:
    """The policy's expressions as a CRD has them."""
    for text, message in expressions(operators()):
        rule = re.sub(r"\boldObject\b", "oldSelf", text)
        yield {"rule": re.sub(r"\bobject\b", "self", rule), "message": message}


STRING: Final = {"type": "string", "maxLength": 64}
STRINGS: Final = {"type": "object", "additionalProperties": STRING, "maxProperties": 8}


def shape() -> Document:
    """As much of a Pod as the cases change; bounded, for the CRD's sake."""
    owner = of(kind=STRING, name=STRING, uid=STRING)
    metadata = of(
        name=STRING,
        annotations=STRINGS,
        labels=STRINGS,
        finalizers=listed(STRING, 8),
        ownerReferences=listed(owner, 8),
    )
    spec = of(
        containers=listed(of(name=STRING, image=STRING), 8),
        tolerations=listed(of(key=STRING, operator=STRING), 8),
        activeDeadlineSeconds={"type": "integer"},
    )
    return ruled(of(metadata=metadata, spec=spec), rules())


@pytest.fixture(scope="module")
def group(crds_kubeconfig: Path) -> Iterator[str]:
    with installed(crds_kubeconfig, of(pod=shape())) as found:
        yield found


@pytest_asyncio.fixture
async def server(crds_kubeconfig: Path, group: str) -> AsyncIterator[Server]:
    async with connected(crds_kubeconfig, group) as found:
        yield found


@pytest.mark.crds
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_the_policy_lets_the_operator_touch_and_nothing_else(
    server: Server, case: Case
) -> None:
    status, former = await made(server, {"pod": case.former})
    assert status == HTTPStatus.CREATED, former
    changed = former | {"spec": {"pod": case.present}}
    path = f"{server.path('writes')}/{former['metadata']['name']}"
    said = refusals(await server.call("PUT", path, changed))
    if not case.refused:
        assert said == []
        return
    (only,) = said
    assert case.refused in only


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_guard_of_older_servers_says_the_same(case: Case) -> None:
    request = {
        "operation": "UPDATE",
        "userInfo": {"username": ACCOUNT},
        "object": case.present,
        "oldObject": case.former,
    }
    denied = Guard(ACCOUNT)(request).result == "denied"
    assert denied == bool(case.refused)


def test_every_rule_of_the_policy_has_a_case_that_breaks_it() -> None:
    messages = [rule["message"] for rule in rules()]
    for message in messages:
        assert any(case.refused and f" {case.refused}" in message for case in CASES), message


def test_the_policy_is_for_the_operator_alone_and_closed() -> None:
    found = operators()
    assert found["failurePolicy"] == "Fail"
    (condition,) = found["matchConditions"]
    assert condition["expression"] == f"request.userInfo.username == '{ACCOUNT}'"
    (rule,) = found["matchConstraints"]["resourceRules"]
    assert (rule["resources"], rule["operations"]) == (["pods"], ["UPDATE"])
    binding = named(render({}), "ValidatingAdmissionPolicyBinding", "penstock-operator-pods")
    assert binding["spec"] == {
        "policyName": "penstock-operator-pods",
        "validationActions": ["Deny"],
    }
