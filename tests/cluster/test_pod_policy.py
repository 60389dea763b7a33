"""The chart's ValidatingAdmissionPolicy: its CEL, run by the code of a current API server.

No server with such policies is at hand. What is run: each expression, as a transition rule on an
object shaped like a Pod, by the same CEL libraries. What is not: that the API server calls the
policy for an update of a Pod by the account. The injector's guard, which older servers ask, must
say the same of every case.
"""

import asyncio
import copy
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from penstock_operator.webhook.guard import Guard
from tests.chart.rendering import NONE, OWN, named, program, render
from tests.cluster.cel_server import CRDS, Server, connected

ACCOUNT: Final = f"system:serviceaccount:{OWN}:penstock-operator"
Document = dict[str, Any]
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


def policy() -> Document:
    if program() is None:
        pytest.skip(NONE)
    spec: Document = named(render({}), "ValidatingAdmissionPolicy", "penstock-operator-pods")[
        "spec"
    ]
    return spec


def as_transition(expression: str, variables: dict[str, str]) -> str:
    """The policy's expression as a CRD has it."""
    for name, text in variables.items():
        expression = expression.replace(f"variables.{name}", f"({text})")
    expression = re.sub(r"\boldObject\b", "oldSelf", expression)
    return re.sub(r"\bobject\b", "self", expression)


def rules() -> Iterator[Document]:
    found = policy()
    variables = {each["name"]: each["expression"] for each in found["variables"]}
    for each in found["validations"]:
        rule = as_transition(each["expression"], variables)
        yield {"rule": rule, "message": each["message"]}


STRING: Final = {"type": "string", "maxLength": 64}
STRINGS: Final = {"type": "object", "additionalProperties": STRING, "maxProperties": 8}


def of(**properties: Any) -> Document:
    return {"type": "object", "properties": properties}


def items(schema: Document) -> Document:
    return {"type": "array", "maxItems": 8, "items": schema}


def shape() -> Document:
    """As much of a Pod as the cases change; bounded, for the CRD's sake."""
    owner = of(kind=STRING, name=STRING, uid=STRING)
    metadata = of(
        name=STRING,
        annotations=STRINGS,
        labels=STRINGS,
        finalizers=items(STRING),
        ownerReferences=items(owner),
    )
    spec = of(
        containers=items(of(name=STRING, image=STRING)),
        tolerations=items(of(key=STRING, operator=STRING)),
        activeDeadlineSeconds={"type": "integer"},
    )
    return of(metadata=metadata, spec=spec) | {"x-kubernetes-validations": [*rules()]}


def definition(group: str) -> Document:
    names = {"kind": "Change", "listKind": "ChangeList", "plural": "changes", "singular": "change"}
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": of(spec=of(pod=shape()))},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"changes.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


@pytest.fixture(scope="module")
def group(crds_kubeconfig: Path) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex[:8]}.policies.penstock.dev"

    async def install() -> None:
        async with asyncio.timeout(60), connected(crds_kubeconfig, name) as server:
            status, answer = await server.call("POST", CRDS, definition(name))
            assert status == HTTPStatus.CREATED, answer
            while (await server.call("GET", server.path("changes")))[0] != HTTPStatus.OK:
                pass

    async def remove() -> None:
        async with connected(crds_kubeconfig, name) as server:
            await server.call("DELETE", f"{CRDS}/changes.{name}")

    asyncio.run(install())
    yield name
    asyncio.run(remove())


@pytest_asyncio.fixture
async def server(crds_kubeconfig: Path, group: str) -> AsyncIterator[Server]:
    async with connected(crds_kubeconfig, group) as found:
        yield found


@pytest.mark.crds
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_the_policy_lets_the_operator_touch_and_nothing_else(
    server: Server, case: Case
) -> None:
    name = f"c{uuid.uuid4().hex[:8]}"
    document = {
        "apiVersion": f"{server.group}/v1alpha1",
        "kind": "Change",
        "metadata": {"name": name},
        "spec": {"pod": case.former},
    }
    status, made = await server.call("POST", server.path("changes"), document)
    assert status == HTTPStatus.CREATED, made
    changed = made | {"spec": {"pod": case.present}}
    status, answer = await server.call("PUT", f"{server.path('changes')}/{name}", changed)
    if not case.refused:
        assert status == HTTPStatus.OK, answer
        return
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY, answer
    (cause,) = answer["details"]["causes"]
    assert case.refused in cause["message"], cause


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
    found = policy()
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
