"""Level 3 through a whole sidecar: what an application and who runs it see."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis

from penstock_config.cache import Cache, ExactCache, SemanticCache
from penstock_config.embedder import Match, RefusalCode
from penstock_sidecar.embedding.breaker import FAILURES
from tests.planes.meaning import ASKED, KEPT, SIMILARITY, Meaning, meaning, said
from tests.planes.relay import relay

SOON_SECONDS = 0.02


@pytest.fixture
async def cache(tmp_path: Path, redis_url: str) -> AsyncIterator[Meaning]:
    async with meaning(tmp_path, redis_url) as found:
        yield found


async def test_a_question_that_means_the_same_gets_the_kept_answer(cache: Meaning) -> None:
    first = await cache.keep(answer="In the app")
    again = await cache.ask(ASKED)
    assert said(first) == "miss"
    assert said(again) == "hit-semantic"
    assert json.loads(again.body)["choices"][0]["message"]["content"] == "In the app"
    assert cache.upstream_calls == 1


async def test_the_hit_says_how_near_it_was_what_gave_it_and_what_it_saved(cache: Meaning) -> None:
    first = await cache.keep()
    hit = (await cache.ask(ASKED)).headers
    assert hit["x-penstock-cache-similarity"] == f"{SIMILARITY:.4f}"
    assert len(hit["x-penstock-cache-key"]) == 16
    assert int(hit["age"]) == int(hit["x-penstock-cache-age"])
    assert float(hit["x-penstock-cost-usd"]) == 0
    assert hit["x-penstock-cost-saved-usd"] == first.headers["x-penstock-cost-usd"]
    assert hit["x-penstock-model"] == first.headers["x-penstock-model"]


async def test_streams_and_plain_answers_serve_each_other(cache: Meaning) -> None:
    await cache.keep(answer="In the app")
    streamed = await cache.ask(ASKED, stream=True)
    assert said(streamed) == "hit-semantic"
    events = streamed.body.decode().split("\n\n")
    deltas = [json.loads(e.removeprefix("data: "))["choices"][0]["delta"] for e in events[:-2]]
    assert "".join(delta.get("content") or "" for delta in deltas) == "In the app"
    assert events[-2] == "data: [DONE]"
    assert cache.upstream_calls == 1


async def test_what_is_not_near_enough_is_asked(cache: Meaning) -> None:
    await cache.keep()
    await cache.publish(threshold=SIMILARITY + 0.001)
    assert said(await cache.ask(ASKED)) == "miss"
    assert cache.upstream_calls == 2


async def test_the_guard_has_the_last_word(cache: Meaning) -> None:
    kept, other = "What is 15 percent of 80?", "What is 18 percent of 80?"
    cache.embedder.near[kept, other] = 0.99
    await cache.publish(guard=True)
    await cache.keep(kept)
    assert said(await cache.ask(other)) == "miss"
    assert await cache.metric("penstock_cache_semantic_lookups_total", result="guarded") == 1


async def test_a_critical_request_is_never_compared(cache: Meaning) -> None:
    await cache.keep()
    asked = len(cache.lookups)
    assert said(await cache.ask(ASKED, {"x-penstock-critical": "true"})) == "miss"
    assert len(cache.lookups) == asked


async def test_a_caller_may_ask_for_fresh_answers_alone(cache: Meaning) -> None:
    await cache.keep()
    assert said(await cache.ask(ASKED, {"cache-control": "max-age=0"})) == "miss"
    assert said(await cache.ask(ASKED, {"cache-control": "no-cache"})) == "refresh"


async def test_a_text_beyond_the_models_window_is_neither_found_nor_kept(cache: Meaning) -> None:
    cache.embedder.too_long.add(ASKED)
    await cache.keep()
    assert said(await cache.ask(ASKED)) == "miss"
    metric = "penstock_cache_semantic_lookups_total"
    assert await cache.metric(metric, result="too_long") == 1
    await cache.keep("Something else")
    assert [v.text for v in cache.embedder.kept] == [KEPT, "Something else"]


async def test_a_policy_without_the_level_never_asks_the_embedder(cache: Meaning) -> None:
    config = cache.plane.config(cache=Cache(exact=ExactCache()))
    await cache.plane.publish(config)
    await cache.ask(KEPT)
    assert said(await cache.ask(KEPT)) == "hit-exact"
    assert cache.embedder.asked == []


async def test_the_levels_before_it_answer_first(cache: Meaning) -> None:
    await cache.publish(Cache(exact=ExactCache()))
    await cache.keep()
    asked = len(cache.lookups)
    assert said(await cache.ask(KEPT)) == "hit-exact"
    assert len(cache.lookups) == asked


async def test_where_it_is_the_only_level_it_answers_the_same_question_without_the_embedder(
    cache: Meaning,
) -> None:
    await cache.keep()
    await cache.embedder.stop()
    again = await cache.ask(KEPT)
    assert said(again) == "hit-semantic"
    assert again.headers["x-penstock-cache-similarity"] == "1.0000"
    assert said(await cache.ask(KEPT, temperature=0.7)) == "miss"


async def test_a_sidecar_starts_and_serves_without_its_embedder(
    tmp_path: Path, redis_url: str
) -> None:
    async with meaning(tmp_path, redis_url) as cache:
        await cache.embedder.stop()
        assert said(await cache.ask("Something else")) == "miss"
        assert await cache.metric("penstock_cache_semantic_lookups_total", result="away") == 1
        await cache.embedder.start()
        await cache.keep()
        assert said(await cache.ask(ASKED)) == "hit-semantic"


async def test_credentials_without_an_embedder_are_no_error(tmp_path: Path, redis_url: str) -> None:
    async with meaning(tmp_path, redis_url) as cache:
        await cache.plane.publish(cache.plane.config(cache=Cache(semantic=SemanticCache())))
        assert (await cache.ask(KEPT)).status == 200
        assert cache.embedder.asked == []


async def test_no_request_waits_for_an_embedder_that_does_not_answer(
    tmp_path: Path, redis_url: str
) -> None:
    """That any comes back at all says so: the embedder never answers."""
    async with meaning(tmp_path, redis_url, embedder_deadline_seconds=SOON_SECONDS) as cache:
        cache.embedder.silent.set()
        for number in range(FAILURES + 3):
            assert said(await cache.ask(f"{KEPT} {number}")) == "miss"
        name = "penstock_cache_semantic_lookups_total"
        late = await cache.metric(name, result="late")
        paused = await cache.metric(name, result="paused")
        assert late >= FAILURES
        assert paused >= 1, "it is left alone after that"
        assert late + paused == FAILURES + 3


async def test_an_embedder_that_lost_its_memory_is_told_anew(cache: Meaning) -> None:
    await cache.keep()
    cache.embedder.forget()
    assert said(await cache.ask(ASKED)) == "miss"
    await cache.embedder.until(lambda: len(cache.embedder.kept) == 1)
    cache.embedder.near["What about savings?", ASKED] = SIMILARITY
    assert said(await cache.ask("What about savings?")) == "hit-semantic"


@pytest.mark.parametrize("code", [RefusalCode.OVERLOADED, RefusalCode.UNAUTHORISED])
async def test_one_that_refuses_is_a_miss(cache: Meaning, code: RefusalCode) -> None:
    await cache.keep()
    cache.embedder.refuses = code
    assert said(await cache.ask(ASKED)) == "miss"


async def test_names_that_the_embedder_makes_up_lead_nowhere(cache: Meaning) -> None:
    await cache.keep()
    invented = ("0000:1111", "a:b:c", "..", cache.embedder.kept[0].partition)
    cache.embedder.says = [Match(name=name, similarity=1.0) for name in invented]
    assert said(await cache.ask(ASKED)) == "miss"


async def test_an_answer_of_another_partition_is_not_given_whatever_the_embedder_says(
    cache: Meaning,
) -> None:
    await cache.keep()
    cache.embedder.says = [Match(name=cache.embedder.kept[0].name, similarity=1.0)]
    assert said(await cache.ask(ASKED, max_tokens=7)) == "miss"
    assert said(await cache.ask(ASKED)) == "hit-semantic"


async def test_an_answer_that_somebody_changed_in_redis_is_not_given(
    cache: Meaning, redis_url: str
) -> None:
    await cache.keep()
    with redis.Redis.from_url(redis_url) as client:
        (key,) = client.keys("*:a:*")
        data = client.get(key)
        assert isinstance(data, bytes)
        client.set(key, data.replace(b"In the app", b"By the way"))
    assert said(await cache.ask(ASKED)) == "miss"


async def test_vectors_whose_answers_are_gone_are_taken_away(
    cache: Meaning, redis_url: str
) -> None:
    await cache.keep()
    name = cache.embedder.kept[0].name
    with redis.Redis.from_url(redis_url) as client:
        client.delete(*client.keys("*:a:*"))
    assert said(await cache.ask(ASKED)) == "miss"
    await cache.embedder.until(lambda: name not in [v.name for v in cache.embedder.kept])


async def test_a_redis_that_is_away_costs_no_vector(tmp_path: Path, redis_url: str) -> None:
    """What cannot be read is not gone."""
    async with relay(redis_url) as proxy, meaning(tmp_path, proxy.url) as cache:
        await cache.keep()
        await proxy.cut()
        assert said(await cache.ask(ASKED)) == "miss"
        await cache.settled()
        assert KEPT in [v.text for v in cache.embedder.kept]


async def test_no_word_of_a_question_is_in_a_key(cache: Meaning, redis_url: str) -> None:
    await cache.keep()
    await cache.ask(ASKED)
    with redis.Redis.from_url(redis_url) as client:
        keys = b" ".join(client.keys("*"))
    assert b"savings" not in keys
    told = cache.embedder.kept[0]
    assert "savings" not in f"{told.shelf} {told.partition} {told.name}"


async def test_a_vector_lives_as_long_as_its_answer_at_this_level(cache: Meaning) -> None:
    before_ms = time.time() * 1000
    await cache.publish(Cache(exact=ExactCache(ttl_seconds=6000)), ttl_seconds=60)
    await cache.keep()
    assert 0 < cache.embedder.kept[0].expires_at_ms - before_ms < 120_000


async def test_hits_are_counted_by_how_near_they_were(cache: Meaning) -> None:
    await cache.publish(threshold=0.5)
    asked = {"high": 0.96, "medium": 0.95, "low": 0.85}
    await cache.keep()
    for band, similarity in asked.items():
        cache.embedder.near[KEPT, band] = similarity
        assert said(await cache.ask(band)) == "hit-semantic"
    name = "penstock_cache_semantic_hits_total"
    for band in asked:
        assert await cache.metric(name, similarity_range=band, shadow="false") == 1
    assert await cache.metric("penstock_cache_semantic_lookups_total", result="hit") == 3
    assert await cache.metric("penstock_cache_hits_total", level="semantic") == 3
