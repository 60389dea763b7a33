"""The chart on a real API server without nodes: installed, upgraded, taken away, brought back."""

import base64
import shutil
from pathlib import Path
from typing import Final

import pytest
import yaml

from penstock_operator.cluster import Cluster, ClusterError, Refused
from penstock_operator.cluster.client import (
    MUTATING_WEBHOOKS,
    NAMESPACES,
    PODS,
    SECRETS,
    VALIDATING_WEBHOOKS,
    Document,
    Resource,
)
from tests.chart.release import Release
from tests.chart.rendering import CHART, OWN
from tests.cluster.objects import BUDGETS, DEFINITIONS, budget, eventually

pytestmark = pytest.mark.cluster
DEPLOYMENTS: Final = Resource("apps", "v1", "Deployment", "deployments")
KINDS: Final = ("llmproviders", "modeltiers", "routepolicies", "budgets")
BUNDLE: Final = base64.b64encode(b"what the injector wrote").decode()


async def bundles(cluster: Cluster) -> set[str | None]:
    found = set()
    for resource in (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS):
        for each in (await cluster.get(resource, "penstock"))["webhooks"]:
            found.add(each["clientConfig"].get("caBundle"))
    return found


async def write_bundle(cluster: Cluster) -> None:
    """As the injector does."""
    for resource in (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS):
        document = await cluster.get(resource, "penstock")
        for each in document["webhooks"]:
            each["clientConfig"]["caBundle"] = BUNDLE
        await cluster.replace(resource, document)


async def test_pain_08_an_upgrade_keeps_the_ca_of_the_webhooks(
    release: Release, cluster: Cluster
) -> None:
    assert await bundles(cluster) == {None}
    await write_bundle(cluster)
    release.install()
    assert await bundles(cluster) == {BUNDLE}
    release.install(injector={"timeoutSeconds": 7, "failurePolicy": "Fail"})
    assert await bundles(cluster) == {BUNDLE}
    (first, *_) = (await cluster.get(MUTATING_WEBHOOKS, "penstock"))["webhooks"]
    assert (first["timeoutSeconds"], first["failurePolicy"]) == (7, "Fail")


async def test_an_upgrade_leaves_secrets_of_ours_alone(release: Release, cluster: Cluster) -> None:
    for name in ("penstock-redis", "penstock-webhook-ca"):
        data = {"a": base64.b64encode(name.encode()).decode()}
        await cluster.apply(SECRETS, {"metadata": {"name": name, "namespace": OWN}, "data": data})
    release.install(operator={"replicas": 3})
    release.uninstall()
    release.install()
    for name in ("penstock-redis", "penstock-webhook-ca"):
        found = await cluster.get(SECRETS, name, OWN)
        assert base64.b64decode(found["data"]["a"]).decode() == name
        await cluster.delete(SECRETS, name, OWN)


async def test_pain_12_a_namespace_goes_when_the_release_is_gone(
    release: Release, cluster: Cluster
) -> None:
    """Nobody of ours has to be there for anything to be deleted; what is of the users stays."""
    for name in ("shop", "other"):
        await made(cluster, NAMESPACES, {"metadata": {"name": f"{name}-{release.major}"}})
    shop, other = f"shop-{release.major}", f"other-{release.major}"
    for namespace in (shop, other):
        await cluster.create(BUDGETS, budget(namespace))
    said = release.uninstall()
    assert "kept due to the resource policy" in said
    await cluster.delete(NAMESPACES, shop)

    async def gone() -> bool:
        return all(each["metadata"]["name"] != shop for each in await cluster.list(NAMESPACES))

    assert await eventually(gone)
    assert [each["metadata"]["name"] for each in await cluster.list(BUDGETS, other)] == ["money"]
    await left_behind(cluster)
    release.install()
    assert await cluster.get(BUDGETS, "money", other), "adopted again, with what is in them"


async def left_behind(cluster: Cluster) -> None:
    """The definitions, and nothing else that anything waits for."""
    kept = {each["metadata"]["name"] for each in await cluster.list(DEFINITIONS)}
    assert kept == {f"{kind}.penstock.dev" for kind in KINDS}
    for resource in (MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS):
        assert await cluster.list(resource) == []
    assert await cluster.list(DEPLOYMENTS, OWN) == []


async def made(cluster: Cluster, resource: Resource, document: Document) -> Document:
    """Created once the API server serves its kind."""

    async def create() -> Document | None:
        try:
            return await cluster.create(resource, document)
        except Refused:
            return None

    found = await eventually(create)
    assert found
    return found


