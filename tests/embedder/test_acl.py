"""The rules of `penstock_config.acl` for the embedder: all that it does on Redis, on every kind."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import redis

import penstock_embedder
from penstock_config.acl import EMBEDDER, embedder_rules
from penstock_config.cache_layout import vector_news
from penstock_embedder.kept import Place
from penstock_embedder.news import Change, News
from penstock_embedder.redis_client import Client, client_of
from penstock_embedder.settings import Settings
from penstock_embedder.vectors import Vectors
from penstock_operator.ledger.address import close
from tests.embedder.test_vectors import PLACE, SHELVES, everything, kept
from tests.servers import any_server, cluster, sentinel_pair

WORD = "secret-word"
USER = ("ACL", "SETUSER", "embedder", "reset", "on", f">{WORD}", *embedder_rules("main"))


class Ear:
    """Holds one namespace, and hears what others change there."""

    def __init__(self) -> None:
        self.heard: list[Change] = []

    def namespaces(self) -> list[str]:
        return ["team-a"]

    async def changed(self, namespace: str, change: Change) -> None:
        assert namespace == "team-a"
        self.heard.append(change)

    def lost(self, namespace: str) -> None:
        raise AssertionError(namespace)


@asynccontextmanager
async def entered(url: str) -> AsyncIterator[Client]:
    """As the embedder has it, under its own user."""
    settings = Settings(redis_url=url, secret="s", redis_username="embedder", redis_password=WORD)
    client = client_of(settings)
    try:
        yield client
    finally:
        await close(client)


async def all_that_it_does(client: Client) -> None:
    """Every call of its own on Redis, each with what comes of it."""
    vectors, other, mine = Vectors(client, 4, 100), News(client, "main"), News(client, "main")
    ear = Ear()
    await mine.follow("team-a")
    assert await vectors.keep(PLACE, kept("t:1"))
    assert await vectors.keep(PLACE, kept("t:2"))
    assert set(await everything(vectors)) == {"t:1", "t:2"}
    assert [each.name for each in await vectors.some(PLACE, ["t:1"])] == ["t:1"]
    assert await vectors.places("team-a", SHELVES.prefix) == [PLACE]
    await vectors.sweep(PLACE, ["t:1"])
    assert await vectors.remove([PLACE], ["t:1"]) == 1
    assert await vectors.drop(PLACE) == 1
    change = Change("add", SHELVES.prefix, (PLACE.member,), ("t:2",))
    await other.tell("team-a", change)
    await mine.hear(ear, look=True)
    assert ear.heard == [change]


@pytest.fixture
def guarded(each_redis_url: str) -> Iterator[str]:
    with redis.Redis.from_url(each_redis_url) as admin:
        admin.execute_command(*USER)
        yield each_redis_url
        admin.execute_command("ACL", "DELUSER", "embedder")


async def test_it_does_its_work_as_its_user(guarded: str) -> None:
    async with entered(guarded) as client:
        await all_that_it_does(client)


async def test_it_finds_its_way_in_a_cluster(tmp_path: Path) -> None:
    with cluster(any_server(), tmp_path) as three:
        for server in three.servers:
            server.call(*USER)
        async with entered(three.url) as client:
            await all_that_it_does(client)


async def test_it_finds_the_master_of_sentinels(tmp_path: Path) -> None:
    with sentinel_pair(any_server(), tmp_path) as pair:
        for server in pair.servers:
            server.call(*USER)
        async with entered(pair.url) as client:
            await all_that_it_does(client)


@pytest.mark.parametrize(
    "key",
    [
        SHELVES.answer("t:1"),
        SHELVES.index,
        SHELVES.flight("t:1"),
        vector_news("other", "team-a"),
        Place.of("team-a", "other:c:team-a:2:chat:{0a}:", "aa", "m").key,
        "{main:n:team-a}:state",
    ],
)
async def test_keys_that_are_not_its_own_are_refused(guarded: str, key: str) -> None:
    async with entered(guarded) as client:
        any_client: Any = client
        with pytest.raises(redis.exceptions.NoPermissionError):
            await any_client.exists(key)


def test_the_rules_name_all_that_its_scripts_call() -> None:
    lua = resources.files(penstock_embedder).joinpath("lua")
    texts = [file.read_text("utf-8") for file in lua.iterdir() if file.name.endswith(".lua")]
    called = {name.lower() for text in texts for name in re.findall(r"call\('(\w+)'", text)}
    assert called
    assert called <= {*EMBEDDER}
