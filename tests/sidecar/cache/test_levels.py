"""Which level finds what, from memory or Redis, how long, and how much there may be."""

from collections.abc import Sequence

import pytest

from penstock_config.cache import Cache, NormalisedCache
from penstock_config.cache import ExactCache as ExactConfig
from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.answers import AnswerCache
from penstock_sidecar.cache.entries import Entries
from penstock_sidecar.cache.entry import Entry, Gist, Seal
from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.cache.key import Keys
from penstock_sidecar.cache.memory import BELIEVED_SECONDS, AnswerMemory
from penstock_sidecar.cache.question import Question
from penstock_sidecar.cache.shelf import Shelf
from penstock_sidecar.model import CacheControl, Request
from penstock_sidecar.redis_store import RedisStore
from tests.sidecar.cache.builders import (
    EXACT,
    AbsentStore,
    ManualClock,
    RecordingStore,
    body,
    cache,
    completion,
    found,
    keep,
    plain,
    request,
)

ANSWER = completion({"content": "hello"})


def remembering(store: RedisStore, clock: ManualClock, settings: Cache = EXACT) -> AnswerCache:
    return cache(store, settings, clock=clock, memory=AnswerMemory(clock))


async def test_what_is_asked_again_at_once_is_not_asked_of_redis(store: RedisStore) -> None:
    recording = RecordingStore(store)
    clock = ManualClock()
    where = cache(recording, clock=clock, memory=AnswerMemory(clock))
    kept = await keep(where, request(), plain(ANSWER))
    for _ in range(3):
        assert await found(where, kept)
    assert [command[0] for command in recording.commands] == ["keep"]
    clock.now += BELIEVED_SECONDS
    assert await found(where, kept)
    assert await found(where, kept)
    assert [command[0] for command in recording.commands] == ["keep", "GET"]


async def test_what_another_removed_is_gone_after_a_few_seconds(store: RedisStore) -> None:
    clock = ManualClock()
    where = remembering(store, clock)
    kept = await keep(where, request(), plain(ANSWER))
    await store.command("DEL", kept.key)
    clock.now += BELIEVED_SECONDS
    assert await found(where, kept) is None


async def test_a_younger_answer_of_another_sidecar_is_found_where_ones_own_is_too_old(
    store: RedisStore,
) -> None:
    clock = ManualClock()
    where, other = (remembering(store, clock) for _ in range(2))
    await keep(where, request(), plain(ANSWER))
    clock.now += 3
    await keep(other, request(), plain(completion({"content": "newer"})))
    fresh = request(control=CacheControl(max_age_seconds=2))
    assert b"newer" in body(await found(where, fresh))


async def test_memory_knows_when_an_answers_life_ends(store: RedisStore) -> None:
    clock = ManualClock()
    where = remembering(store, clock)
    asked = request(control=CacheControl(store_seconds=2))
    kept = await keep(where, asked, plain(ANSWER))
    clock.now += 1.9
    assert await found(where, kept)
    clock.now += 0.1
    assert await found(where, kept) is None


async def test_redis_away_is_a_miss_once_memory_is_not_believed(store: RedisStore) -> None:
    clock = ManualClock()
    memory = AnswerMemory(clock)
    await keep(cache(store, clock=clock, memory=memory), request(), plain(ANSWER))
    away = cache(AbsentStore(), clock=clock, memory=memory)
    assert await found(away)
    clock.now += BELIEVED_SECONDS
    assert await found(away) is None


async def test_no_cache_does_not_look_in_memory_either(store: RedisStore) -> None:
    clock = ManualClock()
    where = remembering(store, clock)
    await keep(where, request(), plain(ANSWER))
    assert await found(where, request(control=CacheControl(no_cache=True))) is None


BOTH = Cache(exact=ExactConfig(ttl_seconds=100), normalised=NormalisedCache(ttl_seconds=200))


