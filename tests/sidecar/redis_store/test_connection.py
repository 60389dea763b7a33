"""One connection for everybody."""

import asyncio

import pytest

from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store import RedisStore, connect
from penstock_sidecar.redis_store.address import Login, dial, parse
from penstock_sidecar.redis_store.connection import MAX_IN_FLIGHT, ConnectionLost
from penstock_sidecar.store import StoreUnavailable
from tests.fakes.listening import listening

PATIENCE_SECONDS = 5


async def _echo(store: RedisStore, word: str) -> object:
    return await store.command("ECHO", word)


async def test_replies_reach_whoever_asked(redis_url: str) -> None:
    store = await connect(RedisAccess(url=redis_url), deadline_seconds=PATIENCE_SECONDS)
    words = [f"word-{i}" for i in range(500)]
    assert await asyncio.gather(*(_echo(store, w) for w in words)) == [w.encode() for w in words]
    await store.close()


async def test_cancelled_calls_never_shift_the_replies_of_others(redis_url: str) -> None:
    """redis-py #2624 (2023): a cancelled caller's reply went to the next one."""
    store = await connect(RedisAccess(url=redis_url), deadline_seconds=PATIENCE_SECONDS)
    for round_ in range(30):
        tasks = [asyncio.ensure_future(_echo(store, f"{round_}-{i}")) for i in range(20)]
        for _ in range(round_ % 5):
            await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        replies = await asyncio.gather(*tasks, return_exceptions=True)
        for i, reply in list(enumerate(replies))[1::2]:
            assert reply == f"{round_}-{i}".encode()
    await store.close()


async def test_what_is_called_first_is_done_first(redis_url: str) -> None:
    """Also when it is awaited last."""
    store = await connect(RedisAccess(url=redis_url), deadline_seconds=PATIENCE_SECONDS)
    first = store.command("SET", "key", "old")
    assert await store.command("GET", "key") == b"old"
    await first
    await store.close()


async def test_there_is_a_bound_on_what_waits(redis_url: str) -> None:
    connection = await dial(parse(RedisAccess(url=redis_url)).addresses[0], Login())
    waiting = [connection.send("PING") for _ in range(MAX_IN_FLIGHT)]
    with pytest.raises(ConnectionLost, match="too many"):
        connection.send("PING")
    await waiting[-1]
    connection.abort()


async def test_a_lost_connection_fails_what_waits(redis_url: str) -> None:
    connection = await dial(parse(RedisAccess(url=redis_url)).addresses[0], Login())
    waiting = connection.send("PING")
    connection.abort()
    with pytest.raises(ConnectionLost):
        await waiting
    with pytest.raises(ConnectionLost):
        connection.send("PING")


async def test_what_is_not_redis_is_away() -> None:
    """An HTTP server at the address: nonsense ends the connection, not the sidecar."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with listening(answer) as port:
        store = await connect(
            RedisAccess(url=f"redis://127.0.0.1:{port}"), deadline_seconds=PATIENCE_SECONDS
        )
        assert not store.available
        with pytest.raises(StoreUnavailable):
            await store.command("PING")
        await store.close()
