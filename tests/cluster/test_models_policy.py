"""The policies on what the operator does where it runs models: their CEL, run by the code of a
current API server, as in `test_pod_policy.py`.

The objects are those that the operator really makes, and the same with one thing changed.
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

from tests.chart.rendering import NONE, VARIANTS, named, program, render
from tests.cluster.cel_server import CRDS, Server, connected
from tests.operator.ollama.workload.plans import NAMES, read

Document = dict[str, Any]
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
    if program() is None:
        pytest.skip(NONE)
    documents = render(VARIANTS["models"])
    for policy in POLICIES:
        found = named(documents, "ValidatingAdmissionPolicy", policy)["spec"]
        of_pods = "variables" in found
        for each in found["validations"]:
            text = each["expression"].replace("variables.pod", "object.spec.template.spec")
            text = re.sub(r"\b(object|oldObject) == null", r"!has(self.\1)", text)
            text = re.sub(r"(?<!self\.)\b(object|oldObject)\.", r"self.\1.", text)
            guarded = f"!has(self.object) || ({text})" if of_pods else text
            yield {"rule": guarded, "message": each["message"]}


def of(**properties: Any) -> Document:
    return {"type": "object", "properties": properties}


def listed(items: Document, most: int = 16) -> Document:
    return {"type": "array", "maxItems": most, "items": items}


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


def definition(group: str) -> Document:
    names = {"kind": "Write", "listKind": "WriteList", "plural": "writes", "singular": "write"}
    spec = of(object=SHAPE, oldObject=SHAPE) | {"x-kubernetes-validations": [*rules()]}
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


async def refusals(server: Server, request: Document) -> list[str]:
    document = {
        "apiVersion": f"{server.group}/v1alpha1",
        "kind": "Write",
        "metadata": {"name": f"c{uuid.uuid4().hex[:8]}"},
        "spec": request,
    }
    status, answer = await server.call("POST", server.path("writes"), document)
    if status == HTTPStatus.CREATED:
        return []
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY, answer
    return [cause["message"] for cause in answer["details"]["causes"]]


@pytest.mark.crds
@pytest.mark.parametrize("case", CASES, ids=str)
async def test_the_operator_makes_what_runs_models_and_nothing_else(
    server: Server, case: Case
) -> None:
    said = await refusals(server, case.request)
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
            assert await refusals(server, {"object": found, "oldObject": found}) == []
        assert await refusals(server, {"oldObject": found}) == []


def test_every_rule_of_the_policies_has_a_case_that_breaks_it() -> None:
    for rule in rules():
        assert any(case.refused and case.refused in rule["message"] for case in CASES), rule
