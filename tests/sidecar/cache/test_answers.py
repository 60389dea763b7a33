"""Answers on a real Redis: the same request in the same scope gets the answer it got."""

from collections.abc import Callable
from dataclasses import replace
from typing import get_args

import orjson
import pytest

from penstock_config.cache import Cache
from penstock_config.cache import ExactCache as ExactConfig
from penstock_sidecar.cache.answers import AnswerCache
from penstock_sidecar.cache.forms import form_of
from penstock_sidecar.model import Api, CacheControl, Caller, Chunk
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
    body,
    cache,
    candidate,
    completion,
    found,
    keep,
    plain,
    question,
    request,
    said,
)

ANSWER = completion({"content": "hello"})


async def test_a_kept_answer_is_given_again_byte_by_byte(store: RedisStore) -> None:
    clock = ManualClock()
    where = cache(store, clock=clock)
    odd = b'{"id": "x",  ' + orjson.dumps(ANSWER)[1:]
    kept = await keep(where, request(), [Chunk(odd, usage=USAGE, end=True)], cost_micro_usd=1_234)
    clock.now += 5.5
    hit = await found(where, kept)
    assert hit
    assert body(hit) == odd
    assert (hit.entry.provider, hit.entry.model, hit.entry.tier) == ("shop/groq", "small", "fast")
    assert hit.level == "hit-exact"
    assert (hit.age_seconds, hit.saved_micro_usd, hit.usage) == (5, 1_234, USAGE)
    assert hit.key_id not in kept.key


async def test_a_streamed_answer_serves_a_plain_request(store: RedisStore) -> None:
    where = cache(store)
    await keep(where, request(stream=True), said("hel", "lo"))
    assert orjson.loads(body(await found(where))) == ANSWER


async def test_a_plain_answer_serves_a_stream(store: RedisStore) -> None:
    where = cache(store)
    await keep(where, request(), plain(ANSWER))
    hit = await found(where, request(stream=True))
    assert hit
    pieces = list(hit.pieces(request(stream=True)))
    assert b'"content":"hello"' in b"".join(pieces)
    assert pieces[-1] == DONE.data


async def test_nothing_kept_is_a_miss(store: RedisStore) -> None:
    where = cache(store)
    assert await found(where) is None


async def test_a_lookup_is_one_get_and_keeping_is_one_script(store: RedisStore) -> None:
    recording = RecordingStore(store)
    where = cache(recording)
    kept = await keep(where, request(), plain(ANSWER))
    await found(where, kept)
    assert [command[0] for command in recording.commands] == ["keep", "GET"]


async def test_lifetimes_are_the_policys_give_or_take_a_tenth(store: RedisStore) -> None:
    where = cache(store)
    lifetimes = set()
    for seed in range(20):
        kept = await keep(where, request({"seed": seed}), plain(ANSWER))
        left = await store.command("PTTL", kept.key)
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
        left = await store.command("PTTL", (await keep(where, asked, plain(ANSWER))).key)
        assert isinstance(left, int)
        assert 0 < left <= most
    asked = request({"seed": 0}, control=CacheControl(store_seconds=0))
    assert await found(where, await keep(where, asked, plain(ANSWER))) is None


async def test_a_shorter_lifetime_holds_for_what_is_already_kept(store: RedisStore) -> None:
    clock = ManualClock()
    kept = await keep(cache(store, clock=clock), request(), plain(ANSWER))
    clock.now += 20
    shorter = Cache(exact=ExactConfig(ttl_seconds=10))
    assert await found(cache(store, clock=clock), kept)
    assert await found(cache(store, shorter, clock=clock), kept) is None


async def test_redis_away_is_a_miss_and_keeps_nothing() -> None:
    where = cache(AbsentStore())
    kept = await keep(where, request(), plain(ANSWER))
    assert await found(where, kept) is None


async def test_without_redis_in_the_configuration_the_cache_is_off() -> None:
    assert cache(None).question(request(), CALLER, TARGET) is None


async def test_a_cache_that_the_policy_does_not_set_is_off(store: RedisStore) -> None:
    assert cache(store, Cache()).question(request(), CALLER, TARGET) is None


@pytest.mark.parametrize("damage", [b"", b"x", b"\0" * 200])
async def test_an_entry_that_is_not_ours_is_a_miss_and_deleted(
    store: RedisStore, damage: bytes
) -> None:
    where = cache(store)
    kept = await keep(where, request(), plain(ANSWER))
    await store.command("SET", kept.key, damage)
    assert await found(where, kept) is None
    assert await store.command("EXISTS", kept.key) == 0


