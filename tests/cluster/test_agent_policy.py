"""The node agents' ValidatingAdmissionPolicy: its CEL, run by the code of a current API server.

The objects are shaped like the request and the ConfigMap.
"""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from penstock_operator.ollama.names import gpu_inventory_name
from tests.chart.rendering import VARIANTS
from tests.cluster.cel_server import Server, connected
from tests.cluster.policies import (
    Document,
    expressions,
    installed,
    made,
    of,
    policy,
    refusals,
    ruled,
)

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
    for text, message in expressions(policy(VARIANTS["agent"], "penstock-agent-configmaps")):
        yield {"rule": re.sub(r"\b(request|object)\.", r"self.\1.", text), "message": message}


def spec() -> Document:
    values = {"type": "array", "maxItems": 4, "items": STRING}
    extra = {"type": "object", "additionalProperties": values, "maxProperties": 4}
    user = of(username=STRING, extra=extra)
    return ruled(of(request=of(userInfo=user), object=of(metadata=of(name=STRING))), rules())


@pytest.fixture(scope="module")
def group(crds_kubeconfig: Path) -> Iterator[str]:
    with installed(crds_kubeconfig, spec()) as found:
        yield found


@pytest_asyncio.fixture
async def server(crds_kubeconfig: Path, group: str) -> AsyncIterator[Server]:
    async with connected(crds_kubeconfig, group) as found:
        yield found


@pytest.mark.crds
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_an_agent_writes_what_tells_of_its_own_node(server: Server, case: Case) -> None:
    said = refusals(await made(server, case.request))
    if not case.refused:
        assert said == []
    else:
        assert any(case.refused in each for each in said), said


def test_every_rule_of_the_policy_has_a_case_that_breaks_it() -> None:
    for rule in rules():
        assert any(case.refused and case.refused in rule["message"] for case in CASES), rule
