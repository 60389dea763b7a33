"""Level 1 on a real Redis: the same request in the same scope gets the answer it got."""

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import orjson
import pytest

from penstock_config.policy import Cache
from penstock_config.policy import ExactCache as ExactConfig
from penstock_sidecar.cache.exact import ExactCache, Hit
from penstock_sidecar.model import Api, CacheControl, Caller, Chunk, Request
from penstock_sidecar.redis_store import RedisStore
from tests.sidecar.cache.builders import (
    CALLER,
    DONE,
    EXACT,
    TARGET,
    USAGE,
    AbsentStore,
    ManualClock,
    RecordingStore,
    cache,
    candidate,
    chunk,
    completion,
    event,
    keep,
    plain,
    request,
    said,
    streamed,
)

ANSWER = completion({"content": "hello"})


async def found(where: ExactCache, key: str, asked: Request | None = None) -> Hit | None:
    return await where.lookup(key, asked or request())


def body(hit: Hit | None) -> bytes:
    assert hit
    return b"".join(c.data for c in hit.chunks(stream=False, usage_wanted=False))


async def test_a_kept_answer_is_given_again_byte_by_byte(store: RedisStore) -> None:
    clock = ManualClock()
    where = cache(store, clock=clock)
    odd = b'{"id": "x",  ' + orjson.dumps(ANSWER)[1:]
    key = await keep(where, request(), [Chunk(odd, usage=USAGE, end=True)], cost_micro_usd=1_234)
    clock.now += 5.5
    hit = await found(where, key)
    assert hit
    assert body(hit) == odd
    assert (hit.provider, hit.model, hit.tier) == ("shop/groq", "small", "fast")
    assert (hit.age_seconds, hit.saved_micro_usd, hit.usage) == (5, 1_234, USAGE)
    assert hit.key_id not in key


async def test_a_streamed_answer_serves_a_plain_request(store: RedisStore) -> None:
    where = cache(store)
    await keep(where, request(stream=True), said("hel", "lo"))
    key = where.key(request(), CALLER, TARGET)
    assert key
    assert orjson.loads(body(await found(where, key))) == ANSWER


async def test_a_plain_answer_serves_a_stream(store: RedisStore) -> None:
    where = cache(store)
    key = await keep(where, request(), plain(ANSWER))
    hit = await found(where, key, request(stream=True))
    assert hit
    chunks = list(hit.chunks(stream=True, usage_wanted=False))
    assert b'"content":"hello"' in b"".join(c.data for c in chunks)
    assert chunks[-1].data == DONE.data


async def test_nothing_kept_is_a_miss(store: RedisStore) -> None:
    where = cache(store)
    key = where.key(request(), CALLER, TARGET)
    assert key
    assert await found(where, key) is None


async def test_a_lookup_is_one_get_and_keeping_is_one_set(store: RedisStore) -> None:
    recording = RecordingStore(store)
    where = cache(recording)
    key = await keep(where, request(), plain(ANSWER))
    await found(where, key)
    assert [command[0] for command in recording.commands] == ["SET", "GET"]


