"""Whose answers a lookup gives again: nobody waits for others, and others are not kept for it."""

import asyncio
from dataclasses import replace

import pytest

from penstock_config.cache import Cache, ExactCache
from penstock_sidecar.cache.flight import Flights
from penstock_sidecar.model import Request
from penstock_sidecar.redis_store import RedisStore
from tests.sidecar.cache.builders import (
    AbsentStore,
    RecordingStore,
    completion,
    found,
    keep,
    plain,
    question,
    request,
)
from tests.sidecar.cache.semantic.conftest import Listening, watched

ANSWER = plain(completion({"content": "Paris"}))
NEITHER = Cache()
DETERMINISTIC = Cache(exact=ExactCache(ttl_seconds=100), require_deterministic=True)
PLAIN = request()
DRAWN = request({"temperature": 0.7})
CRITICAL = replace(PLAIN, headers={"x-penstock-critical": "true"})
TOOLS = replace(PLAIN, tools=True)

FOUND: dict[str, tuple[Cache, Request]] = {
    "by meaning alone": (NEITHER, PLAIN),
    "by the first level": (DETERMINISTIC, request({"temperature": 0})),
    "by meaning, since the first level leaves it alone": (DETERMINISTIC, PLAIN),
    "by the first level, without a gist": (Cache(exact=ExactCache(ttl_seconds=100)), TOOLS),
}
LOST: dict[str, tuple[Cache, Request]] = {
    "tools": (NEITHER, TOOLS),
    "drawn": (NEITHER, DRAWN),
    "critical": (NEITHER, CRITICAL),
    "drawn, at both levels": (DETERMINISTIC, DRAWN),
}


@pytest.mark.parametrize("case", FOUND)
async def test_what_is_kept_is_found_by_who_asks_the_same(store: RedisStore, case: str) -> None:
    """Before the embedder has heard of it, too: those who wait look at once."""
    settings, asked = FOUND[case]
    where = watched(store, Listening(), settings)
    asking = await keep(where, asked, ANSWER)
    assert asking.findable
    assert await found(where, asking)
    await where.close()


@pytest.mark.parametrize("case", LOST)
async def test_what_no_level_finds_is_not_kept(store: RedisStore, case: str) -> None:
    settings, asked = LOST[case]
    recording = RecordingStore(store)
    where = watched(recording, Listening(), settings)
    asking = await keep(where, asked, ANSWER)
    assert not asking.findable
    assert recording.commands == []
    await where.close()


async def test_in_shadow_an_answer_is_kept_for_what_is_learnt_alone(store: RedisStore) -> None:
    listening = Listening()
    where = watched(store, listening, shadow=True)
    asking = await keep(where, PLAIN, ANSWER)
    assert not asking.findable
    assert await found(where, asking) is None
    assert asking.shadow.hit
    await where.close()


@pytest.mark.parametrize(("asked", "shadow"), [(TOOLS, False), (PLAIN, True)])
async def test_nobody_waits_for_an_answer_that_no_lookup_gives(
    asked: Request, shadow: bool
) -> None:
    where = watched(AbsentStore(), Listening(), shadow=shadow)
    flights = Flights(where.lookup, None)
    until = asyncio.get_running_loop().time() + 600
    async with (
        flights.joined(question(where, asked), until),
        flights.joined(question(where, asked), until) as second,
    ):
        assert second.result == ""
    await flights.close()
    await where.close()
