"""What the level tells the embedder, and when."""

import asyncio

import pytest

from penstock_config.cache_layout import Shelves
from penstock_config.embedder import Match
from penstock_sidecar.cache.answers import AnswerCache
from penstock_sidecar.cache.removal import BySimilarity
from penstock_sidecar.cache.semantic.level import SemanticLevel
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.store import Argument, Script
from tests.sidecar.cache.builders import (
    CALLER,
    AbsentStore,
    candidate,
    completion,
    found,
    keep,
    plain,
    question,
    request,
)
from tests.sidecar.cache.semantic.conftest import Listening, watched

ANSWER = plain(completion({"content": "Paris"}))


class SlowStore(AbsentStore):
    """Takes what is to be kept, and says nothing."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def script(
        self, _script: Script, _keys: tuple[str, ...], _arguments: tuple[Argument, ...]
    ) -> object:
        self.asked.set()
        await asyncio.Event().wait()
        raise AssertionError


def level(where: AnswerCache) -> SemanticLevel:
    assert isinstance(where._semantic, SemanticLevel)
    return where._semantic


async def test_a_caller_that_leaves_with_his_answer_keeps_no_vector_from_being_told() -> None:
    """Redis was asked by then, and does it."""
    store, listening = SlowStore(), Listening()
    where = watched(store, listening)
    collector = where.collector(question(where, request()), candidate())
    for chunk in ANSWER:
        collector.add(chunk)
    storing = asyncio.create_task(where.store(collector, 7))
    await store.asked.wait()
    storing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await storing
    await level(where).errands.settled()
    assert [vector.text for vector in listening.kept] == ["hi"]
    await where.close()


async def test_an_answer_that_redis_did_not_take_has_no_vector() -> None:
    listening = Listening()
    where = watched(AbsentStore(), listening)
    await keep(where, request(), ANSWER)
    await level(where).errands.settled()
    assert listening.kept == []
    await where.close()


async def test_what_is_near_and_cannot_be_read_is_not_taken_for_gone() -> None:
    listening = Listening(near=[Match(name="a:b", similarity=0.99)])
    where = watched(AbsentStore(), listening)
    assert await found(where, request()) is None
    await level(where).errands.settled()
    assert listening.removed == []
    assert listening.found == ["gone"]
    await where.close()


async def test_a_similarity_below_the_threshold_is_not_believed_to_be_above(
    store: RedisStore,
) -> None:
    listening = Listening()
    where = watched(store, listening)
    kept = await keep(where, request(), ANSWER)
    other = request({"messages": [{"role": "user", "content": "hello"}]})
    listening.near = [Match(name=kept.name, similarity=0.949)]
    assert await found(where, other) is None
    listening.near = [Match(name=kept.name, similarity=0.95)]
    hit = await found(where, other)
    assert hit
    assert (hit.level, hit.similarity) == ("hit-semantic", 0.95)
    assert listening.found[-2:] == ["nothing_near", "hit"]
    await where.close()


async def test_the_next_nearest_answers_where_the_nearest_is_gone(store: RedisStore) -> None:
    listening = Listening()
    where = watched(store, listening)
    kept = await keep(where, request(), ANSWER)
    listening.near = [Match(name="a:gone", similarity=1.0), Match(name=kept.name, similarity=0.96)]
    other = request({"messages": [{"role": "user", "content": "hello"}]})
    hit = await found(where, other)
    assert hit
    assert hit.similarity == 0.96
    await level(where).errands.settled()
    assert listening.removed == [["a:gone"]]
    await where.close()


async def test_similar_answers_are_removed_until_there_are_no_more(store: RedisStore) -> None:
    listening = Listening()
    where = watched(store, listening)
    names = []
    for text in ("one", "two"):
        asked = request({"messages": [{"role": "user", "content": text}]})
        names.append((await keep(where, asked, ANSWER)).name)
    listening.similar_names = [["a:gone"], [names[0]], [names[1]]]
    assert await where.remove(CALLER, BySimilarity("about", 0.9)) == 2
    assert ["a:gone"] in listening.removed, "else it would be told again and again"
    assert listening.similar_names == []
    await where.close()


async def test_removing_all_of_a_scope_says_so_once() -> None:
    listening = Listening()
    where = watched(AbsentStore(), listening)
    level(where).removed(Shelves("x:"), None)
    level(where).removed(Shelves("x:"), ())
    await level(where).errands.settled()
    assert listening.removed == [None]
    await where.close()
