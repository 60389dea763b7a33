"""What users see of the first two levels, at a whole sidecar."""

import asyncio
import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from penstock_cli.stub import Ok, Status
from penstock_config.cache import Cache, ExactCache, NormalisedCache
from penstock_config.policy import CallerLimit, Memory
from penstock_config.provider import RateLimits
from tests.planes.plane import Plane, chat, running_plane
from tests.sidecar.http.edge import Response, exchange, head

EXACT = Cache(exact=ExactCache(ttl_seconds=600))
BOTH = Cache(exact=ExactCache(ttl_seconds=600), normalised=NormalisedCache(ttl_seconds=600))
CALLS = 2


def level(response: Response) -> str:
    return response.headers.get("x-penstock-cache", "")


def limit(**fields: Any) -> CallerLimit:
    limits = RateLimits(requests_per_minute=CALLS, window_seconds=60)
    return CallerLimit(name="app", per="App", limits=limits, **fields)


async def remove(plane: Plane, query: str, **headers: str) -> Response:
    asked = head("DELETE", f"/v1/cache?{query}", **headers)
    return await exchange(plane.ports.application, asked)


async def removed(plane: Plane, query: str, **headers: str) -> int:
    response = await remove(plane, query, **headers)
    assert response.status == 200, response.body
    count = json.loads(response.body)["removed"]
    assert isinstance(count, int)
    return count


async def test_a_hit_says_all_that_there_is_to_know(plane: Plane) -> None:
    await plane.publish(plane.config(cache=BOTH))
    first = await plane.ask(chat("What is it?"))
    exact = await plane.ask(chat("What is it?"))
    spelt = await plane.ask(chat(" what  is it"))
    assert [level(r) for r in (first, exact, spelt)] == ["miss", "hit-exact", "hit-normalised"]
    for hit in (exact, spelt):
        assert hit.body == first.body
        assert hit.headers["age"] == hit.headers["x-penstock-cache-age"]
        assert int(hit.headers["age"]) >= 0
        assert len(hit.headers["x-penstock-cache-key"]) == 16
        assert float(hit.headers["x-penstock-cost-usd"]) == 0
        saved = hit.headers["x-penstock-cost-saved-usd"]
        assert saved == first.headers["x-penstock-cost-usd"]
        assert "x-penstock-cache-similarity" not in hit.headers
    assert "age" not in first.headers
    assert len(plane.main.requests) == 1


async def test_metrics_tell_hits_by_level(plane: Plane) -> None:
    await plane.publish(plane.config(cache=BOTH))
    for text in ("What is it?", "What is it?", "what is it"):
        await plane.ask(chat(text))
    exposed = (await plane.probe("/metrics")).body.decode()
    for line in (
        'penstock_cache_hits_total{level="exact",policy="team/shop"} 1.0',
        'penstock_cache_hits_total{level="normalised",policy="team/shop"} 1.0',
        'penstock_cache_misses_total{policy="team/shop"} 1.0',
    ):
        assert line in exposed


async def test_hits_take_of_the_callers_limits_where_the_policy_counts_them(plane: Plane) -> None:
    counted = EXACT.model_copy(update={"count_hits_against_limits": True})
    await plane.publish(plane.config(cache=counted, limits=(limit(),)))
    answers = [await plane.ask(chat()) for _ in range(CALLS + 1)]
    assert [r.status for r in answers] == [200] * CALLS + [429]
    assert level(answers[1]) == "hit-exact"
    left = [r.headers["x-ratelimit-remaining-requests"] for r in answers[:CALLS]]
    assert left == ["1", "0"]
    assert int(answers[-1].headers["retry-after"]) > 0


async def test_and_nothing_where_it_does_not(plane: Plane) -> None:
    await plane.publish(plane.config(cache=EXACT, limits=(limit(),)))
    answers = [await plane.ask(chat()) for _ in range(CALLS * 5)]
    assert {r.status for r in answers} == {200}
    other = await plane.ask(chat("another"))
    assert other.headers["x-ratelimit-remaining-requests"] == "0"