@pytest.fixture
def former_chart(tmp_path: Path) -> Path:
    """The chart as it would be if Budgets had no time zone yet."""
    found = tmp_path / "penstock"
    shutil.copytree(CHART, found)
    path = found / "templates" / "crds" / "budgets.yaml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    start = next(n for n, line in enumerate(lines) if line.strip() == "timeZone:")
    depth = len(lines[start]) - len(lines[start].lstrip())
    end = next(
        n for n in range(start + 1, len(lines)) if len(lines[n]) - len(lines[n].lstrip()) <= depth
    )
    path.write_text("".join(lines[:start] + lines[end:]), "utf-8")
    return found


async def test_pain_13_an_upgrade_brings_new_fields_and_keeps_objects(
    release: Release, cluster: Cluster, former_chart: Path
) -> None:
    namespace = f"fields-{release.major}"
    await cluster.create(NAMESPACES, {"metadata": {"name": namespace}})
    release.install(former_chart)

    async def zone(name: str) -> str | None:
        document = budget(namespace, timeZone="Europe/Berlin")
        document["metadata"]["name"] = name
        found = await cluster.create(BUDGETS, document)
        await cluster.delete(BUDGETS, name, namespace)
        value: str | None = found["spec"].get("timeZone")
        return value

    async def dropped() -> bool:
        return await zone("probe") is None

    async def kept() -> bool:
        return await zone("probe") == "Europe/Berlin"

    assert await eventually(dropped), "the former definition knows no such field"
    await cluster.create(BUDGETS, budget(namespace))
    release.install()
    assert await eventually(kept)
    assert await cluster.get(BUDGETS, "money", namespace)
    assert yaml.safe_load((former_chart / "Chart.yaml").read_text())["name"] == "penstock"


def pod(namespace: str, **labels: str) -> Document:
    meta = {"generateName": "p-", "namespace": namespace, "labels": labels}
    containers = [{"name": "app", "image": "registry.example.com/app:1"}]
    return {"metadata": meta, "spec": {"containers": containers}}


async def test_pain_05_with_fail_and_no_injector_only_pods_that_ask_wait(
    release: Release, cluster: Cluster
) -> None:
    """On a server that does not label namespaces with their names, too."""
    release.install(injector={"failurePolicy": "Fail"})
    asks = {"penstock.dev/inject": "true"}
    shop = f"asked-{release.major}"
    labels = {"penstock.dev/injection": "enabled"}
    await cluster.create(NAMESPACES, {"metadata": {"name": shop, "labels": labels}})

    async def refused() -> bool:
        try:
            await cluster.create(PODS, pod(shop))
        except ClusterError as error:
            return "injector.penstock.dev" in str(error)
        return False

    assert await eventually(refused)
    with pytest.raises(ClusterError, match=r"pods\.injector\.penstock\.dev"):
        await cluster.create(PODS, pod("default", **asks))
    await cluster.create(PODS, pod(shop, **{"penstock.dev/inject": "false"}))
    await cluster.create(PODS, pod("default"))
    await cluster.create(PODS, pod("kube-system"))
    deployment = await cluster.get(DEPLOYMENTS, "penstock-injector", OWN)
    ours = deployment["spec"]["template"]["metadata"]["labels"]
    await cluster.create(PODS, pod(OWN, **ours))
    await cluster.create(PODS, pod(shop, **ours))
    await cluster.merge(
        NAMESPACES,
        {
            "metadata": {
                "name": "kube-system",
                "labels": {"kubernetes.io/metadata.name": "kube-system"},
            }
        },
    )

    async def excluded() -> bool:
        try:
            return bool(await cluster.create(PODS, pod("kube-system", **asks)))
        except ClusterError:
            return False

    assert await eventually(excluded), "once it is labelled as NOTES.txt says"
    labels_off = {"kubernetes.io/metadata.name": None}
    await cluster.merge(NAMESPACES, {"metadata": {"name": "kube-system", "labels": labels_off}})


def test_notes_say_what_is_next(release: Release) -> None:
    said = release.install()
    assert "helm test penstock --namespace penstock-system" in said
    assert "providerNamespaces is empty" in said
    assert f"kubectl label namespace {OWN} kubernetes.io/metadata.name={OWN}" in said
    assert "providerNamespaces is empty" not in release.install(providerNamespaces=["default"])
