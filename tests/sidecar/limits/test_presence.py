"""What a process says by itself, and to whom."""

from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import pytest
import redis

from penstock_sidecar.limits.holds import End, Grant, Hold, Place, Sum
from penstock_sidecar.limits.presence import Presence
from penstock_sidecar.store import StoreUnavailable
from tests.sidecar.limits.forgetful import BOUNDS, PLACES, SECOND, SILENCE
from tests.sidecar.limits.process import GROUPS, Process
from tests.sidecar.limits.truth import Truth
from tests.sidecar.limits.virtual import VirtualStore

SHOP, CLOUD = GROUPS
PLACE = PLACES[SHOP.tag]
FIELD = "money:1"
SUM = Sum(1, FIELD)


@pytest.fixture
def client(redis_url: str) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(redis_url) as opened:
        yield opened


@pytest.fixture
def store(client: "redis.Redis") -> VirtualStore:
    return VirtualStore(client)


@pytest.fixture
async def process(store: VirtualStore) -> AsyncIterator[Process]:
    opened = Process(store, Truth())
    yield opened
    await opened.close()


async def spend(process: Process, id_: str, micro_usd: int, place: Place = PLACE) -> None:
    process.ledger.spend(place, [SUM], micro_usd)
    await process.ledger.settle(place, [End(id_, 1, 0, sums=(SUM,))])


async def hold(process: Process, id_: str) -> Hold:
    taken = Hold(id_, BOUNDS, 0, 10, 10)
    assert isinstance(await process.ledger.acquire(PLACE, [taken]), Grant)
    process.renewals.keep(PLACE, taken)
    return taken


def another(process: Process, **settings: Any) -> Presence:
    return Presence(GROUPS, process.ledger, process.renewals, process.settlements, **settings)


def settled(client: "redis.Redis") -> int:
    return int(cast("bytes", client.hget(SHOP.state, f"{FIELD}:S") or b"0"))


def leases(client: "redis.Redis") -> list[bytes]:
    return sorted(cast("list[bytes]", client.zrange(SHOP.slots("one"), 0, -1)))


async def test_a_group_that_was_never_used_hears_nothing(
    client: "redis.Redis", process: Process
) -> None:
    """Of fifty providers a process uses few: it says that it lives to those alone."""
    await spend(process, "one", 5)
    process.presence.start()
    await process.wire.next_done()
    await process.presence.close()
    assert (client.exists(SHOP.members), client.exists(CLOUD.members)) == (1, 0)


async def test_a_lost_connection_makes_every_group_doubtful(
    client: "redis.Redis", process: Process
) -> None:
    """Others have counted on since: the sequence number shows nothing."""
    await spend(process, "one", 5)
    await process.presence.tell(SHOP)
    client.hdel(SHOP.state, f"{FIELD}:S", f"{FIELD}:I{process.name}")
    process.wire.broken = True
    with pytest.raises(StoreUnavailable):
        await process.presence.tell(CLOUD)
    await process.presence.tell(SHOP)
    assert settled(client) == 5


async def test_what_lost_data_refused_to_hear_was_not_part_of_it(
    client: "redis.Redis", store: VirtualStore, process: Process
) -> None:
    """Else a sum that a process tells for the first time after the loss is taken for one that
    another saw before, and is not added to what that one knows of the dead."""
    dead, newcomer = Process(store, Truth()), Process(store, Truth())
    await newcomer.presence.tell(SHOP)
    await spend(dead, "one", 128)
    await spend(process, "two", 1)
    client.flushall()
    store.now_us += 1
    await spend(newcomer, "three", 77)
    await spend(process, "four", 1)
    assert settled(client) == 128 + 1 + 77 + 1
    for each in (dead, newcomer):
        await each.close()


async def test_what_was_told_after_a_long_silence_and_then_forgotten_is_told_again(
    client: "redis.Redis", store: VirtualStore, process: Process
) -> None:
    """It was not among what the operator drops of whom it has not heard."""
    await process.presence.tell(SHOP)
    store.now_us += SILENCE
    former = client.dump(SHOP.state)
    await spend(process, "two", 93)
    client.delete(SHOP.state)
    client.restore(SHOP.state, 0, cast("bytes", former))
    process.wire.broken = True
    with pytest.raises(StoreUnavailable):
        await process.presence.tell(SHOP)
    await process.presence.tell(SHOP)
    assert settled(client) == 93


