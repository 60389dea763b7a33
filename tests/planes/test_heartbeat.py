"""What a sidecar says of itself in Redis: there while it lives, gone after it, and no secret."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio
from pydantic import SecretStr

from penstock_cli.stub import StubProvider
from penstock_config.codec import config_file_name, credentials_file_name, digest
from penstock_config.credentials import RedisAccess
from penstock_config.heartbeat import EXPIRY_SECONDS
from penstock_config.layout import Group
from penstock_operator.handlers.redis_logins import tags_of
from penstock_operator.ledger.users import User, Users
from penstock_operator.settings import Settings
from tests.planes.plane import KEY, NAMESPACE, Files
from tests.planes.relay import relay
from tests.planes.shipped import running
from tests.sidecar.http.edge import exchange, head

UID = "0f6b6b2e-uid"
NAME = Group.of_namespace("test", NAMESPACE).pod(UID)


@pytest.fixture
async def books(redis_url: str) -> AsyncIterator[redis.asyncio.Redis]:
    async with redis.asyncio.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@asynccontextmanager
async def files_of(folder: Path, redis_url: str) -> AsyncIterator[Files]:
    async with StubProvider() as main, StubProvider() as backup:
        yield Files(folder, main, backup, redis_url)


async def until(holds: Callable[[dict[str, Any]], bool], books: redis.asyncio.Redis) -> Any:
    async with asyncio.timeout(EXPIRY_SECONDS + 10):
        while True:
            found = json.loads(await books.get(NAME) or "{}")
            if holds(found):
                return found
            await asyncio.sleep(0.02)


def digests(files: Files) -> tuple[str, str]:
    names = (config_file_name(), credentials_file_name())
    config, credentials = (digest((files.folder / name).read_bytes()) for name in names)
    return config, credentials


@pytest.mark.slow
async def test_it_is_there_at_once_changes_with_the_files_and_dies_with_its_sidecar(
    tmp_path: Path, redis_url: str, books: redis.asyncio.Redis
) -> None:
    said: list[bytes] = []
    async with files_of(tmp_path, redis_url) as files:
        files.write()
        async with running(tmp_path, None, said, POD_UID=UID) as (process, _):
            first = await until(bool, books)
            assert (first["config"], first["credentials"]) == digests(files)
            assert (first["error"], first["policy"], first["schema"] >= 1) == (
                "",
                "team/shop",
                True,
            )
            assert 0 < await books.ttl(NAME) <= EXPIRY_SECONDS

            files.write(files.config(rules=()), files.credentials("sk-another"))
            after = digests(files)
            await until(lambda beat: (beat["config"], beat["credentials"]) == after, books)

            files.write(b'{"schema_version": 1, "cluster": "sk-hidden", "sk-hidden": 1}')
            beat = await until(lambda beat: bool(beat["error"]), books)
            assert beat["config"] == after[0], "what is at work"
            everything = f"{await books.get(NAME)!r} {said}"
            for secret in (KEY, "sk-another", "sk-hidden", "scope"):
                assert secret not in everything
            process.kill()
            await process.wait()
            await until(lambda beat: not beat, books)


async def test_without_a_configuration_there_is_none_and_the_first_one_brings_it(
    tmp_path: Path, redis_url: str, books: redis.asyncio.Redis
) -> None:
    async with (
        files_of(tmp_path, redis_url) as files,
        running(tmp_path, None, [], POD_UID=UID) as (_, ports),
    ):
        assert (await exchange(ports.probe, head("GET", "/readyz"))).status == 200
        assert await books.keys("*") == []
        files.write()
        await until(lambda beat: beat.get("config") == digests(files)[0], books)


async def test_a_sidecar_says_it_as_its_namespaces_own_redis_user(
    tmp_path: Path, redis_url: str, books: redis.asyncio.Redis
) -> None:
    users = Users(Settings(cluster="test", redis_url=redis_url))
    async with files_of(tmp_path, redis_url) as files:
        user = User.of_namespace("test", NAMESPACE, "hush", tags_of(files.config()))
        await users.put([user])
        access = RedisAccess(url=redis_url, username=user.name, password=SecretStr("hush"))
        files.write(None, files.credentials().model_copy(update={"redis": access}))
        async with running(tmp_path, None, [], POD_UID=UID):
            assert await until(bool, books)
        await users.put([], keep=())


async def test_a_redis_that_comes_back_hears_it_without_a_reload(
    tmp_path: Path, redis_url: str, books: redis.asyncio.Redis
) -> None:
    async with relay(redis_url) as way, files_of(tmp_path, way.url) as files:
        await way.cut()
        files.write()
        async with running(tmp_path, None, [], POD_UID=UID):
            assert await books.get(NAME) is None
            await way.mend()
            assert await until(bool, books)
