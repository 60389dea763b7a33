"""AT15, level 3: tenants ask the same, and what means the same, and never get each other's answer,
whatever the embedder says: the scope is a hard prefix of every key.

(limits_cache.md, 3.1: vllm-project/semantic-router#2134 gave byte-identical answers across tenants
at 0.9085, because the scope was a part of the text.)
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from penstock_config.cache import Cache
from penstock_config.embedder import Match
from tests.fakes.embedder import FakeEmbedder, fake_embedder
from tests.planes.meaning import ASKED, KEPT, SIMILARITY, Meaning, meaning, said

Headers = dict[str, str]
SAME = "Who was Kepler?"


@dataclass(frozen=True, slots=True)
class Tenant:
    """Asks by a sidecar of its own, or says who it is."""

    meaning: Meaning
    headers: Headers

    async def keep(self, text: str = KEPT) -> None:
        await self.meaning.keep(text, headers=self.headers)

    async def hears(self, text: str) -> str:
        return said(await self.meaning.ask(text, self.headers))


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@asynccontextmanager
async def apps(folder: Path, redis_url: str, fake: FakeEmbedder) -> AsyncIterator[list[Tenant]]:
    async with AsyncExitStack() as stack:
        yield [
            Tenant(
                await stack.enter_async_context(
                    meaning(made(folder / app), redis_url, fake, app=app)
                ),
                {},
            )
            for app in ("shop", "bank")
        ]


@asynccontextmanager
async def namespaces(
    folder: Path, redis_url: str, fake: FakeEmbedder
) -> AsyncIterator[list[Tenant]]:
    async with AsyncExitStack() as stack:
        yield [
            Tenant(
                await stack.enter_async_context(
                    meaning(made(folder / name), redis_url, fake, namespace=name)
                ),
                {},
            )
            for name in ("team", "rivals")
        ]


@asynccontextmanager
async def users(folder: Path, redis_url: str, fake: FakeEmbedder) -> AsyncIterator[list[Tenant]]:
    async with meaning(folder, redis_url, fake) as found:
        await found.publish(Cache(scope="User"))
        yield [Tenant(found, {"x-penstock-user": user}) for user in ("ann", "bob")]


@pytest.fixture(params=[apps, namespaces, users], ids=["apps", "namespaces", "users"])
async def tenants(
    request: Any, tmp_path: Path, redis_url: str
) -> AsyncIterator[tuple[list[Tenant], FakeEmbedder]]:
    """Two of them, one Redis, and one embedder."""
    async with fake_embedder() as fake, request.param(tmp_path, redis_url, fake) as found:
        yield found, fake


Tenants = tuple[list[Tenant], FakeEmbedder]


async def test_at15_neither_the_same_nor_a_paraphrase_crosses_a_scope(tenants: Tenants) -> None:
    (ours, theirs), _ = tenants
    await ours.keep(KEPT)
    await ours.keep(SAME)
    assert await theirs.hears(ASKED) == "miss"
    assert await theirs.hears(SAME) == "miss"
    assert await ours.hears(ASKED) == "hit-semantic"
    assert await ours.hears(SAME) == "hit-semantic"


async def test_at15_an_embedder_that_names_everybodys_answers_gives_nobody_anothers(
    tenants: Tenants,
) -> None:
    (ours, theirs), fake = tenants
    await ours.keep()
    fake.says = [Match(name=v.name, similarity=1.0) for v in fake.kept]
    for text in (KEPT, ASKED):
        assert await theirs.hears(text) == "miss"
    assert await ours.hears(ASKED) == "hit-semantic"


async def test_at15_an_answer_laid_into_anothers_scope_is_not_given(
    tenants: Tenants, redis_url: str
) -> None:
    """Who can write to Redis, but has not the key, moves it there with its vector."""
    (ours, theirs), fake = tenants
    await ours.keep()
    await theirs.keep()
    mine, other = fake.kept
    with redis.Redis.from_url(redis_url) as client:
        data = client.get(f"{mine.shelf}a:{mine.name}")
        assert isinstance(data, bytes)
        client.set(f"{other.shelf}a:{mine.name}", data)
    fake.kept = [other.model_copy(update={"name": mine.name})]
    assert await theirs.hears(ASKED) == "miss"


async def test_at15_equal_questions_have_nothing_in_common_that_others_could_see(
    tenants: Tenants,
) -> None:
    (ours, theirs), fake = tenants
    await ours.keep()
    await theirs.keep()
    mine, other = fake.kept
    assert mine.text == other.text
    assert mine.shelf != other.shelf
    assert mine.partition != other.partition
    assert mine.name.partition(":")[2] != other.name.partition(":")[2]


async def test_at15_nobody_is_told_a_key(tenants: Tenants) -> None:
    (ours, _), fake = tenants
    await ours.keep()
    hit = await ours.meaning.ask(ASKED, ours.headers)
    told = " ".join(hit.headers.values())
    assert float(hit.headers["x-penstock-cache-similarity"]) == SIMILARITY
    for part in (fake.kept[0].shelf, fake.kept[0].partition, *fake.kept[0].name.split(":")):
        assert part not in told
