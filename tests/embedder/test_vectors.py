"""Vectors in Redis: what is put there comes back, on every server there is."""

import time
from typing import Any

import numpy as np
import pytest

from penstock_config.cache_layout import Shelves
from penstock_config.embedder import MAX_NAMES, RefusalCode
from penstock_embedder.errors import Refused
from penstock_embedder.index.vector import as_kept
from penstock_embedder.kept import Kept, Place
from penstock_embedder.redis_client import Client, client_of
from penstock_embedder.settings import Settings
from penstock_embedder.vectors import CHUNK, Vectors
from tests.ports import free_port

SHELVES = Shelves.of("main", "team-a", "chat", "0a")
PLACE = Place.of("team-a", SHELVES.prefix, "aa", "00c0ffee")
HOUR_MS = 3_600_000


def now_ms() -> int:
    return int(time.time() * 1000)


def kept(name: str, expires_in_ms: int = HOUR_MS) -> Kept:
    random = np.random.default_rng(len(name))
    vector = random.standard_normal(4).astype(np.float32)
    return Kept(name, as_kept(vector / np.linalg.norm(vector)), now_ms() + expires_in_ms)


async def everything(vectors: Vectors, place: Place = PLACE) -> dict[str, Kept]:
    return {each.name: each async for chunk in vectors.all(place) for each in chunk}


async def test_what_is_kept_comes_back_bit_for_bit(each_client: Client) -> None:
    vectors = Vectors(each_client, 4, 100)
    one = kept("t:1")
    assert await vectors.keep(PLACE, one)
    (found,) = (await everything(vectors)).values()
    assert found.expires_at_ms == one.expires_at_ms
    assert found.vector.tobytes() == one.vector.tobytes()
    assert [each.name for each in await vectors.some(PLACE, ["t:2", "t:1"])] == ["t:1"]
    assert await vectors.places("team-a", SHELVES.prefix) == [PLACE]


async def test_what_has_expired_is_not_kept_nor_what_has_no_room(each_client: Client) -> None:
    vectors = Vectors(each_client, 4, 1)
    assert not await vectors.keep(PLACE, kept("t:0", -1))
    assert await vectors.keep(PLACE, kept("t:1"))
    assert not await vectors.keep(PLACE, kept("t:2"))
    assert await vectors.keep(PLACE, kept("t:1")), "the same one takes no more room"
    assert set(await everything(vectors)) == {"t:1"}


async def test_keys_live_as_long_as_the_last_vector_in_them(each_client: Client) -> None:
    client: Any = each_client
    vectors = Vectors(client, 4, 100)
    for name, life in (("t:1", HOUR_MS), ("t:2", 2 * HOUR_MS), ("t:3", 60_000)):
        await vectors.keep(PLACE, kept(name, life))
    for key in (PLACE.key, PLACE.partitions_key):
        assert HOUR_MS < await client.pttl(key) <= 2 * HOUR_MS


async def test_a_sweep_takes_what_has_expired_and_leaves_what_was_put_anew(
    each_client: Client,
) -> None:
    client: Any = each_client
    vectors = Vectors(client, 4, 100)
    await vectors.keep(PLACE, kept("t:new"))
    await client.hset(PLACE.key, "t:old", kept("t:old", -1).value)
    await client.hset(PLACE.key, "t:broken", b"x")
    await vectors.sweep(PLACE, ["t:old", "t:new", "t:broken", "t:absent"])
    assert await client.hkeys(PLACE.key) == [b"t:new"]
    assert await vectors.places("team-a", SHELVES.prefix) == [PLACE]
    await client.hset(PLACE.key, "t:new", kept("t:new", -1).value)
    await vectors.sweep(PLACE, ["t:new"])
    assert await vectors.places("team-a", SHELVES.prefix) == []


async def test_many_partitions_lose_a_name_at_once_and_empty_ones_theirs(
    each_client: Client,
) -> None:
    vectors = Vectors(each_client, 4, 100)
    places = [Place.of("team-a", SHELVES.prefix, f"p{n}", "00c0ffee") for n in range(30)]
    for number, place in enumerate(places):
        await vectors.keep(place, kept("t:1"))
        if number < 2:
            await vectors.keep(place, kept("t:2"))
    asked = ["t:1", *(f"t:{n}" for n in range(3, MAX_NAMES + 2))]
    assert await vectors.remove([*places, PLACE], asked) == 30
    assert await vectors.places("team-a", SHELVES.prefix) == places[:2]


async def test_removing_counts_what_was_there(each_client: Client) -> None:
    client: Any = each_client
    vectors = Vectors(client, 4, 100)
    for name in ("t:1", "t:2", "t:3"):
        await vectors.keep(PLACE, kept(name))
    assert await vectors.remove([PLACE], ["t:1", "t:9"]) == 1
    assert await vectors.drop(PLACE) == 2
    assert await vectors.places("team-a", SHELVES.prefix) == []
    assert await client.keys("*") == []


async def test_all_of_a_large_partition_comes_in_chunks(client: Client) -> None:
    vectors = Vectors(client, 4, 10**6)
    names = {f"t:{number}" for number in range(3 * CHUNK)}
    raw: Any = client
    await raw.hset(PLACE.key, mapping={name: kept("t").value for name in names})
    assert set(await everything(vectors)) == names


async def test_what_cannot_be_read_is_left_out(client: Client) -> None:
    raw: Any = client
    vectors = Vectors(client, 4, 100)
    await vectors.keep(PLACE, kept("t:1"))
    await raw.hset(PLACE.key, "t:short", b"x" * 9)
    await raw.hset(PLACE.key, "t:other-model", b"x" * (8 + 2 * 5))
    assert set(await everything(vectors)) == {"t:1"}


async def test_a_redis_that_does_not_answer_is_a_refusal() -> None:
    url = f"redis://127.0.0.1:{free_port()}"
    client = client_of(Settings(redis_url=url, secret="s"))
    vectors = Vectors(client, 4, 100)
    for work in (vectors.keep(PLACE, kept("t:1")), vectors.drop(PLACE), everything(vectors)):
        with pytest.raises(Refused) as caught:
            await work
        assert caught.value.code == RefusalCode.NO_REDIS
    await client.aclose()
