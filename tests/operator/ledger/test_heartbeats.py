"""Heartbeats of many pods, out of a real Redis."""

import redis.asyncio

from penstock_config.heartbeat import encode_heartbeat
from penstock_config.layout import Group
from penstock_operator.ledger.heartbeats import PODS_AT_ONCE, read_heartbeats
from penstock_operator.ledger.store import Store
from tests.operator.delivery.seen import beat


def key(namespace: str, uid: str) -> str:
    return Group.of_namespace("test", namespace).pod(uid)


async def test_those_of_many_namespaces_are_found_each_under_its_own(
    store: Store, books: redis.asyncio.Redis
) -> None:
    uids = [f"u{number}" for number in range(2 * PODS_AT_ONCE + 1)]
    for number, uid in enumerate(uids):
        await books.set(key("shop", uid), encode_heartbeat(beat(str(number))))
    await books.set(key("other", "u0"), encode_heartbeat(beat("theirs")))
    found = await read_heartbeats(store, "test", {"shop": uids, "other": ["u0x"], "none": []})
    assert found.pop("u0x") is None
    assert {uid: each.config for uid, each in found.items() if each} == {
        uid: str(number) for number, uid in enumerate(uids)
    }


async def test_what_a_tenant_wrote_in_its_place_is_no_heartbeat(
    store: Store, books: redis.asyncio.Redis
) -> None:
    await books.set(key("shop", "text"), "[" * 100_000)
    await books.rpush(key("shop", "list"), "x")
    await books.set(key("shop", "fine"), encode_heartbeat(beat()))
    found = await read_heartbeats(store, "test", {"shop": ["text", "list", "fine", "gone"]})
    assert found == {"text": None, "list": None, "fine": beat(), "gone": None}
