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
from tests.scheduling import OneCluster
from tests.servers.binaries import NAMES, any_server, redis_servers, server_named
from tests.servers.server import single

__all__ = ["embedder_model", "embedder_python", "redis_servers", "running_redis"]

# A busy machine is no defect: pytest's own time-out ends what hangs.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")

PAIRED: Final = frozenset(
    Path(__file__).parent / name
    for name in (
        "acceptance/test_at5_killed_sidecar.py",
        "chaos/test_frozen_sidecar.py",
        "chaos/test_killed_in_the_dark.py",
        "chaos/test_lost_data.py",
        "chaos/test_two_generations.py",
        "cli/demo",
        "planes",
        "sidecar/ensemble",
        "skew",
    )
)
"""Whole processes, most of which wait: for a lease, a heartbeat, a provider. Two at a time."""
ALONE: Final = frozenset(
    Path(__file__).parent / name
    for name in ("acceptance", "bench", "chaos", "planes/test_global_limit.py")
)
"""Whole processes under load, against time: they run one after the other, with nothing beside."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        within = {item.path, *item.path.parents}
        if item.path in ALONE:
            item.add_marker(pytest.mark.alone)
        elif within & PAIRED:
            item.add_marker(pytest.mark.paired)
        elif within & ALONE:
            item.add_marker(pytest.mark.alone)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling:
    return OneCluster(config, log)


def pytest_sessionstart() -> None:
    """Say that there is no current loop.

    Otherwise pytest-asyncio makes one to put back after each test, and whatever calls
    `asyncio.run` drops it unclosed: a warning, and so an error, in some later test.
    """
    asyncio.set_event_loop(None)


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
