"""What five limits and a budget cost Redis, by its own count, on every server that is there."""

import hashlib
import statistics
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

import redis

from bench.booking import EMPTY, IN_FLIGHT, Booking, booking
from bench.penstock import WINDOW_SECONDS
from bench.redis_cost import Batch, ServerCost, cheapest, parsed
from bench.throughput import redis_server
from penstock_sidecar.store import Script
from tests.servers.binaries import redis_servers

BATCHES: Final = 8
WARM_UP_SECONDS: Final = WINDOW_SECONDS + 1
CALLS_PER_REQUEST: Final = 4
"""Two groups, acquire and settle: what the floors are asked for."""
SLOW_US: Final = 6
"""Less than any script takes; more than the commands that it calls, which would be logged too, and
the time for that counted as the script's."""
NOTHING: Final = Script("empty", EMPTY, hashlib.sha1(EMPTY.encode()).hexdigest())


async def redis_costs(requests: int) -> list[ServerCost]:
    """`requests` in each batch."""
    return [await _cost(name, path, requests) for name, path in redis_servers().items()]


async def _cost(name: str, executable: str, requests: int) -> ServerCost:
    async with redis_server(executable) as server:
        url = f"redis://127.0.0.1:{server.port}"
        async with booking(url) as subject:
            with redis.Redis.from_url(url, protocol=2) as client:
                await _warm_up(subject)
                return await _measure(name, subject, client, requests)


async def _warm_up(subject: Booking) -> None:
    until = time.monotonic() + WARM_UP_SECONDS
    while time.monotonic() < until:
        await subject.requests(IN_FLIGHT)


async def _measure(name: str, subject: Booking, client: "redis.Redis", requests: int) -> ServerCost:
    """The floors are measured between the batches, so that a busy minute hits all alike."""
    booked, empty, increments = [], [], []
    calls = requests * CALLS_PER_REQUEST

    async def batch(work: Callable[[], Awaitable[None]]) -> Batch:
        client.config_resetstat()
        await work()
        return Batch(requests, parsed(client.info("commandstats")))

    for _ in range(BATCHES):
        booked.append(await batch(lambda: subject.requests(requests)))
        empty.append(await batch(lambda: subject.empty_scripts(calls, NOTHING)))
        increments.append(await batch(lambda: subject.increments(calls)))
    with _slow_log(client, requests, subject.store.names) as by_script:
        await subject.requests(requests)
    return ServerCost(
        server=f"{name} {_version(client)}",
        best=cheapest(booked, "evalsha"),
        empty_script=cheapest(empty, "evalsha"),
        increment=cheapest(increments, "incrby"),
        by_script=by_script,
    )


@contextmanager
def _slow_log(
    client: "redis.Redis", requests: int, names: Mapping[str, str]
) -> Iterator[dict[str, float]]:
    """Scripts count as slow while the block lasts, which makes so many requests; filled when it
    ends."""
    length = 2 * CALLS_PER_REQUEST * requests
    client.config_set("slowlog-max-len", length)
    client.slowlog_reset()
    client.config_set("slowlog-log-slower-than", SLOW_US)
    medians: dict[str, float] = {}
    yield medians
    client.config_set("slowlog-log-slower-than", -1)
    entries = client.slowlog_get(length)
    calls = _calls(((entry["command"], entry["duration"]) for entry in entries), names)
    for name, durations in sorted(calls.items()):
        if len(durations) > requests / 2:  # the others are not part of a request
            medians[name] = statistics.median(durations)


def _calls(entries: Iterable[tuple[bytes, int]], names: Mapping[str, str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for command, microseconds in entries:
        words = command.decode(errors="replace").split()
        if words[0].lower() == "evalsha" and words[1] in names:
            group = "provider" if ":p:" in words[3] else "namespace"
            found[f"{names[words[1]]} {group}"].append(microseconds)
    return found


def _version(client: "redis.Redis") -> str:
    server = client.info("server")
    return str(server.get("valkey_version") or server["redis_version"])
