"""What lies in Redis has the same names whichever version wrote it: nothing changes its meaning.

`redis_names.txt` is what a run of the version before left, of every kind of limit and budget.
Only that version writes it (PENSTOCK_UPDATE_NAMES=1). Names that are new are in `ADDED`.
"""

import asyncio
import os
import re
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest
import redis

from tests.chaos.house import Sidecar, started
from tests.chaos.load import Load, until
from tests.chaos.meter import Meter
from tests.chaos.reading import CLOUD, TEAM, Reading
from tests.fakes.volume import Volume
from tests.operator.compile.documents import document
from tests.planes.plane import NAMESPACE
from tests.skew.mixed import Files, documents, present_operator, publish
from tests.skew.mixed import until as until_state

PINNED: Final = Path(__file__).parent / "redis_names.txt"
SHELVES: Final = "test:c:team:2:shop:{<digest>}"
ANSWER: Final = "a8bad3b34d6979e7:<digest>"
ADDED: Final = frozenset(
    {
        f"hash {SHELVES}:f:{ANSWER}",
        f"hash {SHELVES}:f:{ANSWER} fence",
        f"hash {SHELVES}:f:{ANSWER} owner",
        f"string {SHELVES}:a:{ANSWER}",
        f"zset {SHELVES}:i",
    }
)
"""Names of the present version that the one before does not write."""
GONE: Final = frozenset({f"string test:c:team:1:shop:<digest>:{ANSWER}"})
"""What the present version does not write: answers have another layout, which is in their names."""
UPDATE: Final = bool(os.environ.get("PENSTOCK_UPDATE_NAMES"))
AT_ONCE: Final = 4
OWN: Final = f"{NAMESPACE}/own"
VARYING: Final = (
    (re.compile(r"\b[0-9a-f]{32,}\b"), "<digest>"),
    (re.compile(r"(?<=:I)[0-9a-f-]+$"), "<process>"),
    (re.compile(r"^[0-9a-f]+-[0-9a-f]+$"), "<hold>"),
    (re.compile(r"(?<=60b)\d+$"), "<bucket>"),
    (re.compile(r"(?<=:)(\d{8}|\d{6}|\d{4}W\d\d)(?=:|$)"), "<label>"),
)
RATES: Final = {
    "requestsPerMinute": 1000,
    "tokensPerMinute": 100_000,
    "requestsPerDay": 10_000,
    "tokensPerDay": 1_000_000,
}


def everything(url: str) -> list[Any]:
    """Each kind of limit and budget; the provider has one slot, for which apps wait."""
    limits = [
        {"name": "app", "per": "App", "concurrentRequests": 100, **RATES},
        {"name": "pod", "per": "Pod", **RATES},
        {"name": "user", "per": "User", **RATES},
        {"name": "team", "per": "Header", "header": {"name": "x-team"}, **RATES},
    ]
    found = documents(url, limits=limits, cache={"exact": {"ttlSeconds": 600}, "scope": "User"})
    provider = next(each for each in found if each["kind"] == "LLMProvider")
    provider["spec"]["limits"] = {**RATES, "concurrentRequests": 1, "pacing": "Smooth"}
    provider["spec"]["models"][0]["limits"] = RATES
    tier = next(each for each in found if each["metadata"]["name"] == "fast")
    tier["spec"] |= {"whenSaturated": "Queue", "queue": {"maxWaitSeconds": 20, "maxLength": 100}}
    amounts = {"daily": "1", "weekly": "1", "monthly": "1", "total": "1"}
    own = document("Budget", "own", NAMESPACE, limits=amounts, perUser=amounts)
    scope = {"providers": [{"name": "cloud"}]}
    wide = document("Budget", "wide", NAMESPACE, scope=scope, limits=amounts)
    return [*found, own, wide]


def names(client: redis.Redis) -> set[str]:
    """Type and name of each key, and of each field of a hash."""
    found = set()
    for key in client.scan_iter():
        kind = str(client.type(key))
        name = plain(str(key))
        found.add(f"{kind} {name}")
        if kind == "hash":
            fields = client.hkeys(key)
            assert isinstance(fields, list)
            found |= {f"{kind} {name} {plain(str(field))}" for field in fields}
    return found


def plain(name: str) -> str:
    for pattern, word in VARYING:
        name = pattern.sub(word, name)
    return name


async def served(session: aiohttp.ClientSession, sidecar: Sidecar, user: str) -> None:
    """Asks again where Redis was late: this machine is busy."""
    asked = Load()
    while await asked.ask(session, sidecar.url, user) != 200:
        assert asked.seen.keys() == {503}, asked.reasons


async def left_by(sidecar: Sidecar, meter: Meter, client: redis.Redis) -> set[str]:
    """With requests that wait and one that is served, and when all have ended."""
    meter.gate.clear()
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        for number in range(AT_ONCE):
            group.create_task(served(session, sidecar, f"user-{number}"))
        await until(lambda: meter.arrivals and client.keys("*:waiting"))
        amid = names(client)
        meter.gate.set()
    books = Reading(client)
    await until(lambda: not books.slots() and not books.money(budget=OWN).reserved)
    await until(lambda: client.exists(TEAM.members, CLOUD.members) == len((TEAM, CLOUD)))
    return amid | names(client)


async def run(code: Path | None, folder: Path, redis_url: str) -> set[str]:
    async with AsyncExitStack() as stack:
        meter = await stack.enter_async_context(Meter())
        files: Files = await present_operator(redis_url)(everything(meter.url))
        volume = Volume(folder / "mounted")
        publish(volume, files)
        sidecar = await stack.enter_async_context(started(volume.path, code, POD_NAME="shop-x"))
        await until_state(sidecar, policy=f"{NAMESPACE}/shop", last_error=None)
        client = stack.enter_context(redis.Redis.from_url(redis_url, decode_responses=True))
        return await left_by(sidecar, meter, client)


@pytest.mark.parametrize("version", ["before", "present"])
async def test_names_in_redis_are_those_that_are_pinned(
    tmp_path: Path, code: Path, redis_url: str, version: str
) -> None:
    found = await run(code if version == "before" else None, tmp_path, redis_url)
    if UPDATE and version == "before":
        PINNED.write_text("".join(f"{name}\n" for name in sorted(found)))
    gone = GONE if version == "present" else frozenset()
    assert sorted(found - ADDED | gone) == PINNED.read_text().splitlines()
    assert not found & gone
    assert not found & ADDED or version == "present"
