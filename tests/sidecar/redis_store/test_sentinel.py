"""A real master, replica and three sentinels: the store follows the master."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.redis_store.store import DEADLINE_SECONDS
from penstock_sidecar.store import StoreUnavailable
from tests.servers import SentinelPair, Server, any_server, sentinel_pair, single
from tests.servers.server import running
from tests.sidecar.redis_store.conftest import INCREMENT, PATIENCE_SECONDS, opened, until, until_it


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SentinelPair]:
    with sentinel_pair(any_server(), tmp_path_factory.mktemp("pair")) as running:
        yield running


async def written(store: RedisStore, server: Server) -> bool:
    """Whether a call succeeds, and `server` has heard of it."""
    try:
        number = await store.command("INCR", "written")
    except StoreUnavailable:
        return False
    heard: object = await asyncio.to_thread(server.call, "GET", "written")
    return heard == str(number)


async def test_the_master_is_found_and_written_to(pair: SentinelPair) -> None:
    async with opened(f"{pair.url}/1") as store:
        assert await store.command("SET", "k", "v") == b"OK"
        assert await store.script(INCREMENT, ("n",), ()) == 1
    assert "db1:keys=2" in pair.master().call("INFO", "keyspace")


async def test_commands_flow_through_a_failover(pair: SentinelPair) -> None:
    """Each call is answered or refused in time, and calls work again by themselves: on the new
    master, though the old one still takes writes until the sentinels have told it otherwise."""
    old, ended = pair.master(), asyncio.Event()

    async def work(store: RedisStore) -> int:
        refused = 0
        while not ended.is_set():
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):  # a hundred deadlines: it hangs
                    await store.script(INCREMENT, ("flow",), ())
            except StoreUnavailable:
                refused += 1
                await asyncio.sleep(0)
        return refused

    async with opened(pair.url, DEADLINE_SECONDS) as store:
        workers = [asyncio.ensure_future(work(store)) for _ in range(4)]
        await asyncio.to_thread(pair.failover)
        new = pair.master()
        assert new is not old
        await until_it(lambda: written(store, new))
        ended.set()
        await asyncio.gather(*workers)


async def test_a_killed_master_is_replaced_and_one_that_comes_back_is_not_written_to(
    tmp_path: Path,
) -> None:
    with sentinel_pair(any_server(), tmp_path) as pair:
        old = pair.master()
        async with opened(pair.url, 0.2) as store:
            assert await written(store, old)
            old.freeze()
            with pytest.raises(StoreUnavailable) as caught:
                await store.command("INCR", "written")
            assert caught.value.sent
            await asyncio.to_thread(pair.wait_for_switch, old)
            await until_it(lambda: written(store, pair.master()))
            old.thaw()
            assert all([await written(store, pair.master()) for _ in range(20)])
            pair.sentinels[0].kill()
            pair.sentinels[1].kill()
            assert await written(store, pair.servers[1])


async def test_a_master_goes_on_while_every_sentinel_is_away(tmp_path: Path) -> None:
    with single(any_server(), tmp_path) as server:
        watcher = sentinel(tmp_path, server)
        with running(watcher):
            async with opened(url(watcher)) as store:
                assert await store.command("PING") == b"PONG"
                watcher.kill()
                assert await store.command("PING") == b"PONG"


def sentinel(directory: Path, watched: Server, *lines: str) -> Server:
    """One that is alone: it names a master, and never replaces it."""
    file = directory / "sentinel.conf"
    file.write_text("\n".join((f"sentinel monitor main 127.0.0.1 {watched.port} 2", *lines, "")))
    return Server(any_server(), directory, ("--sentinel",), None, file)


def url(watcher: Server) -> str:
    return f"redis+sentinel://{watcher.address}/main"


async def test_a_sentinel_that_asks_for_a_login_gets_its_own(tmp_path: Path) -> None:
    with single(any_server(), tmp_path) as server:
        watcher = sentinel(tmp_path, server, "requirepass guarded")
        with running(watcher):
            access = RedisAccess(url=url(watcher), sentinel_password=SecretStr("guarded"))
            async with opened(access) as store:
                assert await store.command("PING") == b"PONG"
            wrong = access.model_copy(update={"sentinel_password": SecretStr("other")})
            async with opened(wrong) as store:
                assert not store.available


async def test_a_sentinel_without_a_login_of_its_own_gets_redis_s(tmp_path: Path) -> None:
    with single(any_server(), tmp_path, "--requirepass", "guarded") as server:
        watcher = sentinel(tmp_path, server, "requirepass guarded")
        with running(watcher):
            access = RedisAccess(url=url(watcher), password=SecretStr("guarded"))
            async with opened(access) as store:
                assert await store.command("PING") == b"PONG"


async def test_a_name_that_the_sentinels_do_not_know_is_told(
    pair: SentinelPair, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(pair.url.replace("/main", "/other")) as store:
        assert not store.available
    assert "do not know the master's name" in getattr(caplog.records[0], "why", "")


async def test_a_replica_that_sentinels_take_for_the_master_is_not_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with single(any_server(), tmp_path, "--replicaof", "127.0.0.1", "1") as replica:
        watcher = sentinel(tmp_path, replica)
        with running(watcher):
            async with opened(url(watcher), 0.2) as store:
                assert not store.available
                assert "not the master" in getattr(caplog.records[0], "why", "")
                await asyncio.to_thread(replica.call, "REPLICAOF", "NO", "ONE")
                await until(lambda: store.available)
