"""The operator while the API server is away, comes back, or has forgotten what it said."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from penstock_config.codec import config_file_name, decode_config
from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import CONFIG_MAPS, LEASES
from tests.cluster.control_plane import required_binaries
from tests.cluster.line import line_to
from tests.cluster.objects import (
    POLICIES,
    config_map,
    delete,
    eventually,
    new_namespace,
    policy,
    put,
    put_all,
    unused_name,
    with_definitions,
)
from tests.cluster.own_plane import OwnPlane, own_plane
from tests.cluster.processes import Process, operator_environment, running

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
AFTER_AN_OUTAGE_SECONDS = 60


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnPlane]:
    """Without a watch cache: what etcd has forgotten, the API server has forgotten."""
    with own_plane(
        required_binaries(), tmp_path_factory.mktemp("plane"), watch_cache=False
    ) as found:
        yield found


@pytest.fixture(scope="module")
def server(plane: OwnPlane) -> Path:
    return with_definitions(plane.kubeconfig)


async def published(cluster: Cluster, namespace: str) -> set[str]:
    """Names of the policies in the namespace's configuration."""
    found = await config_map(cluster, namespace)
    config = decode_config(found["data"][config_file_name()].encode())
    return {each.id.partition("/")[2] for each in config.policies}


async def become(cluster: Cluster, namespace: str, *names: str) -> None:
    async def check() -> bool:
        assert await published(cluster, namespace) == {*names}
        return True

    await eventually(check, AFTER_AN_OUTAGE_SECONDS)


async def without_configuration(cluster: Cluster, namespace: str) -> bool:
    fields = "metadata.name=penstock-config"
    return not await cluster.list(CONFIG_MAPS, namespace, fields=fields)


async def test_all_that_changed_while_the_line_was_cut_is_seen(
    cluster: Cluster, plane: OwnPlane, tmp_path: Path
) -> None:
    """Created, edited and deleted; and of all that, etcd has kept the result alone."""
    own = unused_name()
    async with (
        new_namespace(cluster, own),
        new_namespace(cluster) as home,
        new_namespace(cluster) as left,
        line_to(plane.port) as line,
    ):
        environment = operator_environment(plane.kubeconfig_of("admin", line.port), own)
        with running(tmp_path / "log", environment) as process:
            for namespace in (home, left):
                await put_all(cluster, namespace)
                await become(cluster, namespace, "app")
            line.cut()
            for number in range(20):
                await put(cluster, POLICIES, policy(home, f"new-{number}"))
            await delete(cluster, POLICIES, "app", home)
            await delete(cluster, POLICIES, "app", left)
            plane.compact()
            line.mend()
            await become(cluster, home, *(f"new-{number}" for number in range(20)))
            await eventually(lambda: without_configuration(cluster, left), AFTER_AN_OUTAGE_SECONDS)
            assert process.stop() == 0, process.log


async def test_an_api_server_that_died_and_came_back_finds_the_operator_at_work(
    cluster: Cluster, plane: OwnPlane, tmp_path: Path
) -> None:
    """An outage longer than a Lease may go unrenewed ends the process; the next one waits."""
    own = unused_name()
    environment = operator_environment(plane.kubeconfig, own)
    async with (
        new_namespace(cluster, own),
        new_namespace(cluster) as home,
        kept_running(tmp_path, environment) as lives,
    ):
        await put_all(cluster, home)
        await become(cluster, home, "app")
        plane.kill_api_server()
        await eventually(lambda: waits(lives))
        assert ["LeaseLost" in each["error"] for each in lives[0].events("process.failed")] == [
            True
        ]
        await asyncio.to_thread(plane.start_api_server)
        await cluster.delete(LEASES, "penstock-operator", own)  # a container's is its own again
        await put(cluster, POLICIES, policy(home, "later"))
        await become(cluster, home, "app", "later")
        assert len(lives) == 2, "it waited, and did not end again and again"


@asynccontextmanager
async def kept_running(
    directory: Path, environment: Mapping[str, str]
) -> AsyncIterator[list[Process]]:
    """The lives of an operator that is started again whenever it ends, as by a kubelet."""
    lives: list[Process] = []

    async def keep() -> None:
        while True:
            lives.append(Process(directory / f"log-{len(lives)}", environment))
            await asyncio.to_thread(lives[-1].popen.wait)

    keeper = asyncio.create_task(keep())
    try:
        yield lives
    finally:
        keeper.cancel()
        lives[-1].kill()


async def waits(lives: list[Process]) -> bool:
    """The second life, for an API server; it says so once."""
    return len(lives) == 2 and len(lives[1].events("cluster.away")) == 1