async def test_lifetimes_are_the_policys_give_or_take_a_tenth(store: RedisStore) -> None:
    where = cache(store)
    lifetimes = set()
    for seed in range(20):
        key = await keep(where, request({"seed": seed}), plain(ANSWER))
        left = await store.command("PTTL", key)
        assert isinstance(left, int)
        assert 80_000 < left <= 110_000
        lifetimes.add(left // 1000)
    assert len(lifetimes) > 5


async def test_a_caller_may_ask_for_a_shorter_lifetime_but_not_for_a_longer(
    store: RedisStore,
) -> None:
    where = cache(store)
    for seconds, most in ((5, 5_000), (5_000, 110_000)):
        asked = request({"seed": seconds}, control=CacheControl(store_seconds=seconds))
        left = await store.command("PTTL", await keep(where, asked, plain(ANSWER)))
        assert isinstance(left, int)
        assert 0 < left <= most
    asked = request({"seed": 0}, control=CacheControl(store_seconds=0))
    assert await found(where, await keep(where, asked, plain(ANSWER))) is None


async def test_a_shorter_lifetime_holds_for_what_is_already_kept(store: RedisStore) -> None:
    clock = ManualClock()
    key = await keep(cache(store, clock=clock), request(), plain(ANSWER))
    clock.now += 20
    shorter = Cache(exact=ExactConfig(ttl_seconds=10))
    assert await found(cache(store, clock=clock), key)
    assert await found(cache(store, shorter, clock=clock), key) is None


async def test_redis_away_is_a_miss_and_keeps_nothing() -> None:
    where = cache(AbsentStore())
    key = await keep(where, request(), plain(ANSWER))
    assert await found(where, key) is None


async def test_without_redis_in_the_configuration_the_cache_is_off() -> None:
    assert cache(None).key(request(), CALLER, TARGET) is None


async def test_a_cache_that_the_policy_does_not_set_is_off(store: RedisStore) -> None:
    assert cache(store, Cache()).key(request(), CALLER, TARGET) is None


@pytest.mark.parametrize("damage", [b"", b"x", b"\0" * 200])
async def test_an_entry_that_is_not_ours_is_a_miss_and_deleted(
    store: RedisStore, damage: bytes
) -> None:
    where = cache(store)
    key = await keep(where, request(), plain(ANSWER))
    await store.command("SET", key, damage)
    assert await found(where, key) is None
    assert await store.command("EXISTS", key) == 0


async def test_an_entry_with_one_bit_changed_is_not_ours(store: RedisStore) -> None:
    where = cache(store)
    key = await keep(where, request(), plain(ANSWER))
    sealed = await store.command("GET", key)
    assert isinstance(sealed, bytes)
    await store.command("SET", key, sealed.replace(b"hello", b"jello"))
    assert await found(where, key) is None


async def test_an_entry_moved_to_another_question_is_not_ours(store: RedisStore) -> None:
    where = cache(store)
    key = await keep(where, request(), plain(ANSWER))
    other = where.key(request({"seed": 1}), CALLER, TARGET)
    assert other
    await store.command("COPY", key, other)
    assert await found(where, other) is None


async def test_no_cache_looks_nothing_up_and_keeps_the_new_answer(store: RedisStore) -> None:
    where = cache(store)
    asked = request(control=CacheControl(no_cache=True))
    key = await keep(where, asked, plain(ANSWER))
    assert await found(where, key, asked) is None
    assert await found(where, key)


async def test_no_store_looks_up_and_keeps_nothing(store: RedisStore) -> None:
    where = cache(store)
    asked = request(control=CacheControl(no_store=True))
    key = await keep(where, asked, plain(ANSWER))
    assert await found(where, key, asked) is None
    await keep(where, request(), plain(ANSWER))
    assert await found(where, key, asked)


async def test_both_together_bypass_the_cache(store: RedisStore) -> None:
    asked = request(control=CacheControl(no_cache=True, no_store=True))
    assert cache(store).key(asked, CALLER, TARGET) is None


@pytest.mark.parametrize("api", sorted(set(get_args(Api)) - {"openai-chat"}))
async def test_other_apis_bypass_the_cache(store: RedisStore, api: Api) -> None:
    """Two of them may ask with the same document, and want different answers."""
    asked = replace(request(), api=api)
    assert cache(store).key(asked, CALLER, TARGET) is None
    assert cache(store).key(request(), CALLER, TARGET) is not None


@pytest.mark.parametrize(("max_age", "hits"), [(0, False), (30, False), (31, True), (None, True)])
async def test_max_age_takes_only_younger_answers(
    store: RedisStore, max_age: int | None, *, hits: bool
) -> None:
    clock = ManualClock()
    where = cache(store, clock=clock)
    key = await keep(where, request(), plain(ANSWER))
    clock.now += 30
    asked = request(control=CacheControl(max_age_seconds=max_age))
    assert bool(await found(where, key, asked)) is hits


async def test_a_clock_that_runs_behind_gives_age_0(store: RedisStore) -> None:
    key = await keep(cache(store, clock=ManualClock(1_000)), request(), plain(ANSWER))
    hit = await found(cache(store, clock=ManualClock(990)), key)
    assert hit
    assert hit.age_seconds == 0


@pytest.mark.parametrize(
    ("document", "cached"),
    [
        ({"temperature": 0}, True),
        ({"temperature": 0.0}, True),
        ({"temperature": 0.1}, False),
        ({"temperature": None}, False),
        ({"temperature": False}, False),
        ({"temperature": "0"}, False),
        ({}, False),
    ],
)
async def test_where_determinism_is_required_only_temperature_0_is_cached(
    store: RedisStore, document: dict[str, object], *, cached: bool
) -> None:
    settings = Cache(exact=ExactConfig(), require_deterministic=True)
    assert bool(cache(store, settings).key(request(document), CALLER, TARGET)) is cached


async def test_in_scope_user_those_whom_nobody_named_share_nothing(store: RedisStore) -> None:
    settings = Cache(exact=ExactConfig(), scope="User")
    nobody = Caller("shop", "web", "web-1")
    assert cache(store, settings).key(request(), nobody, TARGET) is None
    assert cache(store, settings).key(request(), CALLER, TARGET)


async def test_what_a_fallback_tier_answered_is_not_kept_under_the_tier_that_was_meant(
    store: RedisStore,
) -> None:
    where = cache(store)
    key = await keep(where, request(), plain(ANSWER), by=candidate(tier="deep"))
    assert await found(where, key) is None


async def test_a_model_that_was_meant_is_kept_whatever_its_tier(store: RedisStore) -> None:
    where = cache(store)
    key = await keep(
        where, request(), plain(ANSWER), by=candidate(tier="deep"), target="model:small"
    )
    assert await found(where, key)


async def test_too_large_answers_are_not_kept(store: RedisStore) -> None:
    settings = EXACT.model_copy(update={"max_entry_bytes": 2_000})
    where = cache(store, settings)
    large = completion({"content": "x" * 2_000})
    assert await found(where, await keep(where, request(), plain(large))) is None
    asked = request(stream=True)
    assert await found(where, await keep(where, asked, said(*(["x" * 100] * 21)))) is None
    assert await found(where, await keep(where, asked, said(*(["x" * 100] * 5))))


CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize("finish", ["stop", "tool_calls"])
async def test_tool_calls_are_answers(store: RedisStore, finish: str) -> None:
    where = cache(store)
    answer = completion({"tool_calls": [CALL]}, finish=finish)
    assert await found(where, await keep(where, request(), plain(answer)))


def _without(document: dict[str, object], name: str) -> dict[str, object]:
    return {key: value for key, value in document.items() if key != name}


UNFIT: dict[str, list[Chunk]] = {
    "cut plain": [Chunk(orjson.dumps(ANSWER), usage=USAGE)],
    "no usage": [Chunk(orjson.dumps(ANSWER), end=True)],
    "no usage in it": plain(_without(ANSWER, "usage")),
    "not JSON": [Chunk(b"<html>", usage=USAGE, end=True)],
    "no object": [Chunk(b"[]", usage=USAGE, end=True)],
    "error": plain({**ANSWER, "error": {"message": "x"}}),
    "no choices": plain(_without(ANSWER, "choices")),
    "zero choices": plain(completion()),
    "a choice too many": plain(completion({"content": "a"}, {"content": "b"})),
    "truncated": plain(completion({"content": "a"}, finish="length")),
    "filtered": plain(completion({"content": "a"}, finish="content_filter")),
    "unfinished": plain(completion({"content": "a"}, finish="")),
    "empty": plain(completion({"content": ""})),
    "blank": plain(completion({"content": " \n"})),
    "null": plain(completion({})),
    "parts": plain(completion({"content": [{"type": "text", "text": "a"}]})),
    "no calls": plain(completion({"tool_calls": []}, finish="tool_calls")),
    "reasoning alone": plain(completion({"reasoning_content": "hm"})),
    "nothing": [],
}
UNFIT_STREAMS: dict[str, list[Chunk]] = {
    "cut": said("a")[:-1],
    "cut before finish": said("a", finish=None),
    "truncated": said("a", finish="length"),
    "empty": said(""),
    "no usage": streamed([chunk(content="a"), chunk(finish="stop")], usage=None),
    "error in band": [*said("a")[:-1], Chunk(event({"error": {"message": "x"}})), DONE],
    "not understood": streamed([chunk(audio={"id": "a"}), chunk(content="a", finish="stop")]),
    "nothing but an end": [DONE],
}


@pytest.mark.parametrize("case", UNFIT)
async def test_at17_unfit_answers_are_never_kept(store: RedisStore, case: str) -> None:
    recording = RecordingStore(store)
    await keep(cache(recording), request(), UNFIT[case])
    assert recording.commands == []


@pytest.mark.parametrize("case", UNFIT_STREAMS)
async def test_at17_unfit_streams_are_never_kept(store: RedisStore, case: str) -> None:
    recording = RecordingStore(store)
    await keep(cache(recording), request(stream=True), UNFIT_STREAMS[case])
    assert recording.commands == []


async def test_at17_half_of_what_was_asked_for_is_not_kept(store: RedisStore) -> None:
    where = cache(store)
    two = request({"n": 2}, choices=2)
    both = completion({"content": "a"}, {"content": "b"})
    half = completion({"content": "a"}, {"content": ""})
    assert await found(where, await keep(where, two, plain(ANSWER))) is None
    assert await found(where, await keep(where, two, plain(half))) is None
    assert await found(where, await keep(where, two, plain(both)))


OTHERS: dict[str, tuple[Callable[[RedisStore], ExactCache], Caller]] = {
    "app": (cache, Caller("shop", "other", "web-1", "ann")),
    "namespace": (lambda store: cache(store, namespace="other"), CALLER),
    "policy": (lambda store: cache(store, policy="shop/other"), CALLER),
    "cluster": (lambda store: cache(store, cluster="other"), CALLER),
    "secret": (lambda store: cache(store, secret=b"other"), CALLER),
}


@pytest.mark.parametrize("tenant", OTHERS)
async def test_at15_another_tenant_never_gets_the_answer(store: RedisStore, tenant: str) -> None:
    where = cache(store)
    key = await keep(where, request(), plain(ANSWER))
    assert await found(where, key)
    build, caller = OTHERS[tenant]
    others = build(store)
    others_key = others.key(request(), caller, TARGET)
    assert others_key
    assert await found(others, others_key) is None
