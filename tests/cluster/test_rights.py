"""The operator with the least rights: `rights.yaml`, enforced by the API server."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import redis.asyncio

from penstock_config.layout import Group, budget_field
from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import CONFIG_MAPS, SECRETS, Document
from tests.cluster.accounts import granted, rights, rights_within, service_account
from tests.cluster.objects import (
    BUDGETS,
    POLICIES,
    PROVIDERS,
    becomes,
    budget,
    delete,
    events_on,
    eventually,
    policy,
    put,
    put_all,
    secret,
    with_definitions,
)
from tests.cluster.pods import create, mark, pod, ready_is
from tests.cluster.processes import operator_environment, running
from tests.operator.handlers.hooks import Hooks, served_hooks

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def server(kubeconfig: Path) -> Path:
    return with_definitions(kubeconfig)


@dataclass(frozen=True)
class Places:
    own: str
    home: str
    redis_url: str


@pytest.fixture
def places(own: str, home: str, redis_url: str) -> Places:
    return Places(own, home, redis_url)


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
    async with granted(cluster, granting(own, home)), served_hooks() as hooks:
        with running(tmp_path / "log", environment) as process:
            await live_through_everything(cluster, home)
            assert bool(await mark(cluster, home, "told")) == ("nudge" not in settings)
            await tell_a_budgets_webhook(cluster, home, hooks, places.redis_url)
            assert process.stop() == 0
    lines = process.log.splitlines()
    (warned,) = [line for line in lines if '"level": "info"' not in line]
    assert "redis.shared_credentials" in warned, "of the way to Redis alone, and once"


async def live_through_everything(cluster: Cluster, home: str) -> None:
    """Each kind of call that the operator makes, at least once."""
    await create(cluster, pod(home, "told"), pod(home, "missed", sidecar=""))
    await put_all(cluster, home)
    await put_warmed(cluster, home)
    await becomes(cluster, POLICIES, (home, "app"), "Programmed", "Programmed")
    await becomes(cluster, PROVIDERS, (home, "llm"), "ResolvedRefs", "ResolvedRefs")
    await ready_is(cluster, home, "SidecarsStale", total=2, current=0, stale=2, rejected=0)
    assert ("Warning", "SidecarMissing") in await eventually(
        lambda: events_on(cluster, home, "missed")
    )
    await put(cluster, POLICIES, policy(home, defaultTier={"name": "gone"}))
    await becomes(cluster, POLICIES, (home, "app"), "ResolvedRefs", "RefNotFound")
    await eventually(lambda: events_on(cluster, home, "app"))
    await becomes(cluster, POLICIES, (home, "faq"), "Warmed", "Scheduled")
    await becomes(cluster, POLICIES, (home, "shy"), "Warmed", "ConfigMapNotPermitted")
    for name in ("app", "faq", "shy"):
        await delete(cluster, POLICIES, name, home)

    async def gone() -> bool:
        fields = "metadata.name=penstock-config"
        return not await cluster.list(CONFIG_MAPS, home, fields=fields)

    assert await eventually(gone)


async def put_warmed(cluster: Cluster, home: str) -> None:
    """Two policies with prompts: of one, the ConfigMap may be read."""
    for policy_name, map_name in (("faq", "penstock-warming"), ("shy", "others")):
        meta = {"name": map_name, "namespace": home}
        await put(cluster, CONFIG_MAPS, {"metadata": meta, "data": {"prompts": "Hello?"}})
        ref = {"name": map_name, "key": "prompts"}
        cache = {"exact": {}, "warm": {"configMapRef": ref, "schedule": "0 0 1 1 *"}}
        await put(cluster, POLICIES, policy(home, policy_name, cache=cache))


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
