"""Shadow mode through a whole sidecar: what would have been answered, and what is learnt of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import redis

from penstock_cli.stub import Ok
from penstock_sidecar.cache.semantic.trust import MARGIN
from tests.planes.meaning import ASKED, KEPT, SIMILARITY, Meaning, meaning, said

RIGHT = "Open the app, press the plus sign, and choose Savings."
OTHER = "Galaxies are seen best from orbit, above all air."
VERDICTS = "penstock_cache_shadow_verdicts_total"


@pytest.fixture
async def cache(tmp_path: Path, redis_url: str) -> AsyncIterator[Meaning]:
    """In shadow, with one answer kept."""
    async with meaning(tmp_path, redis_url) as found:
        await found.publish(shadow=True)
        await found.keep(KEPT, RIGHT)
        yield found


async def judged(cache: Meaning, question: str, answer: str, verdict: str) -> None:
    """Asks, and returns when what would have been answered has been judged so."""
    before = await cache.metric(VERDICTS, verdict=verdict)
    await cache.keep(question, answer)
    await cache.settled()
    assert await cache.metric(VERDICTS, verdict=verdict) == before + 1


async def test_it_says_what_would_have_been_answered_and_asks_the_model(cache: Meaning) -> None:
    cache.plane.main.always(Ok(text=RIGHT))
    response = await cache.ask(ASKED)
    assert said(response) == "miss"
    what, similarity, key = response.headers["x-penstock-cache-shadow"].split()
    assert (what, similarity, len(key)) == ("would-hit", f"{SIMILARITY:.4f}", 16)
    assert cache.upstream_calls == 2
    hits = "penstock_cache_semantic_hits_total"
    assert await cache.metric(hits, shadow="true", similarity_range="high") == 1


async def test_what_is_not_near_is_said_to_be_nothing(cache: Meaning) -> None:
    response = await cache.ask("Who was Kepler?")
    assert "x-penstock-cache-shadow" not in response.headers


async def test_an_answer_that_would_have_done_stays_as_near_as_it_was(cache: Meaning) -> None:
    await judged(cache, ASKED, RIGHT, "same")
    await cache.publish()
    cache.embedder.near[KEPT, "And savings?"] = SIMILARITY
    assert said(await cache.ask("And savings?")) == "hit-semantic"


async def test_an_answer_that_would_have_been_wrong_must_be_nearer_from_then_on(
    cache: Meaning,
) -> None:
    name = cache.embedder.kept[0].name
    await judged(cache, ASKED, OTHER, "other")
    await cache.publish()
    cache.embedder.kept = [v for v in cache.embedder.kept if v.name == name]
    cache.embedder.near[KEPT, "as near"] = SIMILARITY
    cache.embedder.near[KEPT, "nearer"] = SIMILARITY + MARGIN + 0.001
    assert said(await cache.ask("as near")) == "miss"
    assert said(await cache.ask("nearer")) == "hit-semantic"


async def test_an_answer_that_was_wrong_again_is_gone_with_its_vector(
    cache: Meaning, redis_url: str
) -> None:
    name = cache.embedder.kept[0].name
    await judged(cache, ASKED, OTHER, "other")
    cache.embedder.near[KEPT, "nearer"] = SIMILARITY + MARGIN + 0.001
    await judged(cache, "nearer", OTHER, "other")
    assert name not in [v.name for v in cache.embedder.kept]
    with redis.Redis.from_url(redis_url) as client:
        assert not [key for key in client.keys("*:a:*") if key.decode().endswith(name)]


async def test_a_partition_that_is_wrong_too_often_gives_nothing(cache: Meaning) -> None:
    for number in range(2):
        kept, asked = f"kept {number}", f"asked {number}"
        cache.embedder.near[kept, asked] = SIMILARITY
        await cache.keep(kept, RIGHT)
        await judged(cache, asked, OTHER, "other")
    await cache.publish()
    fresh = "How are savings opened?"
    cache.embedder.near[KEPT, fresh] = 0.999
    cache.embedder.kept = [v for v in cache.embedder.kept if v.text == KEPT]
    assert said(await cache.ask(fresh)) == "miss"
    assert await cache.metric("penstock_cache_semantic_lookups_total", result="distrusted") == 1
    assert said(await cache.ask("asked 0", max_tokens=9)) == "miss", "another partition is asked"


async def test_what_cannot_be_told_apart_teaches_nothing(cache: Meaning, redis_url: str) -> None:
    await judged(cache, ASKED, "Use the plus sign.", "unsure")
    with redis.Redis.from_url(redis_url) as client:
        assert client.keys("*:t:*") == []


async def test_of_live_hits_as_many_are_verified_as_the_policy_says(cache: Meaning) -> None:
    await cache.publish(verify_percent=100)
    name = cache.embedder.kept[0].name
    await judged(cache, ASKED, OTHER, "other")
    await cache.publish(verify_percent=0)
    cache.embedder.kept = [v for v in cache.embedder.kept if v.name == name]
    cache.embedder.near[KEPT, "as near"] = SIMILARITY
    cache.embedder.near[KEPT, "nearer"] = SIMILARITY + MARGIN + 0.001
    assert said(await cache.ask("as near")) == "miss", "what was learnt holds"
    assert said(await cache.ask("nearer")) == "hit-semantic"
    assert await cache.metric("penstock_cache_semantic_lookups_total", result="verified") == 1


async def test_the_very_same_question_needs_no_verifying(cache: Meaning) -> None:
    await cache.publish(verify_percent=100)
    assert said(await cache.ask(KEPT)) == "hit-semantic"
