"""From a saved resource to `status.sidecars`: API server, operator, Redis, sidecars are real.

What a kubelet does is a stand-in's: it brings a pod's files up to date when the pod is touched.
"""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from penstock_operator.cluster import Cluster, NotFound
from penstock_operator.cluster.client import Document
from tests.cluster.control_plane import required_binaries
from tests.cluster.kubelet import Kubelet
from tests.cluster.objects import (
    PROVIDERS,
    TIERS,
    config_map,
    eventually,
    provider,
    put,
    put_all,
    tier,
    with_definitions,
)
from tests.cluster.own_plane import OwnPlane, own_plane
from tests.cluster.pods import DIGEST, create, mark, pod, ready_is
from tests.cluster.processes import Process, operator_environment, running
from tests.planes.shipped import running as sidecar_running
from tests.servers import any_server, single
from tests.servers.server import Server
from tests.sidecar.http.edge import exchange, head

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
ALL = {"total": 2, "current": 2, "stale": 0, "rejected": 0}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPlane]:
    with own_plane(required_binaries(), tmp_path_factory.mktemp("plane")) as found:
        yield found


@pytest.fixture(scope="module")
def server(plane: OwnPlane) -> Path:
    return with_definitions(plane.kubeconfig)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Server]:
    """A Redis that may be ended."""
    with single(any_server(), tmp_path) as found:
        yield found


@pytest.fixture
def operator(
    plane: OwnPlane, own: str, home: str, books: Server, tmp_path: Path
) -> Iterator[Process]:
    """As it ships: no interval is changed."""
    settings = {"redis_url": books.url, "redis_password": ""}
    environment = operator_environment(plane.kubeconfig, own, provider_namespaces=home, **settings)
    with running(tmp_path / "operator.log", environment) as process:
        yield process
        assert process.stop() == 0, process.log


@dataclass
class Running:
    """A pod whose sidecar is a process here."""

    kubelet: Kubelet
    process: asyncio.subprocess.Process
    port: int

    async def kill(self) -> None:
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def started(cluster: Cluster, made: Document, folder: Path) -> AsyncIterator[Running]:
    """With files as the pod's kubelet has them, from the start until the end."""
    meta = made["metadata"]
    kubelet = Kubelet(cluster, meta["namespace"], folder)
    kubelet.label(app=meta["labels"]["app"])
    settings = {
        "NAMESPACE": meta["namespace"],
        "POD_NAME": meta["name"],
        "POD_UID": meta["uid"],
        "APP": "app",
    }
    async with sidecar_running(folder, None, [], **settings) as (process, ports):
        syncing = asyncio.create_task(sync_when_touched(kubelet, meta["name"]))
        try:
            yield Running(kubelet, process, ports.application)
        finally:
            syncing.cancel()
            await asyncio.wait([syncing])


async def sync_when_touched(kubelet: Kubelet, name: str) -> None:
    """As a kubelet that refreshes volumes for no other reason."""
    synced: str | None = None
    while True:
        try:
            found = await mark(kubelet.cluster, kubelet.namespace, name)
            if found != synced:
                await kubelet.sync()
                synced = found
        except NotFound:
            continue
        finally:
            await asyncio.sleep(0.05)


def folders(parent: Path) -> tuple[Path, Path]:
    """One for each pod."""
    found = parent / "one", parent / "two"
    for each in found:
        each.mkdir()
    return found


@asynccontextmanager
async def two_pods(cluster: Cluster, home: str, folder: Path) -> AsyncIterator[list[Running]]:
    """Made before any policy, as people do."""
    one_folder, two_folder = await asyncio.to_thread(folders, folder)
    made = await create(cluster, pod(home, "one"), pod(home, "two"))
    async with (
        started(cluster, made[0], one_folder) as one,
        started(cluster, made[1], two_folder) as two,
    ):
        await put_all(cluster, home)
        yield [one, two]


def waited_for(plane: OwnPlane, home: str) -> bool:
    """What people call."""
    command = [
        str(required_binaries() / "kubectl"),
        f"--kubeconfig={plane.kubeconfig}",
        f"--namespace={home}",
    ]
    wait = ["wait", "--for=condition=Ready", "routepolicy/app", "--timeout=60s"]
    done = subprocess.run([*command, *wait], capture_output=True, check=False)
    return done.returncode == 0


async def test_pain_09_an_edit_is_in_every_sidecar_and_the_policy_says_when(
    cluster: Cluster,
    plane: OwnPlane,
    home: str,
    operator: Process,
    tmp_path: Path,
) -> None:
    """By nothing but the touch: this kubelet looks at files for no other reason."""
    assert operator.popen.poll() is None
    async with two_pods(cluster, home, tmp_path) as pods:
        assert await asyncio.to_thread(waited_for, plane, home)
        before = await ready_is(cluster, home, "SidecarsCurrent", **ALL)
        await add_model(cluster, home, "large")
        for each in pods:
            await eventually(partial(serves, each, "large"))

        async def told() -> bool:
            """The status is that of the new configuration."""
            published = (await config_map(cluster, home))["metadata"]["annotations"][DIGEST]
            status = await ready_is(cluster, home, "SidecarsCurrent", **ALL)
            assert status["configDigest"] == published != before["configDigest"]
            return True

        assert await eventually(told)


async def add_model(cluster: Cluster, home: str, name: str) -> None:
    """The provider has it, and the tier serves it too."""
    grown, wider = provider(home), tier(home)
    (model,), (candidate,) = grown["spec"]["models"], wider["spec"]["models"]
    grown["spec"]["models"].append({**model, "name": name})
    wider["spec"]["models"].append({**candidate, "model": name})
    await put(cluster, PROVIDERS, grown)
    await put(cluster, TIERS, wider)


async def serves(running: Running, model: str) -> bool:
    listed = await exchange(running.port, head("GET", "/v1/models"))
    return model in [each["id"].rpartition("/")[2] for each in json.loads(listed.body)["data"]]


async def test_who_dies_who_refuses_and_who_cannot_be_heard_is_told_apart(
    cluster: Cluster,
    home: str,
    operator: Process,
    books: Server,
    tmp_path: Path,
) -> None:
    async with two_pods(cluster, home, tmp_path) as (one, two):
        await ready_is(cluster, home, "SidecarsCurrent", **ALL)
        for path in two.kubelet.folder.glob("config.v*.json"):
            path.write_bytes(b'{"schema_version": "sk-hidden"}')
        rejected = {**ALL, "current": 1, "rejected": 1}
        status = await ready_is(cluster, home, "SidecarsRejected", **rejected)
        assert "sk-hidden" not in str(status)
        await two.kubelet.sync()
        await ready_is(cluster, home, "SidecarsCurrent", **ALL)
        await one.kill()
        stale = {**ALL, "current": 1, "stale": 1}
        await ready_is(cluster, home, "SidecarsStale", **stale)
        books.kill()
        await ready_is(cluster, home, "SidecarsUnknown", total=2)
    assert operator.events("sidecars.failed") == []
