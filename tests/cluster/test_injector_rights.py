"""The injector with the least rights, and what it holds the operator's account to.

`rights-injector.yaml` is enforced by the API server, and so is what the injector says.
"""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from penstock_operator.cluster import Cluster, Forbidden, Refused, connect
from penstock_operator.cluster.client import (
    EVENTS,
    MUTATING_WEBHOOKS,
    PODS,
    SECRETS,
    VALIDATING_WEBHOOKS,
    Document,
)
from tests.cluster.accounts import granted, service_account
from tests.cluster.injection import kubectl
from tests.cluster.objects import (
    BUDGETS,
    budget,
    delete,
    eventually,
    put,
    with_definitions,
)
from tests.cluster.pods import pod
from tests.cluster.processes import Process, operator_environment, running
from tests.ports import free_port

pytestmark = pytest.mark.cluster

ROLES = Path(__file__).parent / "rights-injector.yaml"
OPERATORS_ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: operator, namespace: HOME}
rules:
  - {apiGroups: [""], resources: [pods], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: operator, namespace: HOME}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: operator}
subjects: [{kind: ServiceAccount, name: operator, namespace: HOME}]
"""
MARK = "penstock.dev/config"


@dataclass(frozen=True)
class Place:
    """A namespace of apps, and an injector in one of its own, with the rights of the file."""

    cluster: Cluster
    name: str
    own: str
    """The injector's, where nobody gets a sidecar, and the name of its configurations."""
    injector: Process
    operator: Cluster
    """As the operator's account, which may patch pods."""


@pytest.fixture(scope="module")
def server(kubeconfig: Path) -> Path:
    return with_definitions(kubeconfig)


@pytest.fixture
async def place(
    cluster: Cluster, kubeconfig: Path, own: str, home: str, tmp_path: Path
) -> AsyncIterator[Place]:
    roles = (ROLES.read_text().replace("INJECTOR", own), OPERATORS_ROLE.replace("HOME", home))
    documents = [each for text in roles for each in yaml.safe_load_all(text)]
    injector = await service_account(cluster, kubeconfig, tmp_path, own, "injector")
    operator = await service_account(cluster, kubeconfig, tmp_path, home, "operator")
    port = free_port()
    environment = operator_environment(
        injector,
        own,
        webhook_port=str(port),
        webhook_hosts="127.0.0.1",
        webhook_configuration=own,
        operator_account=f"system:serviceaccount:{home}:operator",
    )
    async with granted(cluster, documents), connect(operator) as as_operator:
        await put(cluster, VALIDATING_WEBHOOKS, validating(own, home, port))
        await put(cluster, MUTATING_WEBHOOKS, mutating(own, home, port))
        with running(tmp_path / "injector", environment, "injector") as process:
            await eventually(lambda: serving(process))
            await eventually(lambda: trusted(cluster, own))
            yield Place(cluster, home, own, process, as_operator)
            assert process.stop() == 0, process.log
        for resource in (VALIDATING_WEBHOOKS, MUTATING_WEBHOOKS):
            await delete(cluster, resource, own)


def entry(home: str, url: str, rule: Document) -> Document:
    return {
        "name": f"{url.rpartition('/')[2]}.penstock.dev",
        "clientConfig": {"url": url},
        "rules": [{"apiVersions": ["*"], "scope": "Namespaced", **rule}],
        "namespaceSelector": {"matchLabels": {"test": home}},
        "failurePolicy": "Fail",
        "sideEffects": "NoneOnDryRun",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 5,
    }


def validating(own: str, home: str, port: int) -> Document:
    base = f"https://127.0.0.1:{port}"
    ours = {"apiGroups": ["penstock.dev"], "resources": ["*"], "operations": ["CREATE", "UPDATE"]}
    pods = {"apiGroups": [""], "resources": ["pods"], "operations": ["UPDATE"]}
    entries = [entry(home, f"{base}/validate", ours), entry(home, f"{base}/pods", pods)]
    return {"metadata": {"name": own}, "webhooks": entries}


def mutating(own: str, home: str, port: int) -> Document:
    pods = {"apiGroups": [""], "resources": ["pods"], "operations": ["CREATE"]}
    entries = [entry(home, f"https://127.0.0.1:{port}/mutate", pods)]
    return {"metadata": {"name": own}, "webhooks": entries}


async def serving(process: Process) -> bool:
    assert process.popen.poll() is None, process.log
    return bool(process.events("injector.serving"))


async def trusted(cluster: Cluster, name: str) -> bool:
    for resource in (VALIDATING_WEBHOOKS, MUTATING_WEBHOOKS):
        entries = (await cluster.get(resource, name))["webhooks"]
        if not all(each["clientConfig"].get("caBundle") for each in entries):
            return False
    return True


def free_pod(namespace: str) -> Document:
    """Nobody's, without a sidecar."""
    return pod(namespace, "web-1-x", sidecar="")