@pytest.mark.parametrize(
    ("text", "age_seconds", "level"),
    [
        ("Who is it?", 0, "hit-exact"),
        ("who  is it", 0, "hit-normalised"),
        ("Who is it?", 120, "hit-normalised"),
        ("who  is it", 120, "hit-normalised"),
        ("Who is it?", 230, None),
        ("Who is she?", 0, None),
    ],
)
async def test_the_level_is_that_by_which_the_answer_fits(
    store: RedisStore, text: str, age_seconds: int, level: str | None
) -> None:
    def asked(text: str) -> Request:
        return request({"messages": [{"role": "user", "content": text}]})

    clock = ManualClock()
    where = cache(store, BOTH, clock=clock)
    await keep(where, asked("Who is it?"), plain(ANSWER))
    clock.now += age_seconds
    hit = await found(where, asked(text))
    assert (hit.level if hit else None) == level


async def test_spelling_counts_where_the_second_level_is_off(store: RedisStore) -> None:
    where = cache(store)
    await keep(where, request(), plain(ANSWER))
    spaced = request({"messages": [{"role": "user", "content": "hi "}]})
    assert await found(where, spaced) is None


async def test_a_hit_late_in_an_answers_life_is_due_for_renewal(store: RedisStore) -> None:
    clock = ManualClock()
    settings = EXACT.model_copy(update={"refresh_ahead_percent": 50})
    where = cache(store, settings, clock=clock)
    await keep(where, request(), plain(ANSWER))
    due = []
    for _ in range(8):
        clock.now += 10
        hit = await found(where)
        assert hit
        due.append(hit.due)
    assert due == sorted(due), "once due, always due"
    assert (due[0], due[-1]) == (False, True)


async def test_without_refresh_ahead_nothing_is_ever_due(store: RedisStore) -> None:
    clock = ManualClock()
    where = cache(store, clock=clock)
    await keep(where, request(), plain(ANSWER))
    clock.now += 85
    hit = await found(where)
    assert hit
    assert not hit.due


async def test_a_scope_holds_so_many_answers_and_those_that_end_first_go(
    store: RedisStore,
) -> None:
    shelf = Shelf(store, most_entries=2)
    shelves = Shelves.of("c", "shop", "main", "scope")
    assert (await shelf.put((shelves, "t:long"), b"1", 90_000)).dropped == []
    assert (await shelf.put((shelves, "t:short"), b"2", 50_000)).dropped == []
    assert (await shelf.put((shelves, "t:short"), b"2", 60_000)).dropped == [], "not a third"
    assert (await shelf.put((shelves, "t:new"), b"3", 70_000)).dropped == ["t:short"]
    names = await store.command("ZRANGE", shelves.index, 0, -1)
    assert names == [b"t:new", b"t:long"]
    left = await store.command("PTTL", shelves.index)
    assert isinstance(left, int)
    assert 70_000 < left <= 90_000


async def test_what_expired_does_not_count(store: RedisStore) -> None:
    shelf = Shelf(store, most_entries=1)
    shelves = Shelves.of("c", "shop", "main", "scope")
    await store.command("ZADD", shelves.index, 1, "t:old")
    assert (await shelf.put((shelves, "t:new"), b"1", 60_000)).dropped == []


class Unasked:
    """A semantic level that finds nothing, and notes that it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def gist(self, _question: Question) -> Gist | None:
        return None

    async def nearest(self, _question: Question, *, same: bool) -> Hit | None:
        assert same
        self.asked += 1
        return None

    def stored(self, _question: Question, _entry: Entry, _expires_at_ms: int) -> None: ...

    def removed(self, _shelves: Shelves, _names: Sequence[str] | None) -> None: ...

    async def similar(
        self, _shelves: Shelves, _text: str, _least: float
    ) -> tuple[Sequence[str], bool]:
        return (), True

    async def close(self) -> None: ...


async def test_what_is_left_to_chance_may_be_the_third_levels_alone(store: RedisStore) -> None:
    settings = EXACT.model_copy(update={"require_deterministic": True})
    clock, semantic = ManualClock(), Unasked()
    shelf, memory = Shelf(store), AnswerMemory(clock)
    entries = Entries(Seal(b"secret"), shelf, memory, 10_000)
    keys = Keys(("c", "shop", "shop/main"), "App", b"secret")
    where = AnswerCache(settings, keys, entries, clock, semantic)
    drawn, certain = request(), request({"temperature": 0})
    for asked in (drawn, certain):
        await keep(where, asked, plain(ANSWER))
    assert await found(where, drawn) is None
    assert semantic.asked == 1
    assert await found(where, certain)
