"""The policies on what the operator does where it runs models: their CEL, as `policies` runs it.

The objects are those that the operator really makes, and the same with one thing changed.
"""

import copy
import re
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from tests.chart.rendering import VARIANTS
from tests.cluster.cel_server import Server, connected
from tests.cluster.policies import (
    Document,
    installed,
    listed,
    made,
    of,
    policy,
    refusals,
    ruled,
)
from tests.operator.ollama.workload.plans import NAMES, read

Change = Callable[[Document], object]
POLICIES: Final = ("penstock-operator-models", "penstock-operator-model-pods")
NOT_MADE: Final = "that it did not make"
ELSE: Final = "nothing here but"
TOKEN: Final = "an account or its token"
HOST: Final = "namespace of the host"
VOLUME: Final = "may mount nothing but"
SECRET: Final = "may read no Secret"
USER: Final = "more rights than a user's"


def deployment(name: str = "everything") -> Document:
    """One that the operator makes."""
    found = next(each for each in read(name).objects if each["kind"] == "Deployment")
    return copy.deepcopy(found)


def pod(document: Document) -> Document:
    found: Document = document["spec"]["template"]["spec"]
    return found


def first(document: Document) -> Document:
    found: Document = pod(document)["containers"][0]
    return found


def unlabelled(document: Document) -> None:
    document["metadata"]["labels"] = {"app": "shop"}


def of_the_host(field: str) -> Change:
    return lambda document: pod(document).update({field: True})


def mounting(kind: str) -> Change:
    return lambda document: pod(document)["volumes"].append({"name": "more", kind: {}})


@dataclass(frozen=True)
class Case:
    """`object` and `oldObject` of a request; a change of `None`: there is none of it."""

    sentence: str
    change: Change | None = lambda _: None
    before: Change | None = None
    refused: str = ""

    def __str__(self) -> str:
        return self.sentence

    @property
    def request(self) -> Document:
        found = {}
        for field, change in (("object", self.change), ("oldObject", self.before)):
            if change is not None:
                found[field] = deployment()
                change(found[field])
        return found


CASES: Final = (
    Case("it makes its own"),
    Case("it changes its own", before=lambda _: None),
    Case("it deletes its own", change=None, before=lambda _: None),
    Case("the default account", lambda d: pod(d).update(serviceAccountName="default")),
    Case("no label", unlabelled, refused=ELSE),
    Case("no labels at all", lambda d: d["metadata"].pop("labels"), refused=ELSE),
    Case("somebody else's is changed", before=unlabelled, refused=NOT_MADE),
    Case("somebody else's is deleted", change=None, before=unlabelled, refused=NOT_MADE),
    Case("an account", lambda d: pod(d).update(serviceAccountName="admin"), refused=TOKEN),
    Case("a token", lambda d: pod(d).update(automountServiceAccountToken=True), refused=TOKEN),
    Case(
        "a token by default",
        lambda d: pod(d).pop("automountServiceAccountToken"),
        refused=TOKEN,
    ),
    *(
        Case(f"{field} of the host", of_the_host(field), refused=HOST)
        for field in ("hostNetwork", "hostPID", "hostIPC")
    ),
    *(
        Case(f"a volume of {kind}", mounting(kind), refused=VOLUME)
        for kind in ("hostPath", "secret", "projected")
    ),
    Case("a container before", lambda d: pod(d).update(initContainers=[{}]), refused=SECRET),
    Case("a Secret's variables", lambda d: first(d).update(envFrom=[{}]), refused=SECRET),
    Case(
        "a variable out of a Secret",
        lambda d: first(d)["env"].append({"name": "KEY", "valueFrom": {}}),
        refused=SECRET,
    ),
    Case("root", lambda d: pod(d)["securityContext"].update(runAsNonRoot=False), refused=USER),
    Case("no user's rights", lambda d: pod(d).pop("securityContext"), refused=USER),
    Case("a container's", lambda d: first(d).pop("securityContext"), refused=USER),
    Case(
        "a way to more rights",
        lambda d: first(d)["securityContext"].update(allowPrivilegeEscalation=True),
        refused=USER,
    ),
    Case(
        "all rights",
        lambda d: first(d)["securityContext"].update(privileged=True),
        refused=USER,
    ),
)


def rules() -> Iterator[Document]:
    """The policies' expressions as a CRD has them. What is deleted has no pod to look at."""
    for name in POLICIES:
        found = policy(VARIANTS["models"], name)
        of_pods = "variables" in found
        for each in found["validations"]:
            text = each["expression"].replace("variables.pod", "object.spec.template.spec")
            text = re.sub(r"\b(object|oldObject) == null", r"!has(self.\1)", text)
            text = re.sub(r"(?<!self\.)\b(object|oldObject)\.", r"self.\1.", text)
            guarded = f"!has(self.object) || ({text})" if of_pods else text
            yield {"rule": guarded, "message": each["message"]}


ANYTHING: Final = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
STRING: Final = {"type": "string", "maxLength": 256}
TRUTH: Final = {"type": "boolean"}
CONTAINER: Final = of(
    envFrom=listed(ANYTHING),
    env=listed(of(name=STRING, value=STRING, valueFrom=ANYTHING), 64),
    securityContext=of(runAsNonRoot=TRUTH, allowPrivilegeEscalation=TRUTH, privileged=TRUTH),
)
KINDS: Final = ("configMap", "emptyDir", "persistentVolumeClaim")
POD: Final = of(
    automountServiceAccountToken=TRUTH,
    serviceAccountName=STRING,
    **dict.fromkeys(("hostNetwork", "hostPID", "hostIPC"), TRUTH),
    volumes=listed(of(name=STRING, **dict.fromkeys(KINDS, ANYTHING))),
    initContainers=listed(ANYTHING),
    containers=listed(CONTAINER),
    securityContext=of(runAsNonRoot=TRUTH),
)
LABELS: Final = {"type": "object", "additionalProperties": STRING, "maxProperties": 32}
SHAPE: Final = of(
    metadata=of(labels=LABELS),
    spec=of(template=of(spec=POD)),
)


@pytest.fixture(scope="module")
def group(crds_kubeconfig: Path) -> Iterator[str]:
    with installed(crds_kubeconfig, ruled(of(object=SHAPE, oldObject=SHAPE), rules())) as found:
        yield found


@pytest_asyncio.fixture
async def server(crds_kubeconfig: Path, group: str) -> AsyncIterator[Server]:
    async with connected(crds_kubeconfig, group) as found:
        yield found


@pytest.mark.crds
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_the_operator_makes_what_runs_models_and_nothing_else(
    server: Server, case: Case
) -> None:
    said = refusals(await made(server, case.request))
    if not case.refused:
        assert said == []
    else:
        assert any(case.refused in each for each in said), said


@pytest.mark.crds
@pytest.mark.parametrize("name", NAMES)
async def test_all_that_it_makes_is_let_through(server: Server, name: str) -> None:
    for document in read(name).objects:
        found = {"metadata": document["metadata"]}
        if document["kind"] == "Deployment":
            found["spec"] = document["spec"]
            assert refusals(await made(server, {"object": found, "oldObject": found})) == []
        assert refusals(await made(server, {"oldObject": found})) == []


def test_every_rule_of_the_policies_has_a_case_that_breaks_it() -> None:
    for rule in rules():
        assert any(case.refused and case.refused in rule["message"] for case in CASES), rule
