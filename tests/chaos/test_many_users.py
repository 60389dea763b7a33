"""One app whose users have no end: what is kept of them is bounded, and neighbours feel nothing."""

import asyncio
import statistics
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis

from penstock_config.budget import Amounts
from penstock_config.credentials import RedisAccess
from penstock_config.provider import RateLimits
from penstock_sidecar.limits.limiter import Limiter
from penstock_sidecar.redis_store import connect
from tests.chaos.crowd import HOLD_SECONDS, ask
from tests.chaos.figures import note
from tests.servers import any_server, single
from tests.sidecar.limits import world

MAX_SUBJECTS = 10_000
"""The default of a policy's `identity`."""
MILLION = 1_000_000
FEW = 10
FILLING = 14_000
"""Requests of random users until no further one is told apart."""
REQUESTS = 1_500
"""Of one round."""
ROUNDS = 6
SUBJECT_BYTES = 1_500
"""Of a user with one limit and one budget: two hashes, two members of sets."""
FLOOR_BYTES = 8_000_000
"""Scripts, connections, and holds that are remembered until they are swept."""
OTHER_KEYS = 50
"""Of two namespaces and a provider, what further users share among them."""
SIDECAR_GROWTH_BYTES = 12_000_000


class Crowd:
    """The process that asks in the name of users."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def asks(self, users: int, requests: int) -> int:
        """Returns its bytes of memory afterwards."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{users} {requests}\n".encode())
        return int(await self._process.stdout.readline())


@asynccontextmanager
async def crowd(redis_url: str) -> AsyncIterator[Crowd]:
    command = (sys.executable, "-m", "tests.chaos.crowd", redis_url)
    root = Path(__file__).parents[2]
    process = await asyncio.create_subprocess_exec(*command, cwd=root, stdin=PIPE, stdout=PIPE)
    try:
        yield Crowd(process)
    finally:
        process.kill()
        await process.communicate()


@asynccontextmanager
async def neighbour(redis_url: str) -> AsyncIterator[Limiter]:
    """A sidecar of another namespace, with a limit and a budget."""
    limits = (world.per_app(RateLimits(requests_per_minute=10**9)),)
    mine = world.config(
        limits=limits, budgets=(world.budget(id="else/team", limits=Amounts(total=10**12)),)
    )
    config = mine.model_copy(update={"namespace": "else"})
    store = await connect(RedisAccess(url=redis_url), deadline_seconds=10)
    limiter = world.limiter(config, store, hold_seconds=HOLD_SECONDS)
    yield limiter
    await limiter.close()
    await store.close()


async def p99_while(limiter: Limiter, busy: "asyncio.Task[int]") -> float:
    """Seconds of the neighbour's requests, one after the other, while the crowd is busy."""
    loop = asyncio.get_running_loop()
    taken = []
    while not busy.done():
        began = loop.time()
        await ask(limiter, "ann")
        taken.append(loop.time() - began)
    return statistics.quantiles(taken, n=100)[-1]


@pytest.mark.slow
async def test_a_million_users_take_no_more_room_nor_time_than_the_most_told_apart(
    tmp_path: Path,
) -> None:
    """Drawn at random from a million, far more than are told apart: from the first 10,000 on, Redis
    has no further key and no longer list, and its memory has a bound; so has the sidecar's. The
    neighbour's p99 is at most twice what it is while ten users ask as much, in turns."""
    with single(any_server(), tmp_path) as server, server.client() as client:
        async with crowd(server.url) as people, neighbour(server.url) as limiter:
            empty = used_bytes(client)
            resident = await people.asks(MILLION, FILLING)
            await p99_while(limiter, asyncio.create_task(people.asks(FEW, REQUESTS)))
            keys, full = keys_of(client), used_bytes(client)
            few, many = await in_turns(people, limiter)
            grown = await people.asks(MILLION, REQUESTS) - resident
            note(keys=keys, bytes=full - empty, later=used_bytes(client) - empty, grown=grown)
            assert keys_of(client) <= keys <= 2 * MAX_SUBJECTS + OTHER_KEYS
            assert longest_list(client) <= MAX_SUBJECTS + 1, "and what further users share"
            assert used_bytes(client) - empty <= MAX_SUBJECTS * SUBJECT_BYTES + FLOOR_BYTES
            assert grown <= SIDECAR_GROWTH_BYTES
    note(p99_few=few, p99_many=many)
    assert many <= 2 * few


async def in_turns(people: Crowd, limiter: Limiter) -> tuple[float, float]:
    """The neighbour's p99 with few and with many users: medians over rounds that alternate."""
    few: list[float] = []
    many: list[float] = []
    for _ in range(ROUNDS):
        for users, found in ((FEW, few), (MILLION, many)):
            found.append(
                await p99_while(limiter, asyncio.create_task(people.asks(users, REQUESTS)))
            )
    return statistics.median(few), statistics.median(many)


def used_bytes(client: redis.Redis) -> int:
    information: Any = client.info("memory")
    return int(information["used_memory"])


def keys_of(client: redis.Redis) -> int:
    return int(str(client.dbsize()))


def longest_list(client: redis.Redis) -> int:
    """Of users: who is told apart, who spent what. When a hold ends is listed by request."""
    lists = client.scan_iter(count=5_000, _type="zset")
    return max(int(str(client.zcard(key))) for key in lists if not key.endswith(":expiry"))