async def test_counted_hits_take_no_tokens(plane: Plane) -> None:
    limits = RateLimits(tokens_per_minute=8_000, window_seconds=60)
    counted = EXACT.model_copy(update={"count_hits_against_limits": True})
    caller_limit = CallerLimit(name="app", per="App", limits=limits)
    await plane.publish(plane.config(cache=counted, limits=(caller_limit,)))
    await plane.ask(chat(max_tokens=5))
    left = [
        (await plane.ask(chat(max_tokens=5))).headers["x-ratelimit-remaining-tokens"]
        for _ in range(3)
    ]
    assert len(set(left)) == 1


async def test_a_hit_late_in_an_answers_life_renews_it_beside_requests(plane: Plane) -> None:
    """One percent of an hour has passed at once where all of it is late."""
    late = Cache(exact=ExactCache(ttl_seconds=36), refresh_ahead_percent=99)
    plane.main.queue(Ok(text="old"), Ok(text="new"))
    await plane.publish(plane.config(cache=late))
    await plane.ask(chat())
    async with asyncio.timeout(20):
        while len(plane.main.requests) < 2:
            hit = await plane.ask(chat())
            assert level(hit) == "hit-exact", "nobody waits for a renewal"
            assert b"old" in hit.body
        while b"new" not in (hit := await plane.ask(chat())).body:
            pass
    assert level(hit) == "hit-exact"
    assert len(plane.main.requests) == 2, "and it is not renewed at each hit"


async def test_a_renewal_takes_limits_and_its_refusal_harms_nobody(plane: Plane) -> None:
    late = Cache(exact=ExactCache(ttl_seconds=36), refresh_ahead_percent=99)
    one = RateLimits(requests_per_minute=1, window_seconds=60)
    await plane.publish(
        plane.config(cache=late, limits=(CallerLimit(name="app", per="App", limits=one),))
    )
    await plane.ask(chat())
    metric = 'penstock_limit_denials_total{policy="team/shop",reason="policy_rate_limited"}'
    async with asyncio.timeout(20):
        while metric not in (await plane.probe("/metrics")).body.decode():
            assert level(await plane.ask(chat())) == "hit-exact"
    assert len(plane.main.requests) == 1


async def test_no_session_remembers_a_turn_twice_for_a_renewal(plane: Plane) -> None:
    """All of them ask when the answer is due, the last ones long after."""
    late = Cache(exact=ExactCache(ttl_seconds=36), refresh_ahead_percent=99)
    await plane.publish(plane.config(cache=late, memory=Memory()))
    await plane.ask(chat())
    async with asyncio.timeout(20):
        for number in count():
            hit = await plane.ask(chat(), **{"x-penstock-session": f"s{number}"})
            assert level(hit) == "hit-exact"
            if int(hit.headers["age"]) >= 1:
                break
        assert len(plane.main.requests) == 1
        await plane.ask(chat())
        await plane.main.request(2)


async def test_more_requests_than_one_sidecar_takes_are_refused(
    tmp_path: Path, redis_url: str
) -> None:
    async with running_plane(tmp_path, redis_url, max_requests_per_second=0.5) as plane:
        answers = [await plane.ask(chat()) for _ in range(3)]
        assert [r.status for r in answers] == [200, 429, 429]
        assert json.loads(answers[1].body)["error"]["code"] == "rate_limit_exceeded"
        assert 1 <= int(answers[1].headers["retry-after"]) <= 2


async def test_a_wrong_answer_is_removed_by_the_key_that_came_with_it(plane: Plane) -> None:
    await plane.publish(plane.config(cache=EXACT))
    for text in ("one", "two"):
        await plane.ask(chat(text))
    hit = await plane.ask(chat("one"))
    assert await removed(plane, f"id={hit.headers['x-penstock-cache-key']}") == 1
    assert level(await plane.ask(chat("one"))) == "miss"
    assert level(await plane.ask(chat("two"))) == "hit-exact"
    assert await removed(plane, "id=0000000000000000") == 0


async def test_all_that_a_model_said_is_removed(plane: Plane) -> None:
    await plane.publish(plane.config(cache=EXACT))
    await plane.ask(chat("one"))
    await plane.ask({**chat("one"), "model": "large"})
    assert await removed(plane, "model=large") == 1
    assert level(await plane.ask(chat("one"))) == "hit-exact"
    assert level(await plane.ask({**chat("one"), "model": "large"})) == "miss"


