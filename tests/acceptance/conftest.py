"""What all acceptance tests share: the cases, a fake that serves one, and eight sidecars."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack

import pytest

from penstock_cli.stub import StubProvider
from tests.acceptance.caller import Caller, caller
from tests.acceptance.counters import Counters, counters
from tests.acceptance.fleet import Fleet, fleet
from tests.acceptance.registry import CASES, PROVIDERS, Case
from tests.conftest import running_redis
from tests.ports import free_port
from tests.servers.binaries import any_server


@pytest.fixture(params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    """Every endpoint with every type of provider."""
    found = request.param
    assert isinstance(found, Case)
    return found


@pytest.fixture(scope="session")
def fake_ports() -> Mapping[str, int]:
    """One for each type of provider, so that a configuration outlives a test's fake."""
    return {kind.type: free_port() for kind in PROVIDERS}


@pytest.fixture
async def fakes(fake_ports: Mapping[str, int]) -> AsyncIterator[Mapping[str, StubProvider]]:
    """One provider of each type."""
    async with AsyncExitStack() as stack:
        yield {
            kind.type: await stack.enter_async_context(kind.fake(port=fake_ports[kind.type]))
            for kind in PROVIDERS
        }


@pytest.fixture
def fake(case: Case, fakes: Mapping[str, StubProvider]) -> StubProvider:
    """The provider that serves the case."""
    return fakes[case.provider.type]


@pytest.fixture
async def application() -> AsyncIterator[Caller]:
    async with caller() as asking:
        yield asking


@pytest.fixture(scope="session")
def eight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Eight sidecars and a Redis that no test empties: keep counters apart by `SUBJECT`, or by the
    names of policies and providers."""
    folder = tmp_path_factory.mktemp("fleet")
    with running_redis(any_server(), folder) as url, fleet(folder, url) as running:
        yield running


@pytest.fixture
def counts(eight: Fleet) -> Iterator[Counters]:
    """What the eight have counted."""
    with counters(eight.redis_url) as found:
        yield found
