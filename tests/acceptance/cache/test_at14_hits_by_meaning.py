"""AT14 and AT17, level 3: what is found by its meaning costs nothing, and only good answers are."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from penstock_cli.stub import EMPTY, Behaviour, Broken, Ok
from penstock_config.cache import Cache
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from tests.planes.meaning import ASKED, KEPT, Meaning, meaning, said
from tests.planes.plane import chat

HITS = 10
ONE_A_MINUTE = RateLimits(requests_per_minute=1, window_seconds=60)


@pytest.fixture
async def cache(tmp_path: Path, redis_url: str) -> AsyncIterator[Meaning]:
    async with meaning(tmp_path, redis_url) as found:
        yield found


async def test_at14_hits_by_meaning_take_nothing_of_providers_limits(cache: Meaning) -> None:
    config = cache.plane.config()
    main, *others = config.providers
    bound = (main.model_copy(update={"limits": ONE_A_MINUTE}), *others)
    await cache.publish(config=config.model_copy(update={"providers": bound}))
    await cache.keep(KEPT, model="solo")
    for _ in range(HITS):
        assert said(await cache.ask(ASKED, model="solo")) == "hit-semantic"
    other = await cache.plane.ask({**chat("Who was Kepler?"), "model": "solo"})
    assert other.status == 429, "the one that was there has gone to the first request"


@pytest.mark.parametrize("counts", [False, True], ids=["free", "counted"])
async def test_at14_whether_they_take_of_the_callers_is_the_policys_to_say(
    cache: Meaning, counts: bool
) -> None:
    limits = RateLimits(requests_per_minute=3, window_seconds=60)
    config = cache.plane.config(limits=(CallerLimit(name="app", per="App", limits=limits),))
    await cache.publish(Cache(count_hits_against_limits=counts), config)
    await cache.keep(KEPT)
    statuses = [(await cache.plane.ask(chat(ASKED))).status for _ in range(4)]
    assert statuses == ([200, 200, 429, 429] if counts else [200] * 4)


@pytest.mark.parametrize(
    "bad",
    [
        Ok(text="In the", finish="length"),
        Ok(text="In the", finish="content_filter"),
        EMPTY,
        Broken("close"),
    ],
    ids=["cut short", "filtered", "empty", "broken off"],
)
async def test_at17_no_vector_is_kept_of_an_answer_that_is_not(
    cache: Meaning, bad: Behaviour
) -> None:
    cache.plane.main.always(bad)
    await cache.plane.ask({**chat(KEPT), "model": "solo"})
    await cache.settled()
    assert cache.embedder.kept == []
    await cache.keep(KEPT, model="solo")
    assert said(await cache.ask(ASKED, model="solo")) == "hit-semantic"
