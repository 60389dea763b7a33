"""What must hold whatever becomes of the operator: nothing of it is in anybody's way."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from penstock_config.codec import config_file_name, decode_config
from penstock_operator.cluster import Cluster, ClusterError, NotFound
from penstock_operator.cluster.client import (
    CONFIG_MAPS,
    NAMESPACES,
    PODS,
    SECRETS,
    Document,
    Resource,
)
from tests.cluster.accounts import RBAC, rights_within, service_account
from tests.cluster.control_plane import required_binaries
from tests.cluster.objects import (
    BUDGETS,
    DEFINITIONS,
    POLICIES,
    PROVIDERS,
    ROOT,
    TIERS,
    becomes,
    budget,
    config_map,
    eventually,
    install_definitions,
    new_namespace,
    policy,
    put,
    put_all,
    unused_name,
    with_definitions,
)
from tests.cluster.own_plane import OwnPlane, own_plane
from tests.cluster.pods import create, pod
from tests.cluster.processes import operator_environment, running

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
DELETED_SECONDS: Final = 60
OPERATOR: Final = "operator"
BAD_SPECS: Final[tuple[object, ...]] = (7, [], {"selector": "?"}, {"defaultTier": {"name": 1}})


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPlane]:
    assets = required_binaries()
    if not (assets / "kube-controller-manager").exists():
        pytest.skip("no kube-controller-manager: nobody finishes the deletion of a namespace")
    with own_plane(assets, tmp_path_factory.mktemp("plane"), users=[OPERATOR]) as found:
        found.start_namespace_controller()
        yield found


@pytest.fixture
def server(plane: OwnPlane) -> Path:
    """Anew for each test: some change the definitions."""
    return with_definitions(plane.kubeconfig)


async def fill(cluster: Cluster, namespace: str) -> None:
    """With an object of each kind, and two pods."""
    await put_all(cluster, namespace)
    await put(cluster, BUDGETS, budget(namespace))
    await create(cluster, pod(namespace, "one"), pod(namespace, "two"))


async def published(cluster: Cluster, namespace: str) -> set[str]:
    found = await config_map(cluster, namespace)
    config = decode_config(found["data"][config_file_name()].encode())
    return {each.id.partition("/")[2] for each in config.policies}


async def is_gone(cluster: Cluster, namespace: str) -> bool:
    try:
        await cluster.get(NAMESPACES, namespace)
    except NotFound:
        return True
    return False


@pytest.mark.parametrize("operator_is", ["up", "down", "killed"])
async def test_pain_12_a_namespace_goes_whatever_the_operator_does(
    cluster: Cluster, plane: OwnPlane, own: str, tmp_path: Path, operator_is: str
) -> None:
    environment = operator_environment(plane.kubeconfig, own)
    home = unused_name()
    await cluster.create(NAMESPACES, {"metadata": {"name": home}})
    with running(tmp_path / "log", environment) as process:
        await fill(cluster, home)
        await becomes(cluster, POLICIES, (home, "app"), "Programmed", "Programmed")
        if operator_is == "down":
            assert process.stop() == 0
        await cluster.delete(NAMESPACES, home)
        if operator_is == "killed":
            process.kill()
        await eventually(lambda: is_gone(cluster, home), DELETED_SECONDS)
        assert process.events("publish.failed") == []


async def test_nothing_of_kopf_is_on_any_object_and_no_finalizer(
    cluster: Cluster, plane: OwnPlane, own: str, tmp_path: Path
) -> None:
    allowed = {"penstock.dev/config", "penstock.dev/digest", "somebody.example.com/else"}
    async with new_namespace(cluster) as home:
        with running(tmp_path / "log", operator_environment(plane.kubeconfig, own)):
            await fill(cluster, home)
            await becomes(cluster, POLICIES, (home, "app"), "Programmed", "Programmed")

            async def touched() -> bool:
                pods = await cluster.list(PODS, home)
                return all("penstock.dev/config" in p["metadata"]["annotations"] for p in pods)

            await eventually(touched)
            for resource in (POLICIES, TIERS, PROVIDERS, BUDGETS, PODS, CONFIG_MAPS, SECRETS):
                found = await cluster.list(resource, home)
                assert found, resource
                for each in found:
                    assert "finalizers" not in each["metadata"]
                    assert each["metadata"].get("annotations", {}).keys() <= allowed
            meta = (await cluster.get(NAMESPACES, home))["metadata"]
            assert meta.keys().isdisjoint({"finalizers", "annotations"})


def loosened(definition: Document) -> Document:
    """Without any rule for `spec`: as if nobody had validated it."""
    found = copy.deepcopy(definition)
    for version in found["spec"]["versions"]:
        schema = version["schema"]["openAPIV3Schema"]
        schema["properties"]["spec"] = {"x-kubernetes-preserve-unknown-fields": True}
    return found


def older(definition: Document, field: str) -> Document:
    """As it was before `spec` got that field."""
    found = copy.deepcopy(definition)
    for version in found["spec"]["versions"]:
        del version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"][field]
    return found


def definition_of(resource: Resource) -> Document:
    found: Document = yaml.safe_load((ROOT / "crds" / f"{resource.plural}.yaml").read_text())
    return found


async def test_pain_10_one_bad_resource_breaks_nobody_else_and_not_its_own_past(
    cluster: Cluster, plane: OwnPlane, own: str, tmp_path: Path
) -> None:
    await put(cluster, DEFINITIONS, loosened(definition_of(POLICIES)))
    await eventually(lambda: takes_anything(cluster, own))
    async with new_namespace(cluster) as home, new_namespace(cluster) as other:
        with running(tmp_path / "log", operator_environment(plane.kubeconfig, own)):
            for namespace in (home, other):
                await put_all(cluster, namespace)
                await becomes(cluster, POLICIES, (namespace, "app"), "Programmed", "Programmed")
            before = (await config_map(cluster, home))["data"]
            for number, spec in enumerate(BAD_SPECS):
                await put(cluster, POLICIES, {**policy(home), "spec": spec})
                await becomes(cluster, POLICIES, (home, "app"), "Accepted", "InvalidSpec")
                name = f"later-{number}"
                await put(cluster, POLICIES, policy(other, name))
                await becomes(cluster, POLICIES, (other, name), "Programmed", "Programmed")
                assert (await config_map(cluster, home))["data"] == before


async def takes_anything(cluster: Cluster, namespace: str) -> bool:
    """Whether the API server goes by the new definition already."""
    try:
        await put(cluster, POLICIES, {**policy(namespace), "spec": BAD_SPECS[0]})
    except ClusterError:
        return False
    await cluster.delete(POLICIES, "app", namespace)
    return True


async def test_pain_13_old_resources_survive_a_definition_with_a_new_field(
    cluster: Cluster, plane: OwnPlane, own: str, tmp_path: Path
) -> None:
    await put(cluster, DEFINITIONS, older(definition_of(POLICIES), "images"))
    images = {"maxSidePixels": 512}
    async with new_namespace(cluster) as home:
        with running(tmp_path / "log", operator_environment(plane.kubeconfig, own)) as process:
            await put_all(cluster, home)
            await put(cluster, POLICIES, policy(home, "new", images=images))
            await becomes(cluster, POLICIES, (home, "new"), "Programmed", "Programmed")
            before = await cluster.get(POLICIES, "new", home)
            assert "images" not in before["spec"], "the field is not known yet"
            config = (await config_map(cluster, home))["data"]

            await install_definitions(cluster)
            assert await cluster.get(POLICIES, "new", home) == before
            assert (await config_map(cluster, home))["data"] == config

            async def kept() -> bool:
                written = await put(cluster, POLICIES, policy(home, "new", images=images))
                return bool(written["spec"].get("images") == images)

            await eventually(kept)
            after = await becomes(cluster, POLICIES, (home, "new"), "Programmed", "Programmed")
            assert after["metadata"]["uid"] == before["metadata"]["uid"]
            await put(cluster, POLICIES, policy(home, "later"))
            await eventually(lambda: is_published(cluster, home, "later"))
            assert process.stop() == 0, "the one process went through all of it"


async def is_published(cluster: Cluster, namespace: str, name: str) -> bool:
    return name in await published(cluster, namespace)


async def test_pain_14_for_some_namespaces_roles_are_enough(
    cluster: Cluster, plane: OwnPlane, own: str, tmp_path: Path
) -> None:
    """Nothing is even asked for that a Role cannot grant, and a third namespace is left alone."""
    limited = await service_account(cluster, plane.kubeconfig, tmp_path, own)
    async with (
        new_namespace(cluster) as first,
        new_namespace(cluster) as second,
        new_namespace(cluster) as third,
    ):
        for document in (*rights_within(own, first), *rights_within(own, second)):
            await put(cluster, RBAC[document["kind"]], document)
        audit = plane.audit()
        audit.news()
        environment = operator_environment(limited, own, watch_namespaces=f"{first},{second}")
        with running(tmp_path / "log", environment) as process:
            for namespace in (third, first, second):
                await fill(cluster, namespace)
            for namespace in (first, second):
                await becomes(cluster, POLICIES, (namespace, "app"), "Programmed", "Programmed")
            assert process.stop() == 0
        calls = [e for e in audit.news() if e.user == f"system:serviceaccount:{own}:operator"]
        assert {call.namespace for call in calls if call.resource} == {own, first, second}
        assert [call for call in calls if call.code in (401, 403)] == []
        assert "status" not in await cluster.get(POLICIES, "app", third)