async def test_all_is_removed_of_ones_own_scope_alone(plane: Plane) -> None:
    await plane.publish(plane.config(cache=EXACT.model_copy(update={"scope": "User"})))
    ann, bob = {"x-penstock-user": "ann"}, {"x-penstock-user": "bob"}
    for user in (ann, bob):
        for text in ("one", "two"):
            await plane.ask(chat(text), **user)
    hit = await plane.ask(chat("one"), **bob)
    key = hit.headers["x-penstock-cache-key"]
    assert await removed(plane, f"id={key}", **ann) == 0, "not somebody else's"
    assert await removed(plane, "all", **ann) == 2
    assert level(await plane.ask(chat("one"), **ann)) == "miss"
    assert level(await plane.ask(chat("one"), **bob)) == "hit-exact"
    assert await removed(plane, "all") == 0, "whom nobody has named shares with nobody"


@pytest.mark.parametrize(
    "query", ["", "id=", "all&id=a", "every", "model=a&similar=b", "similar=a&least=2", "least=1"]
)
async def test_what_is_to_be_removed_must_be_said_clearly(plane: Plane, query: str) -> None:
    await plane.publish(plane.config(cache=EXACT))
    await plane.ask(chat())
    assert (await remove(plane, query)).status == 400
    assert level(await plane.ask(chat())) == "hit-exact"


async def test_without_an_embedder_nothing_is_removed_by_similarity(plane: Plane) -> None:
    await plane.publish(plane.config(cache=EXACT))
    response = await remove(plane, "similar=hello")
    assert response.status == 503
    assert json.loads(response.body)["error"]["code"] == "cache_unavailable"


async def test_without_a_redis_nothing_is_kept_and_nothing_removed(tmp_path: Path) -> None:
    async with running_plane(tmp_path, None) as plane:
        await plane.publish(plane.config(cache=EXACT))
        assert [level(await plane.ask(chat())) for _ in range(2)] == ["bypass", "bypass"]
        assert await removed(plane, "all") == 0


async def test_litellms_own_words_are_heeded(plane: Plane) -> None:
    await plane.publish(plane.config(cache=EXACT))
    await plane.ask(chat())
    for cache, expected in (
        ({"no-cache": True}, "refresh"),
        ({"s-maxage": 0}, "miss"),
        ({"no-store": True}, "hit-exact"),
        ({"namespace": "mine"}, "bypass"),
        ({}, "hit-exact"),
    ):
        assert level(await plane.ask(chat(cache=cache))) == expected, cache
    assert not [seen for seen in plane.main.requests if "cache" in seen.body], "nobody is told"


async def test_cache_control_is_heeded(plane: Plane) -> None:
    await plane.publish(plane.config(cache=EXACT))
    absent = await plane.ask(chat(), **{"cache-control": "only-if-cached"})
    assert absent.status == 504
    for control, expected in (
        ("no-store", "miss"),
        ("max-age=60", "miss"),
        ("only-if-cached", "hit-exact"),
        ("max-age=60", "hit-exact"),
        ("no-cache", "refresh"),
        ("no-cache, no-store", "bypass"),
    ):
        assert level(await plane.ask(chat(), **{"cache-control": control})) == expected, control


async def test_what_was_kept_outlives_a_change_of_the_configuration(plane: Plane) -> None:
    await plane.publish(plane.config(cache=EXACT))
    await plane.ask(chat())
    await plane.publish(plane.config(cache=EXACT, limits=(limit(),)))
    assert level(await plane.ask(chat())) == "hit-exact"
    await plane.publish(plane.config(cache=Cache()))
    assert level(await plane.ask(chat())) == ""


async def test_errors_are_not_kept(plane: Plane) -> None:
    plane.main.queue(Status(400))
    await plane.publish(plane.config(cache=EXACT))
    assert (await plane.ask(chat())).status == 400
    assert level(await plane.ask(chat())) == "miss"


@pytest.mark.parametrize("asked", ["fast", "small"])
async def test_a_tier_of_other_models_answers_anew(plane: Plane, asked: str) -> None:
    """What it has by the configuration counts, not what it is called."""
    config = plane.config(cache=EXACT)
    main, backup = config.providers
    other = main.models[0].model_copy(update={"upstream_name": "another"})
    edited = main.model_copy(update={"models": (other,)})
    changed = config.model_copy(update={"providers": (edited, backup)})
    levels = []
    for published in (config, changed, config):
        await plane.publish(published)
        levels.append(level(await plane.ask(chat("Who are you?", model=asked))))
    assert levels == ["miss", "miss", "hit-exact"]
