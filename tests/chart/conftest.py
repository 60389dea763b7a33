"""Without Helm these tests are skipped by name."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from penstock_operator.cluster import Cluster, connect
from tests.chart.release import Release
from tests.chart.rendering import NONE, program, run
from tests.cluster.control_plane import required_binaries
from tests.cluster.own_plane import own_plane

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if program() is None:
        for item in items:
            if item.path.is_relative_to(HERE):
                item.add_marker(pytest.mark.skip(reason=NONE))


@pytest.fixture(scope="session")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A control plane of its own: what the chart makes belongs to no namespace."""
    with own_plane(required_binaries(), tmp_path_factory.mktemp("plane")) as plane:
        plane.start_namespace_controller()
        yield plane.kubeconfig


@pytest.fixture
async def cluster(kubeconfig: Path) -> AsyncIterator[Cluster]:
    async with connect(kubeconfig) as found:
        yield found


@pytest.fixture(params=["3", "4"])
def release(request: pytest.FixtureRequest, kubeconfig: Path) -> Iterator[Release]:
    major = request.param
    said = run("version", "--short", HELM_MAJOR=major).stdout
    if not said.startswith(f"v{major}."):
        pytest.skip(f"this Helm is {said.strip()}, not {major}")
    found = Release(kubeconfig, major)
    found.install()
    yield found
    found.uninstall()
