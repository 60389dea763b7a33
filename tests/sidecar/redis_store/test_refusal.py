"""What a failed call tells of itself: whether it can have been done."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import hiredis
import pytest
import redis

from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.redis_store.connection import MAX_IN_FLIGHT
from penstock_sidecar.redis_store.refusal import code_of
from penstock_sidecar.store import StoreUnavailable
from tests.servers import Server, any_server, single
from tests.sidecar.redis_store.conftest import INCREMENT, opened, script, until

HALF = script("redis.call('SET', KEYS[1], 1) return redis.call('LPUSH', KEYS[1], 1)")


@pytest.fixture
async def store(each_redis_url: str) -> AsyncIterator[RedisStore]:
    async with opened(each_redis_url) as store:
        yield store


@contextmanager
def settings(url: str, name: str, value: str, usual: str) -> Iterator[None]:
    with redis.Redis.from_url(url) as admin:
        admin.config_set(name, value)
        try:
            yield
        finally:
            admin.config_set(name, usual)


async def test_a_full_redis_has_not_begun_a_script(store: RedisStore, each_redis_url: str) -> None:
    await store.command("SET", "k", 1)
    with settings(each_redis_url, "maxmemory", "1", "0"):
        with pytest.raises(StoreUnavailable, match=r"^OOM$") as caught:
            await store.script(INCREMENT, ("k",), ())
        assert not caught.value.sent
        assert await store.command("GET", "k") == b"1"


async def test_a_redis_that_lost_its_replicas_has_not_begun_a_script(
    store: RedisStore, each_redis_url: str
) -> None:
    with settings(each_redis_url, "min-replicas-to-write", "1", "0"):
        with pytest.raises(StoreUnavailable, match=r"^NOREPLICAS$") as caught:
            await store.script(INCREMENT, ("k",), ())
        assert not caught.value.sent


async def test_a_replica_has_not_begun_a_script_and_is_left(
    store: RedisStore, each_redis_url: str
) -> None:
    with redis.Redis.from_url(each_redis_url) as admin:
        admin.execute_command("REPLICAOF", "127.0.0.1", "1")
        try:
            with pytest.raises(StoreUnavailable, match=r"^READONLY$") as caught:
                await store.script(INCREMENT, ("k",), ())
        finally:
            admin.execute_command("REPLICAOF", "NO", "ONE")
    assert not caught.value.sent
    assert not store.available


async def test_a_script_that_failed_half_way_may_have_been_done(store: RedisStore) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        await store.script(HALF, ("k",), ())
    assert caught.value.sent
    assert await store.command("GET", "k") == b"1"


async def test_a_command_that_is_refused_was_not_done(store: RedisStore) -> None:
    await store.command("SET", "k", 1)
    with pytest.raises(StoreUnavailable, match="WRONGTYPE") as caught:
        await store.command("LPUSH", "k", 1)
    assert not caught.value.sent


async def test_what_was_never_sent_says_so(tmp_path: Path) -> None:
    server = Server(any_server(), tmp_path, ("--save", ""))
    async with opened(server.url) as store:
        with pytest.raises(StoreUnavailable) as caught:
            await store.command("INCR", "k")
        assert not caught.value.sent


async def test_what_waits_for_the_first_connection_is_not_sent_when_it_gives_up(
    tmp_path: Path,
) -> None:
    with single(any_server(), tmp_path) as server:
        server.freeze()
        store = RedisStore(RedisAccess(url=server.url), deadline_seconds=0.05)
        with pytest.raises(StoreUnavailable) as caught:
            await store.command("INCR", "k")
        assert not caught.value.sent
        server.thaw()
        await store.first_try()
        assert await _answer(store) is None
        await store.close()


async def _answer(store: RedisStore) -> object:
    while True:
        try:
            return await store.command("GET", "k")
        except StoreUnavailable:
            await asyncio.sleep(0.01)


async def test_what_was_written_may_have_been_done(tmp_path: Path) -> None:
    with single(any_server(), tmp_path) as server:
        async with opened(server.url, 0.05) as store:
            server.freeze()
            with pytest.raises(StoreUnavailable) as caught:
                await store.command("INCR", "k")
            assert caught.value.sent
            lost = store.command("INCR", "k")
            await asyncio.sleep(0)  # written now
            server.kill()
            with pytest.raises(StoreUnavailable) as caught:
                await lost
            assert caught.value.sent


async def test_one_more_than_can_wait_is_not_sent(store: RedisStore) -> None:
    waiting = [store.command("PING") for _ in range(MAX_IN_FLIGHT)]
    with pytest.raises(StoreUnavailable, match="too many") as caught:
        await store.command("PING")
    assert not caught.value.sent
    await asyncio.gather(*waiting)


async def test_one_reply_that_is_a_second_late_ends_the_connection(tmp_path: Path) -> None:
    """Calls far apart never make three failures in a second."""
    with single(any_server(), tmp_path) as server:
        async with opened(server.url, 0.05) as store:
            server.freeze()
            with pytest.raises(StoreUnavailable):
                await store.command("PING")
            assert store.available
            await until(lambda: not store.available)
            server.thaw()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("OOM command not allowed when used memory > 'maxmemory'.", "OOM"),
        ("ERR Error running script (call to f_1): @user_script:1: -OOM command not", "OOM"),
        ("ERR Error running script (call to f_1): @user_script: 12: -READONLY You", "READONLY"),
        ("ERR Error running script (call to f_1): @user_script:1: user_script:1: oops", "ERR"),
        ("LOADING Redis is loading the dataset in memory", "LOADING"),
    ],
)
def test_codes_are_read_where_they_stand(text: str, code: str) -> None:
    assert code_of(hiredis.ReplyError(text)) == code
