"""Renews the answers that are asked for most, before they end."""

from dataclasses import replace

from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.cache.question import Question
from penstock_sidecar.model import CacheControl
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.warming.known import MOST_QUESTIONS, Known
from penstock_sidecar.warming.popular import DUE, MOST_COUNTED, MOST_TRIES, Popular
from tests.sidecar.warming.questions import SHELVES, question

LIFE_SECONDS = 100
ENDING = 99


class Shelf:
    """Where answers have the age that a test says, `age` if it says none; `None` is gone."""

    def __init__(self, age: int | None = ENDING) -> None:
        self.ages: dict[str, int | None] = {}
        self.age = age

    async def look_up(self, asked: Question) -> Hit | None:
        age = self.ages.get(asked.name, self.age)
        most = asked.request.cache_control.max_age_seconds
        if age is None or (most is not None and age >= most):
            return None
        return Hit(None, asked.form, "hit-exact", "", age)  # type: ignore[arg-type]  # age is all


def popular(store: RedisStore, shelf: Shelf, most: int = 2) -> tuple[Popular, Known]:
    known = Known()
    return Popular(store, shelf.look_up, known, most, LIFE_SECONDS), known


def ask(
    told: tuple[Popular, Known],
    name: str,
    times: int,
    shelves: Shelves = SHELVES,
    control: CacheControl | None = None,
) -> None:
    for _ in range(times):
        asked = question(name, shelves=shelves)
        asked = replace(
            asked, request=replace(asked.request, cache_control=control or CacheControl())
        )
        told[1].add(asked)
        told[0].asked(asked)


async def due(told: tuple[Popular, Known]) -> list[str]:
    return [each.name for each in await told[0].due()]


async def test_the_most_asked_are_renewed_when_they_end_or_are_gone(store: RedisStore) -> None:
    shelf = Shelf()
    told = popular(store, shelf)
    for name, times in (("a", 5), ("b", 3), ("c", 1)):
        ask(told, name, times)
    shelf.ages = {"a": 1, "b": int(DUE * LIFE_SECONDS), "c": ENDING}
    assert await due(told) == ["b"]
    shelf.ages = {"a": None, "b": None}
    assert await due(told) == ["a", "b"], "also while nobody asks"


async def test_what_was_never_kept_is_not_asked_for(store: RedisStore) -> None:
    told = popular(store, Shelf(age=None))
    ask(told, "too long", 5)
    assert await due(told) == []


async def test_what_is_kept_no_more_is_forgotten_until_it_is_kept_again(store: RedisStore) -> None:
    shelf = Shelf()
    told = popular(store, shelf)
    ask(told, "a", 5)
    for age in (ENDING, None, None):
        shelf.age = age
        [again] = await told[0].due()
        told[0].tried(again)
    assert await due(told) == []
    shelf.age = ENDING
    assert await due(told) == [], "the former one"
    shelf.age = 1
    await due(told)
    shelf.age = None
    assert await due(told) == ["a"]


async def test_what_found_no_room_was_not_tried(store: RedisStore) -> None:
    told = popular(store, Shelf())
    ask(told, "a", 5)
    for _ in range(MOST_TRIES + 1):
        assert await due(told) == ["a"]


async def test_an_answer_too_old_for_a_caller_is_not_gone(store: RedisStore) -> None:
    told = popular(store, Shelf(age=10))
    ask(told, "a", 5, control=CacheControl(max_age_seconds=5))
    assert await due(told) == []


async def test_an_answer_that_is_to_live_shorter_is_not_renewed_all_the_time(
    store: RedisStore,
) -> None:
    told = popular(store, shelf := Shelf(age=1))
    brief = CacheControl(store_seconds=LIFE_SECONDS - 1)
    ask(told, "counts", 5, control=CacheControl(store_seconds=LIFE_SECONDS))
    ask(told, "counts not", 5, control=brief)
    await due(told)
    assert await store.command("ZRANGE", SHELVES.popular, 0, -1) == [b"counts"]
    shelf.age = None
    assert await due(told) == ["counts"]
    told[1].add(replace(q := question("counts"), request=replace(q.request, cache_control=brief)))
    assert await due(told) == [], "the latest to ask wants it so"


