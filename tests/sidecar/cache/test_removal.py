"""Answers are taken away by what names them, and Redis being away is said."""

from collections.abc import Sequence

import pytest

from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.answers import AnswerCache
from penstock_sidecar.cache.entries import Entries
from penstock_sidecar.cache.entry import Seal
from penstock_sidecar.cache.memory import AnswerMemory
from penstock_sidecar.cache.removal import PAGE, ById, ByModel, BySimilarity, Everything, Removal
from penstock_sidecar.cache.semantic.embedder import EmbedderUnavailable
from penstock_sidecar.cache.shelf import Shelf
from penstock_sidecar.model import Caller
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.store import StoreUnavailable
from tests.sidecar.cache.builders import (
    CALLER,
    AbsentStore,
    ManualClock,
    cache,
    candidate,
    completion,
    keep,
    plain,
    request,
)

SHELVES = Shelves.of("c", "shop", "main", "scope")
ANSWER = plain(completion({"content": "hello"}))


def removal(store: RedisStore) -> Removal:
    shelf = Shelf(store)
    memory = AnswerMemory(ManualClock())
    return Removal(shelf, Entries(Seal(b"s"), shelf, memory, 10_000), lambda key: key[-4:], None)


async def lay(store: RedisStore, names: Sequence[str]) -> None:
    shelf = Shelf(store)
    for name in names:
        await shelf.put((SHELVES, name), b"sealed", 60_000)


async def kept(where: AnswerCache, seed: int) -> bool:
    question = where.question(request({"seed": seed}), CALLER, "model:small")
    assert question
    return await where.lookup(question) is not None


async def test_all_of_a_scope_goes_however_many_there_are(store: RedisStore) -> None:
    await lay(store, [f"t:{number:04}" for number in range(PAGE + 1)])
    other = Shelves.of("c", "shop", "main", "other")
    await Shelf(store).put((other, "t:0001"), b"sealed", 60_000)
    assert await removal(store).remove(SHELVES, Everything()) == PAGE + 1
    assert await removal(store).remove(SHELVES, Everything()) == 0
    assert await store.command("KEYS", "*:a:*") == [other.answer("t:0001").encode()]


async def test_one_is_found_beyond_the_first_page(store: RedisStore) -> None:
    await lay(store, [f"t:{number:04}" for number in range(PAGE + 5)])
    assert await removal(store).remove(SHELVES, ById("0503")) == 1
    assert await Shelf(store).get(SHELVES.answer("t:0503")) is None
    assert await Shelf(store).get(SHELVES.answer("t:0502")) == b"sealed"


async def test_by_model_is_by_who_answered(store: RedisStore) -> None:
    where = cache(store)
    for seed, name in enumerate(("small", "large", "small")):
        await keep(where, request({"seed": seed}), ANSWER, by=candidate(model=name))
    assert await where.remove(CALLER, ByModel("small")) == 2
    assert await where.remove(CALLER, ByModel("small")) == 0
    assert await where.remove(CALLER, ByModel("large")) == 1


async def test_what_is_removed_is_not_given_from_memory(store: RedisStore) -> None:
    clock = ManualClock()
    where = cache(store, clock=clock, memory=AnswerMemory(clock))
    by = candidate(model="small")
    question = await keep(where, request({"seed": 1}), ANSWER, by=by, target="model:small")
    assert await kept(where, 1)
    hit = await where.lookup(question)
    assert hit
    assert await where.remove(CALLER, ById(hit.key_id)) == 1
    assert not await kept(where, 1)


async def test_another_scope_is_out_of_reach(store: RedisStore) -> None:
    where = cache(store)
    question = await keep(where, request(), ANSWER)
    stranger = Caller("shop", "other", "other-1", "ann")
    hit = await where.lookup(question)
    assert hit
    for which in (ById(hit.key_id), ByModel("small"), Everything()):
        assert await where.remove(stranger, which) == 0
    assert await where.lookup(question)


async def test_redis_away_is_said() -> None:
    with pytest.raises(StoreUnavailable):
        await cache(AbsentStore()).remove(CALLER, Everything())


async def test_without_the_semantic_level_nothing_is_removed_by_similarity(
    store: RedisStore,
) -> None:
    with pytest.raises(EmbedderUnavailable):
        await cache(store).remove(CALLER, BySimilarity("hello", 0.9))
