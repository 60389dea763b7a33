"""The operator with the least rights: `rights.yaml`, enforced by the API server."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis.asyncio
import yaml

from penstock_config.layout import Group, budget_field
from penstock_operator.cluster import Cluster, connect
from penstock_operator.cluster.client import CONFIG_MAPS, SECRETS, Document, Resource
from tests.cluster.objects import (
    BUDGETS,
    POLICIES,
    PROVIDERS,
    becomes,
    budget,
    delete,
    events_on,
    eventually,
    install_definitions,
    new_namespace,
    policy,
    put,
    put_all,
    secret,
)
from tests.cluster.pods import create, mark, pod, ready_is
from tests.cluster.processes import operator_environment, running
from tests.operator.handlers.hooks import Hooks, served_hooks

pytestmark = pytest.mark.cluster

SERVICE_ACCOUNTS = Resource("", "v1", "ServiceAccount", "serviceaccounts")
RBAC = {
    kind: Resource("rbac.authorization.k8s.io", "v1", kind, f"{kind.lower()}s")
    for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")
}


@pytest.fixture
async def cluster(kubeconfig: Path) -> AsyncIterator[Cluster]:
    async with connect(kubeconfig) as found:
        await install_definitions(found)
        yield found


@pytest.fixture
async def own(cluster: Cluster) -> AsyncIterator[str]:
    """The operator's namespace."""
    async with new_namespace(cluster) as name:
        yield name


@pytest.fixture
async def home(cluster: Cluster) -> AsyncIterator[str]:
    """A provider namespace."""
    async with new_namespace(cluster) as name:
        yield name


@dataclass(frozen=True)
class Places:
    own: str
    home: str
    redis_url: str


@pytest.fixture
def places(own: str, home: str, redis_url: str) -> Places:
    return Places(own, home, redis_url)


async def service_account(
    cluster: Cluster, kubeconfig: Path, directory: Path, namespace: str
) -> Path:
    """A kubeconfig for a fresh ServiceAccount `operator`."""
    account = {"metadata": {"name": "operator", "namespace": namespace}}
    await cluster.create(SERVICE_ACCOUNTS, account)
    path = SERVICE_ACCOUNTS.path(namespace, "operator", "token")
    token_request = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"audiences": ["https://kubernetes.default.svc"], "expirationSeconds": 3600},
    }
    found = await cluster._call("POST", path, body=token_request)
    return _with_token(kubeconfig, directory / "service-account", found["status"]["token"])


