"""What all tests share: a real Redis, and no event loop left over."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
import redis
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import Scheduling

from tests.embedder.process import embedder_model, embedder_python
from tests.fakes.accepting import late_connections_closed
from tests.scheduling import OneCluster
from tests.servers.binaries import NAMES, any_server, redis_servers, server_named
from tests.servers.server import single

__all__ = ["embedder_model", "embedder_python", "redis_servers", "running_redis"]

# A busy machine is no defect: pytest's own time-out ends what hangs.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")

ALONE: Final = frozenset(
    Path(__file__).parent / name
    for name in (
        "acceptance/cache/test_at14_hits_by_meaning.py",
        "acceptance/cache/test_at15_isolation_by_meaning.py",
        "acceptance/cache/test_at16_false_semantic_hits.py",
        "acceptance/cache/test_at16_with_the_real_model.py",
        "acceptance/streams/test_at21_broken_streams.py",
        "acceptance/streams/test_at23_departures.py",
        "acceptance/streams/test_large_bodies.py",
        "acceptance/streams/test_silence.py",
        "acceptance/streams/test_slow_callers.py",
        "acceptance/test_at1_one_limit_over_many_sidecars.py",
        "acceptance/test_at2_tokens_reserved_before_the_call.py",
        "acceptance/test_at3_reservations_given_back.py",
        "acceptance/test_at4_no_burst_at_an_edge.py",
        "acceptance/test_at6_redis_away.py",
        "acceptance/test_at7_retry_hints.py",
        "acceptance/test_at8_what_remains.py",
        "acceptance/test_fault_matrix.py",
        "chaos/test_declared_keys.py",
        "chaos/test_failover.py",
        "chaos/test_many_users.py",
        "chaos/test_two_generations.py",
        "planes/test_global_limit.py",
    )
)
"""How fast, how soon, how much in a time, or what is answered within a deadline: they run one after
the other, with nothing beside. Single tests of other files have the marker."""
PAIRED: Final = frozenset(
    Path(__file__).parent / name
    for name in (
        "acceptance",
        "bench",
        "chaos",
        "cli/demo",
        "planes",
        "sidecar/ensemble",
        "skew",
    )
)
"""Whole processes, most of which wait: for a lease, a heartbeat, a provider. Three at a time."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.path in ALONE:
            item.add_marker(pytest.mark.alone)
        elif not PAIRED.isdisjoint(item.path.parents):
            item.add_marker(pytest.mark.paired)
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: item.path not in slow)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    """In the order in which they were collected, slow files first: else those of few tests, which
    the slowest are, would come last and one process would wait for the other."""
    config.option.loadscopereorder = False
    return OneCluster(config, log)


def pytest_sessionstart() -> None:
    """Say that there is no current loop.

    Otherwise pytest-asyncio makes one to put back after each test, and whatever calls
    `asyncio.run` drops it unclosed: a warning, and so an error, in some later test.
    """
    asyncio.set_event_loop(None)


@pytest.fixture(scope="session", autouse=True)
def _late_connections_closed() -> Iterator[None]:
    with late_connections_closed():
        yield


@contextmanager
def running_redis(executable: str, directory: Path, *options: str) -> Iterator[str]:
    """A server of its own on a free port of 127.0.0.1, without persistence; gives its URL."""
    with single(executable, directory, *options) as server:
        yield server.url


@pytest.fixture(scope="session")
def _redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(any_server(), tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(_redis_server: str) -> str:
    """A real Redis, empty."""
    _flush(_redis_server)
    return _redis_server


@pytest.fixture(scope="session", params=NAMES)
def _each_redis_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with running_redis(server_named(request.param), tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def each_redis_url(_each_redis_server: str) -> str:
    """As `redis_url`, once for every server there is: for tests of scripts."""
    _flush(_each_redis_server)
    return _each_redis_server


def _flush(url: str) -> None:
    with redis.Redis.from_url(url) as client:
        client.flushall()
        client.script_flush()
