"""Warms the cache of one policy; owns what goes on beside requests."""

import asyncio
from dataclasses import replace

import pytest

from penstock_sidecar.cache.flight import Flights
from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.cache.question import Question
from penstock_sidecar.model import CacheControl, Remembered, Reply, Request
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.renewal import Renewals
from penstock_sidecar.warming.asking import Asking
from penstock_sidecar.warming.following import LEAST_TIMES, Following
from penstock_sidecar.warming.known import Known
from penstock_sidecar.warming.popular import Popular
from penstock_sidecar.warming.warming import Kinds, Warming
from tests.sidecar.cache.builders import ManualClock
from tests.sidecar.warming.questions import question


async def nothing(_question: Question) -> Hit | None:
    """Nothing is kept."""


async def ending(asked: Question) -> Hit | None:
    """All is kept, and ends soon."""
    return Hit(None, asked.form, "hit-exact", "", 99)  # type: ignore[arg-type]  # its age is all


class Upstream:
    """In a pipeline's place: tells what was asked, and asks on as the pipeline would."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[Request] = asyncio.Queue()

    async def serve(self, request: Request, _reply: Reply) -> None:
        self.asked.put_nowait(request)


def warming(store: RedisStore, *, popular: bool = False, predict: bool = False) -> Warming:
    known, clock = Known(), ManualClock()
    kinds = Kinds(
        prompts=None,
        popular=Popular(store, ending, known, 1, 100) if popular else None,
        following=Following(clock) if predict else None,
    )
    renewals = Renewals(Flights(nothing, store), clock)
    return Warming(kinds, Asking(), renewals, known, look_seconds=0.01)


async def test_what_is_asked_most_is_renewed_past_the_lookup(store: RedisStore) -> None:
    warm, upstream = warming(store, popular=True), Upstream()
    warm.start(upstream.serve)
    try:
        for name in ("seldom", "often", "often"):
            warm.asked(replace(question(name), request=named(name)), upstream.serve)
        async with asyncio.timeout(30):
            renewed = await upstream.asked.get()
    finally:
        await warm.close()
    assert renewed.model == "often"
    assert renewed.cache_control.no_cache
    assert renewed.headers["x-penstock-priority"] == "low"


def named(name: str, **changes: object) -> Request:
    return replace(question(name).request, model=name, **changes)  # type: ignore[arg-type]  # fields


async def test_what_is_foreseen_is_asked_once_and_counts_for_nothing(store: RedisStore) -> None:
    warm, upstream = warming(store, predict=True), Upstream()
    for _ in range(LEAST_TIMES):
        for name in ("a", "b"):
            warm.asked(replace(question(name), request=named(name)), upstream.serve)

    async def serve(request: Request, reply: Reply) -> None:
        """As the pipeline does: warming hears of its own requests too."""
        again = replace(question(request.model), request=request)
        warm.asked(again, serve)
        await upstream.serve(request, reply)

    warm.asked(replace(question("a"), request=named("a")), serve)
    try:
        async with asyncio.timeout(30):
            foreseen = await upstream.asked.get()
    finally:
        await warm.close()
    assert foreseen.model == "b"
    assert foreseen.headers["x-penstock-priority"] == "low"
    assert upstream.asked.empty()


@pytest.mark.parametrize(
    "changes",
    [
        {"cache_control": CacheControl(no_cache=True)},
        {"cache_control": CacheControl(no_store=True)},
        {"cache_control": CacheControl(store_seconds=0)},
        {"remembered": Remembered(0, 1)},
    ],
    ids=["no-cache", "no-store", "lifetime 0", "session"],
)
async def test_what_must_not_be_asked_again_is_not_counted(
    store: RedisStore, changes: dict[str, object]
) -> None:
    warm, upstream = warming(store, predict=True), Upstream()
    for _ in range(LEAST_TIMES + 1):
        for name in ("a", "b"):
            asked = replace(question(name), request=named(name, **changes))
            warm.asked(asked, upstream.serve)
    await warm.close()
    assert upstream.asked.empty()


async def test_nobody_pays_ahead_for_what_no_lookup_would_find(store: RedisStore) -> None:
    warm, upstream = warming(store, predict=True), Upstream()
    for _ in range(LEAST_TIMES + 1):
        for name in ("a", "b"):
            asked = replace(question(name), request=named(name), findable=False)
            warm.asked(asked, upstream.serve)
    await warm.close()
    assert upstream.asked.empty()