def owned_pod(namespace: str) -> Document:
    """Of a ReplicaSet that is not there: a garbage collector deletes it as soon as it is made."""
    document = free_pod(namespace)
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "web-1",
        "uid": "00000000-0000-4000-8000-000000000001",
        "controller": True,
    }
    document["metadata"]["ownerReferences"] = [owner]
    return document


async def created(place: Place, document: Document) -> Document:
    """The pod, once its namespace has the service account that some servers ask for."""

    async def made() -> Document | None:
        try:
            return await place.cluster.create(PODS, document)
        except Forbidden:
            return None

    found = await eventually(made)
    assert found
    return found


async def events_of(place: Place, owner: str) -> list[Document]:
    found = await place.cluster.list(EVENTS, place.name)
    return [each for each in found if each["involvedObject"]["name"] == owner]


async def test_the_injector_needs_no_more_than_these_rights(place: Place, kubeconfig: Path) -> None:
    """Each kind of call that it makes, and nothing in its log of a right that is missing."""
    with pytest.raises(Refused, match="timeZone"):
        await place.cluster.create(BUDGETS, budget(place.name, timeZone="Mars/Olympus"))
    async with kubectl(kubeconfig) as user:

        async def tried() -> bool:
            status, _, _ = await user.create(owned_pod(place.name), place.name, dry_run=True)
            return status == 201

        await eventually(tried)
    made = await created(place, owned_pod(place.name))
    assert "penstock" in [each["name"] for each in made["spec"]["containers"]]
    (event,) = await eventually(lambda: events_of(place, "web-1"))
    assert (event["type"], event["reason"]) == ("Normal", "Injected")
    assert event["involvedObject"]["kind"] == "ReplicaSet"
    assert event["involvedObject"]["apiVersion"] == "apps/v1"
    await take_the_ca_away(place)
    lines = place.injector.log.splitlines()
    assert [line for line in lines if '"level": "info"' not in line] == []


async def take_the_ca_away(place: Place) -> None:
    """The Secret loses its key, then the bundle goes: both are written again."""
    secret = await place.cluster.get(SECRETS, "penstock-webhook-ca", place.own)
    del secret["data"]["ca.key"]
    await place.cluster.replace(SECRETS, secret)
    for resource in (VALIDATING_WEBHOOKS, MUTATING_WEBHOOKS):
        found = await place.cluster.get(resource, place.own)
        for each in found["webhooks"]:
            each["clientConfig"]["caBundle"] = base64.b64encode(b"").decode()
        await place.cluster.replace(resource, found)
    await eventually(lambda: trusted(place.cluster, place.own), seconds=15)
    found = await place.cluster.get(SECRETS, "penstock-webhook-ca", place.own)
    assert {"ca.key", "next.key"} <= found["data"].keys()


async def test_of_a_dry_run_nobody_is_told(place: Place, kubeconfig: Path) -> None:
    dry, real = owned_pod(place.name), owned_pod(place.name)
    dry["metadata"]["ownerReferences"][0] |= {"name": "dry", "uid": "dry"}
    async with kubectl(kubeconfig) as user:

        async def tried() -> bool:
            status, _, _ = await user.create(dry, place.name, dry_run=True)
            return status == 201

        await eventually(tried)
    await created(place, real)
    assert await eventually(lambda: events_of(place, "web-1")), "told after what came before"
    assert await events_of(place, "dry") == []


async def test_the_operators_account_may_change_one_annotation_of_a_pod_and_nothing_else(
    place: Place,
) -> None:
    made = await created(place, free_pod(place.name))
    meta = {"name": "web-1-x", "namespace": place.name}
    marked = {"metadata": {**meta, "annotations": {MARK: "digests"}}}
    await place.operator.merge(PODS, marked)
    found = await place.cluster.get(PODS, "web-1-x", place.name)
    assert found["metadata"]["annotations"][MARK] == "digests"
    containers = made["spec"]["containers"]
    index = [each["name"] for each in containers].index("app")
    containers[index]["image"] = "registry.example.com/other:1"
    for change, field in (
        ({"metadata": {**meta, "labels": {"app": "other"}}}, r"metadata\.labels\[app\]"),
        ({"metadata": {**meta, "finalizers": ["a.example.com/b"]}}, r"metadata\.finalizers"),
        (
            {"metadata": meta, "spec": {"containers": containers}},
            rf"spec\.containers\[{index}\]\.image",
        ),
    ):
        with pytest.raises(Forbidden, match=f"alone, not {field}"):
            await place.operator.merge(PODS, change)


async def test_people_may_change_a_pod_as_ever(place: Place) -> None:
    await created(place, free_pod(place.name))
    meta = {"name": "web-1-x", "namespace": place.name}
    await place.cluster.merge(PODS, {"metadata": {**meta, "labels": {"app": "other"}}})
    found = await place.cluster.get(PODS, "web-1-x", place.name)
    assert found["metadata"]["labels"]["app"] == "other"