async def test_what_was_dropped_in_a_long_silence_is_not_counted_twice(
    client: "redis.Redis", store: VirtualStore, process: Process
) -> None:
    await spend(process, "one", 5)
    await process.presence.tell(SHOP)
    store.now_us += SILENCE
    client.hdel(SHOP.state, f"{FIELD}:I{process.name}")
    await spend(process, "two", 93)
    await process.presence.tell(SHOP)
    assert settled(client) == 5 + 93


async def test_a_new_connection_hears_all_at_once_though_no_call_failed(
    client: "redis.Redis", process: Process
) -> None:
    """Nobody waits for a beat where money is missing; who asks nothing sees no call fail."""
    await spend(process, "one", 5)
    presence = another(process, beat_seconds=3600)
    presence.start()
    await process.wire.next_done()
    client.hdel(SHOP.state, f"{FIELD}:S", f"{FIELD}:I{process.name}")
    process.memory.connected()
    while settled(client) != 5:
        await process.wire.next_done()
    await presence.close()
    assert not process.memory.listeners, "it is heard of no more"


async def test_what_a_beat_could_not_say_is_said_soon(
    client: "redis.Redis", process: Process
) -> None:
    await spend(process, "one", 5)
    presence = another(process, beat_seconds=3600)
    process.wire.way = "lost"
    presence.start()
    await process.wire.next_done()
    await presence.close()
    assert client.exists(SHOP.members)


async def test_the_own_group_hears_beats_before_anybody_asks(
    client: "redis.Redis", process: Process
) -> None:
    """They sweep up what another process left."""
    presence = another(process, own=SHOP)
    presence.start()
    await process.wire.next_done()
    await presence.close()
    assert (client.exists(SHOP.members), client.exists(CLOUD.members)) == (1, 0)


async def test_a_smaller_sequence_number_is_noticed_where_no_connection_was_lost(
    client: "redis.Redis", process: Process
) -> None:
    await spend(process, "one", 5)
    await process.presence.tell(SHOP)
    client.hdel(SHOP.state, f"{FIELD}:S", f"{FIELD}:I{process.name}")
    client.hset(SHOP.state, "@seq", 0)
    await process.presence.tell(SHOP)
    assert settled(client) == 5


async def test_every_presence_of_a_process_takes_its_own_holds_again(
    client: "redis.Redis", process: Process, store: VirtualStore
) -> None:
    """While a configuration gives way to the next, there are two."""
    next_one = Process(store, Truth())
    next_one.memory = next_one.ledger.memory = process.memory
    next_one.presence = another(next_one)
    await hold(process, "old")
    await hold(next_one, "new")
    client.delete(SHOP.state, SHOP.keys[1], SHOP.keys[2], SHOP.slots("one"))
    await process.presence.tell(SHOP)
    await next_one.presence.tell(SHOP)
    assert leases(client) == [b"new", b"old"]
    await next_one.close()


async def test_who_was_silent_and_dropped_tells_only_what_is_new(
    client: "redis.Redis", process: Process, store: VirtualStore
) -> None:
    """By the server's clock, and whatever is said first when the silence ends."""
    await spend(process, "one", 5)
    await process.presence.tell(SHOP)
    for say_first in (True, False):
        before = settled(client)
        store.now_us += 3601 * SECOND
        client.hdel(SHOP.state, f"{FIELD}:I{process.name}")
        if say_first:
            await process.presence.tell(SHOP)
        await spend(process, f"say first {say_first}", 2)
        assert settled(client) == before + 2


async def test_a_sum_that_nobody_said_goes_with_the_next_beat(
    client: "redis.Redis", process: Process
) -> None:
    """A settlement that was pushed out of a full journal loses a hold's end, and no money."""
    await spend(process, "one", 5)
    process.ledger.spend(PLACE, [SUM], 7)
    await process.presence.tell(SHOP)
    assert settled(client) == 12


async def test_a_hold_that_was_settled_lately_and_comes_back_is_ended_again(
    client: "redis.Redis", process: Process
) -> None:
    await hold(process, "back")
    keys = [*SHOP.keys, SHOP.slots("one")]
    saved = {key: cast("bytes", client.dump(key)) for key in keys}
    process.renewals.drop(PLACE, "back")
    await process.settlements.settle(PLACE, [End("back", 1, 0)])
    assert leases(client) == []
    for key, value in saved.items():
        client.restore(key, 0, value, replace=True)
    assert leases(client) == [b"back"]
    await process.presence.tell(SHOP)
    assert leases(client) == []
