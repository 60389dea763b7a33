"""The node agents' ValidatingAdmissionPolicy: its CEL, run by the code of a current API server.

As in `test_pod_policy.py`, each expression is run as a rule on an object, here one that is shaped
like what a policy is given: the request, and the ConfigMap.
"""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from penstock_operator.ollama.names import gpu_inventory_name
from tests.chart.rendering import NONE, VARIANTS, named, program, render
from tests.cluster.cel_server import CRDS, Server, connected

Document = dict[str, Any]
NODE_KEY: Final = "authentication.kubernetes.io/node-name"
NODE: Final = "ip-10-0-0-1.eu-west-1.compute.internal"
LONG: Final = ".".join(["a" * 60] * 4)
"""243 characters: the ConfigMap's name would have 257."""
NO_INVENTORY: Final = "no ConfigMap but penstock-gpus-<node>"
ANOTHER_NODE: Final = "of its own node alone"


@dataclass(frozen=True)
class Case:
    """A write by an agent whose token names a node, or none."""

    sentence: str
    writes: str
    node: str | None = NODE
    refused: str = ""

    def __str__(self) -> str:
        return self.sentence

    @property
    def request(self) -> Document:
        user: Document = {"username": "agent"}
        if self.node is not None:
            user["extra"] = {NODE_KEY: [self.node], "other": ["x"]}
        return {"request": {"userInfo": user}, "object": {"metadata": {"name": self.writes}}}


CASES: Final = (
    Case("its own node", gpu_inventory_name(NODE)),
    Case("another node", gpu_inventory_name("ip-10-0-0-2"), refused=ANOTHER_NODE),
    Case("a node whose name begins alike", gpu_inventory_name(f"{NODE}1"), refused=ANOTHER_NODE),
    Case("a node of whose name ours is a part", "penstock-gpus-ip-10-0-0-1", refused=ANOTHER_NODE),
    Case("a ConfigMap of others", "kube-root-ca.crt", refused=NO_INVENTORY),
    Case("a ConfigMap of the operator", "penstock-config", refused=NO_INVENTORY),
    Case("a long name, which is cut", gpu_inventory_name(LONG), node=LONG),
    Case("with a long name, others' ConfigMap", "other", node=LONG, refused=NO_INVENTORY),
    Case("the longest name that is not cut", gpu_inventory_name(LONG[:239]), node=LONG[:239]),
    Case(
        "another than the longest that is not cut",
        gpu_inventory_name(LONG[:238]),
        node=LONG[:239],
        refused=ANOTHER_NODE,
    ),
    Case("without a node in the token", gpu_inventory_name("any"), node=None),
    Case("without a node, others' ConfigMap", "other", node=None, refused=NO_INVENTORY),
)
STRING: Final = {"type": "string", "maxLength": 256}


def rules() -> Iterator[Document]:
    """The policy's expressions as a CRD has them."""
    if program() is None:
        pytest.skip(NONE)
    documents = render(VARIANTS["agent"])
    found = named(documents, "ValidatingAdmissionPolicy", "penstock-agent-configmaps")["spec"]
    variables = {each["name"]: each["expression"] for each in found["variables"]}
    for each in found["validations"]:
        expression = each["expression"]
        for name, text in variables.items():
            expression = expression.replace(f"variables.{name}", f"({text})")
        rule = re.sub(r"\b(request|object)\.", r"self.\1.", expression)
        yield {"rule": rule, "message": each["message"]}


def of(**properties: Any) -> Document:
    return {"type": "object", "properties": properties}


def definition(group: str) -> Document:
    names = {"kind": "Write", "listKind": "WriteList", "plural": "writes", "singular": "write"}
    values = {"type": "array", "maxItems": 4, "items": STRING}
    extra = {"type": "object", "additionalProperties": values, "maxProperties": 4}
    user = of(username=STRING, extra=extra)
    shape = of(request=of(userInfo=user), object=of(metadata=of(name=STRING)))
    spec = shape | {"x-kubernetes-validations": [*rules()]}
    version = {
        "name": "v1alpha1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": of(spec=spec)},
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"writes.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


@pytest.fixture(scope="module")
def group(crds_kubeconfig: Path) -> Iterator[str]:
    name = f"t{uuid.uuid4().hex[:8]}.policies.penstock.dev"

    async def install() -> None:
        async with asyncio.timeout(60), connected(crds_kubeconfig, name) as server:
            status, answer = await server.call("POST", CRDS, definition(name))
            assert status == HTTPStatus.CREATED, answer["message"]
            while (await server.call("GET", server.path("writes")))[0] != HTTPStatus.OK:
                pass

    async def remove() -> None:
        async with connected(crds_kubeconfig, name) as server:
            await server.call("DELETE", f"{CRDS}/writes.{name}")

    asyncio.run(install())
    yield name
    asyncio.run(remove())


@pytest_asyncio.fixture
async def server(crds_kubeconfig: Path, group: str) -> AsyncIterator[Server]:
    async with connected(crds_kubeconfig, group) as found:
        yield found


@pytest.mark.crds
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_an_agent_writes_what_tells_of_its_own_node(server: Server, case: Case) -> None:
    document = {
        "apiVersion": f"{server.group}/v1alpha1",
        "kind": "Write",
        "metadata": {"name": f"c{uuid.uuid4().hex[:8]}"},
        "spec": case.request,
    }
    status, answer = await server.call("POST", server.path("writes"), document)
    if not case.refused:
        assert status == HTTPStatus.CREATED, answer
        return
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY, answer
    said = [cause["message"] for cause in answer["details"]["causes"]]
    assert any(case.refused in each for each in said), said


def test_every_rule_of_the_policy_has_a_case_that_breaks_it() -> None:
    for rule in rules():
        assert any(case.refused and case.refused in rule["message"] for case in CASES), rule
