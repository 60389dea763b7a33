"""The cluster, the images, the chart and the applications of the end-to-end tests.

These tests are not collected by default (`norecursedirs`): `make e2e` names their directory.
"""

import os
from collections.abc import Iterator

import pytest

from tests.e2e.building import BUILT, Images, build_images
from tests.e2e.figures import Figures
from tests.e2e.kubectl import Kubectl
from tests.e2e.objects import MODELS, namespace
from tests.e2e.places import Place, found_place
from tests.e2e.release import Release, helm_program
from tests.e2e.stage import Stage

FIGURES = pytest.StashKey[Figures]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[FIGURES] = Figures()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    figures = list(config.stash[FIGURES].lines())
    if figures:
        terminalreporter.section("measured")
        for line in figures:
            terminalreporter.line(line)


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    return pytestconfig.stash[FIGURES]


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """A cluster with nodes, or a skip that says how to get one."""
    with found_place() as found:
        yield found


@pytest.fixture(scope="session")
def images(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Images:
    return build_images(place, tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def kubectl(place: Place) -> Kubectl:
    return Kubectl(place.kubeconfig)


@pytest.fixture(scope="session")
def release(kubectl: Kubectl, images: Images) -> Release:
    """The chart, installed."""
    found = Release(kubectl, helm_program(), images)
    if not os.environ.get(BUILT):
        found.remove_leftovers()
    kubectl.apply(namespace(MODELS))  # the chart gives rights there
    found.install()
    return found


@pytest.fixture(scope="session")
def stage(
    place: Place, images: Images, kubectl: Kubectl, release: Release, figures: Figures
) -> Stage:
    """Applications that are served."""
    found = Stage(place, images, kubectl, release, figures)
    found.set_up()
    return found
