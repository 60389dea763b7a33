"""Several embedders hold the same, whatever each of them is told, and none holds too much."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest

from penstock_config.cache_layout import Shelves, vector_news
from penstock_config.embedder import RefusalCode
from penstock_embedder.errors import Refused
from penstock_embedder.index.vector import Vector, as_kept
from penstock_embedder.kept import Kept, Place
from penstock_embedder.library import LEAST_BYTES, Bounds, Library
from penstock_embedder.news import Change, News
from penstock_embedder.redis_client import Client
from penstock_embedder.vectors import Vectors

SHELF = Shelves.of("main", "team-a", "chat", "0a").prefix
PLACE = Place.of("team-a", SHELF, "aa", "00c0ffee")
OTHER = Place.of("team-a", SHELF, "bb", "00c0ffee")
ROOMY = Bounds(1 << 30, 10**6)
HOUR_MS = 3_600_000


def now_ms() -> int:
    return int(time.time() * 1000)


def vector(name: str) -> Vector:
    found = np.random.default_rng(list(name.encode())).standard_normal(4).astype(np.float32)
    return as_kept(found / np.linalg.norm(found))


def expired(name: str) -> Kept:
    return Kept(name, vector(name), now_ms() - 1)


class Embedder:
    """One replica's share of it, without the model and HTTP."""

    def __init__(self, client: Client, bounds: Bounds = ROOMY) -> None:
        self.vectors = Vectors(client, 4, 1000)
        self.news = News(client, "main")
        self.library = Library(self.vectors, self.news, 4, bounds, now_ms)

    async def keep(self, place: Place, name: str) -> None:
        kept = Kept(name, vector(name), now_ms() + HOUR_MS)
        assert await self.vectors.keep(place, kept)
        self.library.put(place, kept)
        change = Change("add", place.shelf, (place.member,), (name,))
        await self.news.tell(place.namespace, change)

    async def remove(self, place: Place, *names: str) -> None:
        """Without names: all of it."""
        if names:
            await self.vectors.remove([place], names)
            self.library.remove(place, names)
        else:
            await self.vectors.drop(place)
            self.library.drop(place)
        change = Change("remove", place.shelf, (place.member,), names)
        await self.news.tell(place.namespace, change)

    async def names(self, place: Place) -> Sequence[str]:
        partition = await self.library.partition(place)
        return sorted(name for span in partition.view() for name in span.names if name in partition)

    async def hear(self, *, look: bool = False) -> None:
        await self.news.hear(self.library, look=look)


@asynccontextmanager
async def embedders(client: Client, *, bounds: Bounds = ROOMY) -> AsyncIterator[list[Embedder]]:
    found = [Embedder(client, bounds) for _ in range(2)]
    yield found
    for each in found:
        await each.library.close()


async def test_what_one_keeps_and_removes_the_other_hears_of(client: Client) -> None:
    async with embedders(client) as (one, two):
        await one.keep(PLACE, "t:1")
        assert await two.names(PLACE) == ["t:1"], "loaded when it is first asked for"
        await one.keep(PLACE, "t:2")
        await one.remove(PLACE, "t:1")
        await two.hear()
        assert await two.names(PLACE) == ["t:2"]
        assert await one.names(PLACE) == ["t:2"]
        await two.remove(PLACE)
        await one.hear()
        assert await one.names(PLACE) == await two.names(PLACE) == []


async def test_both_hold_the_very_same_vectors(client: Client) -> None:
    async with embedders(client) as (one, two):
        await one.names(PLACE)
        await one.keep(PLACE, "t:1")
        mine, others = [(await e.library.partition(PLACE)).view()[0].rows for e in (one, two)]
        assert mine.tobytes() == others.tobytes()


async def test_one_that_starts_with_an_empty_memory_finds_everything(client: Client) -> None:
    async with embedders(client) as (one, two):
        for number in range(50):
            await one.keep(PLACE, f"t:{number}")
        raw: Any = client
        await raw.hset(PLACE.key, "t:gone", expired("t:gone").value)
        assert len(await two.names(PLACE)) == 50
        assert await raw.hlen(PLACE.key) == 50, "what had expired went from Redis, too"


async def test_requests_that_come_together_wait_for_one_load(client: Client) -> None:
    async with embedders(client) as (one, two):
        await one.keep(PLACE, "t:1")
        partitions = await asyncio.gather(*(two.library.partition(PLACE) for _ in range(5)))
        assert len({id(partition) for partition in partitions}) == 1
        assert len(two.library) == two.library.entries == 1


class Held(Vectors):
    """Reads a partition, and shows it only when it may."""

    def __init__(self, client: Client) -> None:
        super().__init__(client, 4, 1000)
        self.read, self.may_show = asyncio.Event(), asyncio.Event()

    async def all(self, place: Place) -> AsyncIterator[list[Kept]]:
        chunks = [chunk async for chunk in super().all(place)]
        self.read.set()
        await self.may_show.wait()
        for chunk in chunks:
            yield chunk


