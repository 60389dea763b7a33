"""Real Clusters of three masters: slots on their way, nodes that are away."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest

from penstock_sidecar.redis_store import RedisStore
from penstock_sidecar.store import StoreUnavailable
from tests.servers import Cluster, any_server, cluster
from tests.servers.binaries import NAMES, server_named
from tests.sidecar.redis_store.conftest import INCREMENT, opened, until_it

FRESH = count()


@pytest.fixture(scope="module", params=NAMES)
def three(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    with cluster(server_named(request.param), tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture
async def store(three: Cluster) -> AsyncIterator[RedisStore]:
    async with opened(three.url) as store:
        yield store


@pytest.fixture
def tag() -> str:
    """A slot that no other test used."""
    return f"{{tag-{next(FRESH)}}}"


def tag_of_each(three: Cluster) -> list[str]:
    """Tags that lie on the three masters, in their order."""
    owners = {three.owner(three.slot(tag)).port: tag for tag in (f"{{n{i}}}" for i in range(20))}
    return [owners[server.port] for server in three.servers[:3]]


async def test_each_call_reaches_the_node_of_its_slot(store: RedisStore) -> None:
    keys = [f"key-{i}" for i in range(200)]
    await asyncio.gather(*(store.command("SET", key, key, "PX", 60_000) for key in keys))
    found = await asyncio.gather(*(store.command("GET", key) for key in keys))
    assert found == [key.encode() for key in keys]
    assert await store.command("PING") == b"PONG"
    counts = (store.script(INCREMENT, (f"{{{key}}}:a", f"{{{key}}}:b"), ()) for key in keys)
    assert await asyncio.gather(*counts) == [2] * len(keys)


async def test_calls_before_the_first_connection_keep_their_order(
    store: RedisStore, three: Cluster
) -> None:
    """Nodes are connected to when they are needed; what was called first is done first."""
    tags = tag_of_each(three)
    calls = [store.command("RPUSH", f"{tag}:order", i) for i in range(100) for tag in tags]
    await asyncio.gather(*reversed(calls))
    for tag in tags:
        assert await store.command("LRANGE", f"{tag}:order", 0, -1) == [
            str(i).encode() for i in range(100)
        ]


async def test_a_slot_that_has_moved_is_followed(
    store: RedisStore, three: Cluster, tag: str
) -> None:
    assert await store.command("SET", f"{tag}:k", "here") == b"OK"
    assert await store.script(INCREMENT, (f"{tag}:n",), ()) == 1
    target = await asyncio.to_thread(three.migrate_slot, three.slot(tag), "done")
    assert await store.command("GET", f"{tag}:k") == b"here"
    assert await store.script(INCREMENT, (f"{tag}:n",), ()) == 1
    assert target.call("GET", f"{tag}:n") == "2"


async def test_half_of_a_slot_is_asked_for_where_it_is(
    store: RedisStore, three: Cluster, tag: str
) -> None:
    """ASK: also for scripts, which the target has never seen."""
    keys = [f"{tag}:{i}" for i in range(8)]
    await asyncio.gather(*(store.script(INCREMENT, (key,), ()) for key in keys))
    target = await asyncio.to_thread(three.migrate_slot, three.slot(tag), "half")
    target.call("SCRIPT", "FLUSH")
    await asyncio.gather(*(store.script(INCREMENT, (key,), ()) for key in keys))
    assert await asyncio.gather(*(store.command("GET", key) for key in keys)) == [b"2"] * 8
    await store.command("SET", f"{tag}:new", "there")
    await asyncio.to_thread(three.migrate_slot, three.slot(tag), "done")
    assert target.call("GET", f"{tag}:new") == "there"


async def test_keys_that_are_half_here_are_tried_again_and_then_told_as_not_done(
    store: RedisStore, three: Cluster, tag: str
) -> None:
    """TRYAGAIN."""
    keys = tuple(f"{tag}:{i}" for i in range(4))
    assert await store.script(INCREMENT, keys, ()) == 4
    await asyncio.to_thread(three.migrate_slot, three.slot(tag), "half")
    with pytest.raises(StoreUnavailable, match="TRYAGAIN") as caught:
        await store.script(INCREMENT, keys, ())
    assert not caught.value.sent
    target = await asyncio.to_thread(three.migrate_slot, three.slot(tag), "done")
    assert await store.script(INCREMENT, keys, ()) == 4
    assert target.call("MGET", *keys) == ["2"] * 4


async def test_nothing_is_lost_or_doubled_while_a_slot_moves(
    store: RedisStore, three: Cluster, tag: str
) -> None:
    keys = tuple(f"{tag}:{i}" for i in range(4))
    moved = asyncio.Event()

    async def work() -> int:
        done = 0
        while not moved.is_set():
            try:
                done += await store.script(INCREMENT, keys, ()) == len(keys)
            except StoreUnavailable as error:
                assert not error.sent  # noqa: PT017  # the next call may still fail so
        return done

    workers = [asyncio.ensure_future(work()) for _ in range(8)]
    await until_it(lambda: store.command("EXISTS", keys[0]))
    for step in ("open", "half", "done"):
        target = await asyncio.to_thread(three.migrate_slot, three.slot(tag), step)
    before = int(target.call("GET", keys[0]))
    await until_it(lambda: _above(store, keys[0], before))
    moved.set()
    done = sum(await asyncio.gather(*workers))
    assert target.call("MGET", *keys) == [str(done)] * 4


async def _above(store: RedisStore, key: str, number: int) -> bool:
    found = await store.command("GET", key)
    return isinstance(found, bytes) and int(found) > number


async def test_keys_of_two_slots_are_refused_and_told_as_not_done(store: RedisStore) -> None:
    with pytest.raises(StoreUnavailable, match="CROSSSLOT") as caught:
        await store.script(INCREMENT, ("{a}:1", "{b}:1"), ())
    assert not caught.value.sent


@pytest.mark.parametrize("way", ["kill", "freeze"])
async def test_a_node_that_is_away_takes_only_its_own_slots_along(three: Cluster, way: str) -> None:
    gone, *others = tag_of_each(three)
    victim = three.owner(three.slot(gone))
    async with opened(three.url) as store:
        await asyncio.gather(*(store.command("SET", f"{tag}:k", 1) for tag in (gone, *others)))
    async with opened(three.url, 0.3) as store:
        await asyncio.gather(*(store.command("GET", f"{tag}:k") for tag in others))
        victim.freeze() if way == "freeze" else victim.kill()
        try:
            for _ in range(5):
                calls = [store.command("GET", f"{tag}:k") for tag in (gone, *others)]
                first, *rest = await asyncio.gather(*calls, return_exceptions=True)
                assert isinstance(first, StoreUnavailable)
                assert rest == [b"1", b"1"]
        finally:
            victim.thaw() if way == "freeze" else victim.start()
        await until_it(lambda: _works(store, gone))


async def _works(store: RedisStore, tag: str) -> bool:
    try:
        return await store.command("SET", f"{tag}:k", 1) == b"OK"
    except StoreUnavailable:
        return False


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(any_server(), tmp_path_factory.mktemp("six"), replicas=1) as running:
        yield running


async def test_a_replica_that_took_over_is_found(six: Cluster) -> None:
    """In good order (MOVED), then after a kill: calls fail in time and then work by themselves."""
    async with opened(six.url) as store:
        assert await _works(store, "{a}")
        await asyncio.to_thread(six.fail_over, six.slot("{a}"))
        assert await _works(store, "{a}")
    async with opened(six.url, 0.2) as store:
        await until_it(lambda: _works(store, "{a}"))
        six.owner(six.slot("{a}")).kill()
        assert not await _works(store, "{a}")
        await until_it(lambda: _works(store, "{a}"))


async def test_a_cluster_that_nobody_answers_for_is_away() -> None:
    async with opened("redis+cluster://127.0.0.1:1,127.0.0.1:2", 0.1) as store:
        assert not store.available
        with pytest.raises(StoreUnavailable) as caught:
            await store.command("GET", "k")
        assert not caught.value.sent


async def test_a_server_that_is_in_no_cluster_is_away_and_says_why(
    redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(redis_url.replace("redis:", "redis+cluster:")) as store:
        assert not store.available
    assert "is in no Cluster" in getattr(caplog.records[0], "why", "")
