"""Pods that were to have a sidecar and have none are told of, and nothing is done to them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from penstock_operator.cluster import connect
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.missing import MissingSidecars
from penstock_operator.metrics import Metrics
from tests.operator.delivery.seen import OWNER, pod
from tests.operator.delivery.test_pods import body
from tests.operator.handlers.pod_api import PodApi, served
from tests.operator.handlers.waiting import until

ON = {"penstock.dev/injection": "enabled"}
REPLICA_SET = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "name": "web",
    "uid": "uid-own",
    "controller": True,
}


async def listed() -> None:
    return None


@asynccontextmanager
async def looking(
    api: PodApi, inventory: Inventory, directory: Path, look_seconds: float = 0.05
) -> AsyncIterator[Metrics]:
    metrics = Metrics()
    async with served(api, directory) as kubeconfig, connect(kubeconfig) as cluster:
        missing = MissingSidecars(
            cluster, inventory, metrics, "penstock-system", listed, look_seconds
        )
        task = asyncio.create_task(missing.run())
        try:
            yield metrics
        finally:
            task.cancel()
            await asyncio.wait([task])


def counted(metrics: Metrics) -> dict[str, float]:
    (family,) = metrics.pods_without_sidecar.collect()
    return {sample.labels["namespace"]: sample.value for sample in family.samples}


def events(api: PodApi) -> list[tuple[Any, ...]]:
    fields = ("apiVersion", "kind", "namespace", "name", "uid")
    found = [(e["type"], e["reason"], *map(e["involvedObject"].get, fields)) for e in api.events]
    return sorted(found, key=str)


async def test_pain_04_pods_that_the_injector_missed_are_told_of(tmp_path: Path) -> None:
    """Those with the label, and those of namespaces that are enabled: once for each owner."""
    api = PodApi(
        bodies=[
            body(name="web-1", ownerReferences=[REPLICA_SET], uid="u2"),
            body(name="single", uid="u1"),
        ]
    )
    inventory = Inventory(namespaces={"shop": ON, "other": {}, "kube-system": ON})
    elsewhere = replace(OWNER, namespace="other")
    for name in ("labelled-1", "labelled-2"):
        inventory.pods["other", name] = pod(name, "other", missed_by=elsewhere)
    inventory.pods["other", "fine"] = pod("fine", "other")
    async with looking(api, inventory, tmp_path) as metrics:
        await until(lambda: counted(metrics) == {"shop": 2, "other": 2})
        looked = "list shop: penstock.dev/inject notin (true,false)"
        await until(lambda: api.calls[looked] >= 3)
        assert {*api.calls} == {looked}, "neither of namespaces that did not ask, nor anything else"
    warning = ("Warning", "SidecarMissing")
    assert events(api) == [
        (*warning, "apps/v1", "ReplicaSet", "other", "web", "uid-web"),
        (*warning, "apps/v1", "ReplicaSet", "shop", "web", "uid-own"),
        (*warning, "v1", "Pod", "shop", "single", "u1"),
    ]
    assert all("restart its workload" in event["message"] for event in api.events)


async def test_when_all_have_their_sidecars_nothing_is_said_and_the_figure_goes(
    tmp_path: Path,
) -> None:
    api = PodApi()
    inventory = Inventory(namespaces={"shop": {}})
    inventory.pods["shop", "p"] = pod(missed_by=OWNER)
    async with looking(api, inventory, tmp_path) as metrics:
        await until(lambda: counted(metrics) == {"shop": 1})
        inventory.pods["shop", "p"] = pod()
        await until(lambda: counted(metrics) == {})
    assert len(api.events) == 1
    assert not api.calls, "no namespace is enabled"


async def test_an_event_is_called_rightly_however_long_the_name_of_its_object(
    tmp_path: Path,
) -> None:
    api = PodApi()
    owner = replace(OWNER, name=f"{'a' * 198}-.{'b' * 40}")
    inventory = Inventory(pods={("shop", "p"): pod(missed_by=owner)})
    async with looking(api, inventory, tmp_path):
        await until(lambda: len(api.events) == 1)
    (event,) = api.events
    assert event["metadata"]["name"].startswith(f"{'a' * 198}.")