async def test_looking_keeps_no_count_alive(store: RedisStore) -> None:
    told = popular(store, Shelf())
    ask(told, "a", 1)
    assert await due(told) == ["a"]
    await store.command("PEXPIRE", SHELVES.popular, 60_000)
    assert await due(told) == ["a"]
    assert 0 < int(await store.command("PTTL", SHELVES.popular)) <= 60_000  # type: ignore[call-overload]


async def test_a_scope_in_which_nobody_asks_any_more_is_forgotten(store: RedisStore) -> None:
    told = popular(store, Shelf())
    ask(told, "a", 1)
    await due(told)
    await store.command("DEL", SHELVES.popular)
    assert await due(told) == []
    ask(other := popular(store, Shelf()), "b", 1)
    await due(other)
    assert not told[0]._counts
    ask(told, "a", 3)
    assert await due(told) == ["a"]


async def test_what_is_remembered_of_tries_is_bounded(store: RedisStore) -> None:
    told = popular(store, Shelf(age=1), most=MOST_COUNTED)
    for number in range(MOST_QUESTIONS + 1):
        asked = question(f"n{number}")
        told[0]._seen(asked.key)
    assert len(told[0]._tries) == MOST_QUESTIONS


async def test_sidecars_count_together(store: RedisStore) -> None:
    shelf = Shelf()
    first, second = popular(store, shelf, most=1), popular(store, shelf, most=1)
    ask(first, "a", 2)
    ask(second, "a", 2)
    ask(second, "b", 3)
    assert await due(first) == ["a"]
    assert await due(second) == ["a"]


async def test_a_scope_counts_for_itself(store: RedisStore) -> None:
    other = Shelves.of("c", "shop", "main", "other")
    told = popular(store, Shelf(), most=1)
    ask(told, "a", 3)
    ask(told, "b", 1, other)
    assert await due(told) == ["a", "b"]
    assert await store.command("ZRANGE", other.popular, 0, -1) == [b"b"]


async def test_what_another_sidecar_was_asked_is_its_own_to_renew(store: RedisStore) -> None:
    ask(told := popular(store, Shelf()), "a", 2)
    assert await due(told) == ["a"]
    ask(stranger := popular(store, Shelf()), "b", 1)
    assert await due(stranger) == ["b"]


async def test_weights_add_up(store: RedisStore) -> None:
    """Asked twice, a score is higher by one than asked once: it is a binary logarithm."""
    told = popular(store, Shelf())
    ask(told, "once", 1)
    ask(told, "twice", 1)
    await due(told)
    ask(told, "twice", 1)
    await due(told)
    once, twice = [
        float(await store.command("ZSCORE", SHELVES.popular, name))  # type: ignore[arg-type]  # bytes
        for name in ("once", "twice")
    ]
    assert abs(twice - once - 1) < 0.01


async def test_a_scopes_counts_are_bounded_and_end(store: RedisStore) -> None:
    told = popular(store, Shelf())
    for number in range(MOST_COUNTED):
        ask(told, f"n{number}", 2)
    await due(told)
    ask(told, "last", 9)
    await due(told)
    assert await store.command("ZCARD", SHELVES.popular) == MOST_COUNTED
    assert int(await store.command("PTTL", SHELVES.popular)) > 0  # type: ignore[call-overload]


async def test_while_redis_is_away_counts_are_bounded_here(store: RedisStore) -> None:
    """What was counted first stays: nobody looks, so nobody empties it."""
    told = popular(store, Shelf())
    for number in range(MOST_COUNTED + 1):
        ask(told, f"n{number}", 1)
    await due(told)
    assert await store.command("ZSCORE", SHELVES.popular, f"n{MOST_COUNTED}") is None
