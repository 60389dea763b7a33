"""API servers for the tests of this directory, and the means to speak to them.

A server is looked for in this order: `../shared/cluster/cluster` beside the repository,
KUBEBUILDER_ASSETS (see `make envtest`), KUBECONFIG. Without any, these tests are skipped.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import pytest

from penstock_operator.cluster import Cluster, connect
from penstock_operator.cluster.client import NAMESPACES
from tests.cluster import control_plane
from tests.cluster.control_plane import ControlPlane
from tests.cluster.objects import (
    delete,
    new_namespace,
    put,
    unused_name,
    with_definitions,
)
from tests.cluster.processes import Process, operator_environment, running

FIRST_WITH_CEL: Final = (1, 29)


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A real API server."""
    if control_plane.SCRIPT.exists():
        with control_plane.shared_cluster() as found:
            yield found
    elif assets := os.environ.get("KUBEBUILDER_ASSETS"):
        directory = tmp_path_factory.mktemp("control-plane")
        with control_plane.own_control_plane(Path(assets), directory) as found:
            yield found
    elif kubeconfig := os.environ.get("KUBECONFIG"):
        yield ControlPlane(Path(kubeconfig), controllers=True)
    else:
        pytest.skip(f"{control_plane.NONE}, or set KUBECONFIG")


@pytest.fixture(scope="session")
def kubeconfig(plane: ControlPlane) -> Path:
    """Access to a real API server, as its administrator."""
    return plane.kubeconfig


@pytest.fixture(scope="session")
def crds_kubeconfig(plane: ControlPlane) -> Path:
    """Access to a server that runs the CEL rules of CRDs."""
    if control_plane.SCRIPT.exists():
        return control_plane.shared_crds()
    if control_plane.version(plane.kubeconfig) < FIRST_WITH_CEL:
        pytest.skip("the API server knows no CEL rules: it is older than Kubernetes 1.29")
    return plane.kubeconfig


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("kubeconfig", marks=pytest.mark.cluster, id="plain"),
        pytest.param("crds_kubeconfig", marks=pytest.mark.crds, id="crds"),
    ],
)
def server(request: pytest.FixtureRequest) -> Path:
    """Access to each of the two servers, with our kinds installed. Some files have another."""
    return with_definitions(request.getfixturevalue(request.param))


@pytest.fixture
async def cluster(server: Path) -> AsyncIterator[Cluster]:
    """The server's administrator."""
    async with connect(server) as found:
        yield found


@pytest.fixture
async def own(cluster: Cluster) -> AsyncIterator[str]:
    """The operator's namespace."""
    async with new_namespace(cluster) as name:
        yield name


@pytest.fixture
async def home(cluster: Cluster) -> AsyncIterator[str]:
    """A namespace of its own."""
    async with new_namespace(cluster) as name:
        yield name


@pytest.fixture(scope="module")
def readable() -> list[str]:
    """Names of namespaces in which the operator may read Secrets: one for each test."""
    return [unused_name() for _ in range(24)]


@pytest.fixture(scope="module")
def operator(
    server: Path, readable: list[str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    """A running operator."""
    own = unused_name()

    async def prepare() -> None:
        async with connect(server) as cluster:
            await put(cluster, NAMESPACES, {"metadata": {"name": own}})

    async def clear() -> None:
        async with connect(server) as cluster:
            await delete(cluster, NAMESPACES, own)

    asyncio.run(prepare())
    environment = operator_environment(server, own, provider_namespaces=",".join(readable))
    with running(tmp_path_factory.mktemp("operator") / "log", environment) as process:
        yield process
        assert process.stop() == 0, process.log
    assert process.events("process.failed") == []
    asyncio.run(clear())


@pytest.fixture
async def watched(operator: Process, cluster: Cluster, readable: list[str]) -> AsyncIterator[str]:
    """A namespace whose Secrets the running operator may read."""
    assert operator.popen.poll() is None, operator.log
    async with new_namespace(cluster, readable.pop()) as name:
        yield name