async def test_an_entry_with_one_bit_changed_is_not_ours(store: RedisStore) -> None:
    where = cache(store)
    kept = await keep(where, request(), plain(ANSWER))
    sealed = await store.command("GET", kept.key)
    assert isinstance(sealed, bytes)
    await store.command("SET", kept.key, sealed.replace(b"hello", b"jello"))
    assert await found(where, kept) is None


async def test_an_entry_moved_to_another_question_is_not_ours(store: RedisStore) -> None:
    where = cache(store)
    kept = await keep(where, request(), plain(ANSWER))
    other = question(where, request({"seed": 1}))
    await store.command("COPY", kept.key, other.key)
    assert await found(where, other) is None


async def test_no_cache_looks_nothing_up_and_keeps_the_new_answer(store: RedisStore) -> None:
    where = cache(store)
    asked = request(control=CacheControl(no_cache=True))
    await keep(where, asked, plain(ANSWER))
    assert await found(where, asked) is None
    assert await found(where)


async def test_no_store_looks_up_and_keeps_nothing(store: RedisStore) -> None:
    where = cache(store)
    asked = request(control=CacheControl(no_store=True))
    await keep(where, asked, plain(ANSWER))
    assert await found(where, asked) is None
    await keep(where, request(), plain(ANSWER))
    assert await found(where, asked)


async def test_both_together_bypass_the_cache(store: RedisStore) -> None:
    asked = request(control=CacheControl(no_cache=True, no_store=True))
    assert cache(store).question(asked, CALLER, TARGET) is None


@pytest.mark.parametrize("api", get_args(Api))
async def test_apis_without_a_form_bypass_the_cache(store: RedisStore, api: Api) -> None:
    asked = replace(request(), api=api)
    form = form_of(api)
    kept = form is not None and form.keeps(asked)
    assert bool(cache(store).question(asked, CALLER, TARGET)) is kept


async def test_one_document_asked_of_two_apis_is_two_questions(store: RedisStore) -> None:
    document = request({"store": False})
    asked = [replace(document, api=api) for api in get_args(Api) if form_of(api)]
    assert len({question(cache(store), each).key for each in asked}) == len(asked) > 1


@pytest.mark.parametrize(("max_age", "hits"), [(0, False), (30, False), (31, True), (None, True)])
async def test_max_age_takes_only_younger_answers(
    store: RedisStore, max_age: int | None, *, hits: bool
) -> None:
    clock = ManualClock()
    where = cache(store, clock=clock)
    await keep(where, request(), plain(ANSWER))
    clock.now += 30
    asked = request(control=CacheControl(max_age_seconds=max_age))
    assert bool(await found(where, asked)) is hits


async def test_a_clock_that_runs_behind_gives_age_0(store: RedisStore) -> None:
    kept = await keep(cache(store, clock=ManualClock(1_000)), request(), plain(ANSWER))
    hit = await found(cache(store, clock=ManualClock(990)), kept)
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
    assert bool(cache(store, settings).question(request(document), CALLER, TARGET)) is cached


async def test_in_scope_user_those_whom_nobody_named_share_nothing(store: RedisStore) -> None:
    settings = Cache(exact=ExactConfig(), scope="User")
    nobody = Caller("shop", "web", "web-1")
    assert cache(store, settings).question(request(), nobody, TARGET) is None
    assert cache(store, settings).question(request(), CALLER, TARGET)


async def test_what_a_fallback_tier_answered_is_not_kept_under_the_tier_that_was_meant(
    store: RedisStore,
) -> None:
    where = cache(store)
    kept = await keep(where, request(), plain(ANSWER), by=candidate(tier="deep"))
    assert await found(where, kept) is None


async def test_a_model_that_was_meant_is_kept_whatever_its_tier(store: RedisStore) -> None:
    where = cache(store)
    kept = await keep(
        where, request(), plain(ANSWER), by=candidate(tier="deep"), target="model:small"
    )
    assert await found(where, kept)


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


OTHERS: dict[str, tuple[Callable[[RedisStore], AnswerCache], Caller]] = {
    "app": (cache, Caller("shop", "other", "web-1", "ann")),
    "namespace": (lambda store: cache(store, namespace="other"), CALLER),
    "policy": (lambda store: cache(store, policy="shop/other"), CALLER),
    "cluster": (lambda store: cache(store, cluster="other"), CALLER),
    "secret": (lambda store: cache(store, secret=b"other"), CALLER),
}


@pytest.mark.parametrize("tenant", OTHERS)
async def test_at15_another_tenant_never_gets_the_answer(store: RedisStore, tenant: str) -> None:
    where = cache(store)
    kept = await keep(where, request(), plain(ANSWER))
    assert await found(where, kept)
    build, caller = OTHERS[tenant]
    others = build(store)
    others_key = others.question(request(), caller, TARGET)
    assert others_key
    assert await found(others, others_key) is None