def _with_token(kubeconfig: Path, path: Path, token: str) -> Path:
    document = yaml.safe_load(kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    path.write_text(yaml.safe_dump(document))
    return path


def rights(own: str, home: str) -> list[Document]:
    """Those for all namespaces."""
    text = (Path(__file__).parent / "rights.yaml").read_text()
    return list(yaml.safe_load_all(text.replace("OPERATOR", own).replace("PROVIDERS", home)))


def rights_within(own: str, home: str) -> list[Document]:
    """The same for one namespace: Roles in place of ClusterRoles, and no Namespaces."""
    found = []
    for document in rights(own, home):
        if document["kind"].startswith("Cluster"):
            document["kind"] = document["kind"].removeprefix("Cluster")
            document["metadata"]["namespace"] = home
        if "roleRef" in document:
            document["roleRef"]["kind"] = "Role"
        for rule in document.get("rules", ()):
            rule["resources"] = [each for each in rule["resources"] if each != "namespaces"]
        found.append(document)
    return found


def rights_untouching(own: str, home: str) -> list[Document]:
    """Without the right that `PENSTOCK_NUDGE=false` has no need of."""
    found = rights(own, home)
    (touching,) = [
        r
        for d in found
        for r in d.get("rules", ())
        if r["verbs"] == ["patch"] and r["resources"] == ["pods"]
    ]
    for document in found:
        if touching in document.get("rules", ()):
            document["rules"].remove(touching)
    return found


@pytest.mark.parametrize(
    ("granting", "settings"),
    [
        pytest.param(rights, {}, id="cluster-wide"),
        pytest.param(rights_within, {"watch_namespaces": "HOME"}, id="one-namespace"),
        pytest.param(rights_untouching, {"nudge": "false"}, id="no-touch"),
    ],
)
async def test_the_operator_needs_no_more_than_these_rights(
    cluster: Cluster,
    kubeconfig: Path,
    places: Places,
    tmp_path: Path,
    granting: Callable[[str, str], list[Document]],
    settings: dict[str, str],
) -> None:
    own, home = places.own, places.home
    granted = granting(own, home)
    for document in granted:
        await put(cluster, RBAC[document["kind"]], document)
    limited = await service_account(cluster, kubeconfig, tmp_path, own)
    further = {name: value.replace("HOME", home) for name, value in settings.items()}
    environment = operator_environment(
        limited,
        own,
        provider_namespaces=home,
        redis_url=places.redis_url,
        redis_password="",
        budget_seconds="0.5",
        notify_loopback="true",
        **further,
    )
    try:
        async with served_hooks() as hooks:
            with running(tmp_path / "log", environment) as process:
                await live_through_everything(cluster, home)
                assert bool(await mark(cluster, home, "told")) == ("nudge" not in settings)
                await tell_a_budgets_webhook(cluster, home, hooks, places.redis_url)
                assert process.stop() == 0
        lines = process.log.splitlines()
        (warned,) = [line for line in lines if '"level": "info"' not in line]
        assert "redis.shared_credentials" in warned, "of the way to Redis alone, and once"
    finally:
        for document in granted:
            meta = document["metadata"]
            resource = RBAC[document["kind"]]
            await delete(cluster, resource, meta["name"], meta.get("namespace"))


async def live_through_everything(cluster: Cluster, home: str) -> None:
    """Each kind of call that the operator makes, at least once."""
    await create(cluster, pod(home, "told"), pod(home, "missed", sidecar=""))
    await put_all(cluster, home)
    await becomes(cluster, POLICIES, (home, "app"), "Programmed", "Programmed")
    await becomes(cluster, PROVIDERS, (home, "llm"), "ResolvedRefs", "ResolvedRefs")
    await ready_is(cluster, home, "SidecarsStale", total=2, current=0, stale=2, rejected=0)
    assert ("Warning", "SidecarMissing") in await eventually(
        lambda: events_on(cluster, home, "missed")
    )
    await put(cluster, POLICIES, policy(home, defaultTier={"name": "gone"}))
    await becomes(cluster, POLICIES, (home, "app"), "ResolvedRefs", "RefNotFound")
    await eventually(lambda: events_on(cluster, home, "app"))
    await delete(cluster, POLICIES, "app", home)

    async def gone() -> bool:
        fields = "metadata.name=penstock-config"
        return not await cluster.list(CONFIG_MAPS, home, fields=fields)

    assert await eventually(gone)


async def tell_a_budgets_webhook(cluster: Cluster, home: str, hooks: Hooks, redis_url: str) -> None:
    """Its Secret is read, its status written, its Event posted."""
    await put(cluster, SECRETS, secret(home, "hook", url=hooks.url))
    notify = {"webhookSecretRef": {"name": "hook", "key": "url"}}
    limits = {"total": "0.000001"}
    state = Group.of_namespace("test", home).state
    async with redis.asyncio.Redis.from_url(redis_url) as books:
        await books.hset(state, f"{budget_field(f'{home}/money', 'total')}:all:S", 1)
    await put(cluster, BUDGETS, budget(home, limits=limits, notify=notify))

    async def told() -> bool:
        status = (await cluster.get(BUDGETS, "money", home)).get("status", {})
        return [each["webhook"] for each in status.get("alerts", ())] == ["Delivered"] * 2

    assert await eventually(told)
    assert ("Warning", "AlertThresholdReached") in await events_on(cluster, home, "money")
