"""Requests a second, latency and memory: upstream alone, sidecar, LiteLLM, all in one run.

The proxy under test has core 0 to itself; callers, upstream and Redis share the other.
"""

import contextlib
import shutil
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bench.litellm import litellm
from bench.load import Load, Measured, offer
from bench.penstock import On, configuration, sidecar
from bench.process import Server, free_port, running
from bench.upstream import static_upstream
from penstock_cli.embedded_redis import redis_server as redis_executable

PROXY_CORE, OTHER_CORE = 0, 1


@dataclass(frozen=True, slots=True)
class Row:
    """One subject: many connections, one connection, memory before and after."""

    subject: str
    busy: Measured
    alone: Measured
    idle_rss_mib: float
    rss_mib: float


@contextlib.asynccontextmanager
async def redis_server(executable: str | None = None) -> AsyncIterator[Server]:
    """A Redis without persistence, on the callers' core; the one at hand where none is named."""
    port = free_port()
    found = executable or shutil.which("redis-server") or redis_executable()
    command = [
        found, "--bind", "127.0.0.1", "--port", str(port), "--save", "",
        "--appendonly", "no",
    ]  # fmt: skip
    async with running(command, port, core=OTHER_CORE) as server:
        yield server


async def measure(subject: str, server: Server, load: Load, folder: Path) -> Row:
    """Warm up, then many connections, then one."""
    idle = server.rss_mib()
    await offer(replace(load, seconds=max(1, load.seconds // 5)), server.port, folder)
    busy = await offer(load, server.port, folder)
    alone = await offer(replace(load, connections=1), server.port, folder)
    return Row(subject, busy, alone, idle, server.rss_mib())


async def throughput(
    folder: Path, load: Load, subjects: Sequence[On], *, with_peer: bool
) -> list[Row]:
    """Every subject in turn, before the same upstream."""
    rows = []
    async with static_upstream(folder, OTHER_CORE) as upstream, redis_server() as redis:
        rows.append(await measure("upstream alone", upstream, load, folder))
        for on in subjects:
            config = configuration(upstream.port, on)
            async with sidecar(folder / on, config, redis, PROXY_CORE) as server:
                rows.append(await measure(f"sidecar, {on} on", server, load, folder))
        if with_peer:
            async with litellm(folder, upstream, PROXY_CORE) as peer:
                load = replace(load, key=peer.key)
                rows.append(await measure("LiteLLM, nothing on", peer.server, load, folder))
    return rows