@pytest.mark.parametrize("names", [("t:1",), ()])
async def test_what_is_removed_during_a_load_does_not_come_back(
    client: Client, names: tuple[str, ...]
) -> None:
    async with embedders(client) as (one, two):
        for name in ("t:1", "t:2"):
            await one.keep(PLACE, name)
        slow = two.vectors = Held(client)
        two.library = Library(slow, two.news, 4, ROOMY, now_ms)
        loading = asyncio.create_task(two.names(PLACE))
        await slow.read.wait()
        await two.remove(PLACE, *names)
        slow.may_show.set()
        assert await loading == (["t:2"] if names else [])


async def test_a_load_that_fails_is_told_and_tried_again(client: Client) -> None:
    raw: Any = client
    async with embedders(client) as (one, _):
        await raw.set(PLACE.key, "of another kind: Redis refuses to read it")
        with pytest.raises(Refused) as caught:
            await one.names(PLACE)
        assert caught.value.code == RefusalCode.NO_REDIS
        assert len(one.library) == one.library.bytes == 0
        await raw.delete(PLACE.key)
        await one.keep(PLACE, "t:1")
        assert await one.names(PLACE) == ["t:1"]


async def test_what_was_not_asked_for_longest_is_let_go(client: Client) -> None:
    places = [Place.of("team-a", SHELF, f"p{number}", "00c0ffee") for number in range(10)]
    bounds = Bounds(3 * LEAST_BYTES, 10**6)
    async with embedders(client, bounds=bounds) as (one, two):
        for place in places:
            await one.keep(place, "t:1")
            assert await two.names(place) == ["t:1"]
            await two.names(places[0])
            assert two.library.bytes <= bounds.max_bytes
        assert 1 < len(two.library) < 10
        held = {place.partition for place in two.library.held_of("team-a", SHELF)}
        assert {"p0", "p9"} <= held
        assert "p1" not in held
        assert await two.names(places[1]) == ["t:1"], "and is loaded again"


async def test_empty_ones_are_let_go_as_well(client: Client) -> None:
    """Whoever asks for another one each time must not fill the memory."""
    async with embedders(client, bounds=Bounds(3 * LEAST_BYTES, 10**6)) as (one, _):
        for number in range(10):
            await one.names(Place.of("team-a", SHELF, f"p{number}", "00c0ffee"))
        assert {place.partition for place in one.library.held_of("team-a", SHELF)} == {
            *("p7", "p8", "p9")
        }


async def test_one_that_went_by_its_expiry_is_named_no_longer(client: Client) -> None:
    raw: Any = client
    async with embedders(client) as (one, two):
        for place in (PLACE, OTHER):
            await one.keep(place, "t:1")
        await raw.delete(PLACE.key)
        assert await two.vectors.places("team-a", SHELF) == [PLACE, OTHER]
        assert await two.names(PLACE) == []
        assert await two.vectors.places("team-a", SHELF) == [OTHER]


async def test_a_redis_that_lost_its_data_is_noticed(client: Client) -> None:
    raw: Any = client
    async with embedders(client) as (one, two):
        await one.keep(PLACE, "t:1")
        await one.names(PLACE)
        assert await two.names(PLACE) == ["t:1"]
        await raw.flushall()
        for each in (one, two):
            await each.hear(look=True)
            assert await each.names(PLACE) == []


async def test_who_has_not_read_for_long_loads_anew(client: Client) -> None:
    """Too much may have gone from the stream."""
    async with embedders(client) as (one, two):
        await two.names(PLACE)
        await one.keep(PLACE, "t:1")
        await client.delete(vector_news("main", "team-a"))
        two.news._heard -= 60
        await two.hear()
        assert len(two.library) == 0
        assert await two.names(PLACE) == ["t:1"]


async def test_what_expires_goes_from_memory_and_from_redis(client: Client) -> None:
    raw: Any = client
    async with embedders(client) as (one, _):
        await one.names(PLACE)
        await one.keep(PLACE, "t:2")
        await raw.hset(PLACE.key, "t:1", expired("t:1").value)
        one.library.put(PLACE, expired("t:1"))
        assert await one.names(PLACE) == ["t:1", "t:2"]
        await one.library.sweep()
        assert await one.names(PLACE) == ["t:2"]
        assert await raw.hkeys(PLACE.key) == [b"t:2"]


async def test_news_of_what_is_not_held_costs_nothing_and_of_unknown_kinds_is_passed_over(
    client: Client,
) -> None:
    raw: Any = client
    async with embedders(client) as (one, two):
        await two.names(OTHER)
        await one.keep(PLACE, "t:1")
        await raw.xadd(vector_news("main", "team-a"), {"op": "turn", "shelf": SHELF})
        await raw.xadd(vector_news("main", "team-a"), {"op": "add"})
        await two.hear()
        assert [place.partition for place in two.library.held_of("team-a", SHELF)] == ["bb"]


async def test_a_large_partition_gets_its_sketches_beside_the_loop(client: Client) -> None:
    async with embedders(client, bounds=Bounds(1 << 30, 64)) as (one, _):
        partition = await one.library.partition(PLACE)
        for number in range(64):
            await one.keep(PLACE, f"t:{number}")
        while partition.wants_sketches:  # noqa: ASYNC110  # a thread ends it
            await asyncio.sleep(0.001)
        assert partition.view()[0].sketch is not None
