"""What an answer from the cache costs, beside the call that it saves, in one run.

The sidecar has core 0 to itself, with five limits, a budget and the cache on; callers, upstream and
Redis share the other. Every request is the same one, answered before the measurement begins; where
spellings differ each is another, and found by the second level. Processor time tells what a core of
its own would serve, also on a machine that others use.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench.load import Load, Measured, offer
from bench.penstock import On, configuration, sidecar
from bench.process import Server
from bench.throughput import OTHER_CORE, PROXY_CORE, redis_server
from bench.upstream import static_upstream

HEADER = ("subject", "req/s", "p50 ms", "p99 ms", "1 conn p50", "CPU us", "req/CPU s", "failed")
ROUNDS = 3
SPELT = '(" "):rep(n % 512 + 1)'
"""Lua: so many spaces at the end of the question."""
SUBJECTS: Sequence[tuple[str, On, str]] = (
    ("hit, level 1", "everything", "1"),
    ("hit, level 1 of both", "both levels", "1"),
    ("hit, level 2", "both levels", SPELT),
    ("miss, level 1", "everything", "n"),
)
"""Name, what is on, and what differs from request to request."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`cpu_us` are microseconds of the subject's processor for each request of many connections."""

    subject: str
    busy: Measured
    alone: Measured
    cpu_us: float


async def hits(folder: Path, load: Load) -> list[Cost]:
    """The call itself, then the sidecar in its ways of answering."""
    async with static_upstream(folder, OTHER_CORE) as upstream, redis_server() as redis:
        costs = [await _cost("the call itself", upstream, load, folder)]
        for name, on, varying in SUBJECTS:
            async with _answering(folder / name, upstream, on, redis) as server:
                same = replace(load, varying=varying)
                costs.append(await _cost(name, server, same, folder))
    return costs


@asynccontextmanager
async def _answering(
    folder: Path, upstream: Server, on: On, redis: Server
) -> AsyncIterator[Server]:
    config = configuration(upstream.port, on)
    async with sidecar(folder, config, redis, PROXY_CORE) as server:
        yield server


async def _cost(subject: str, server: Server, load: Load, folder: Path) -> Cost:
    """The best of some rounds: neighbours only ever take."""
    await offer(replace(load, seconds=max(1, load.seconds // 5)), server.port, folder)
    rounds = [await _round(server, load, folder) for _ in range(ROUNDS)]
    alone = [await offer(replace(load, connections=1), server.port, folder) for _ in range(ROUNDS)]
    busy = max((measured for measured, _ in rounds), key=lambda m: m.requests_per_second)
    cpu_us = min(cpu_us for _, cpu_us in rounds)
    return Cost(subject, busy, min(alone, key=lambda m: m.p50_ms), cpu_us)


async def _round(server: Server, load: Load, folder: Path) -> tuple[Measured, float]:
    """Also microseconds of its processor a request."""
    before = server.cpu_seconds()
    busy = await offer(load, server.port, folder)
    cpu_seconds = server.cpu_seconds() - before
    return busy, cpu_seconds * 1e6 / (busy.requests_per_second * load.seconds)


def hits_table(costs: Sequence[Cost]) -> str:
    """Markdown."""
    lines = ["| " + " | ".join(HEADER) + " |", "|---" + "|---:" * (len(HEADER) - 1) + "|"]
    return "\n".join([*lines, *map(_line, costs)])


def _line(cost: Cost) -> str:
    cells = (
        cost.subject,
        f"{cost.busy.requests_per_second:,.0f}",
        f"{cost.busy.p50_ms:.2f}",
        f"{cost.busy.p99_ms:.2f}",
        f"{cost.alone.p50_ms:.2f}",
        f"{cost.cpu_us:.0f}",
        f"{1e6 / cost.cpu_us:,.0f}",
        str(cost.busy.failed + cost.alone.failed),
    )
    return "| " + " | ".join(cells) + " |"
