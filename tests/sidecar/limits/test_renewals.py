"""Holds of requests in flight stay, whatever becomes of others."""

from collections.abc import AsyncIterator, Iterator

import pytest
import redis

from penstock_sidecar.limits.holds import End, Hold
from tests.sidecar.limits.forgetful import BOUNDS, PLACES, SECOND
from tests.sidecar.limits.process import GROUPS, Process
from tests.sidecar.limits.truth import Truth
from tests.sidecar.limits.virtual import VirtualStore

SHOP = GROUPS[0]
PLACE = PLACES[SHOP.tag]


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


async def test_a_hold_that_was_given_up_keeps_no_other_from_renewal(
    client: "redis.Redis", process: Process, store: VirtualStore
) -> None:
    """Its acquire was late and given back, then its request went on without Redis."""
    holds = [Hold(id_, BOUNDS, 0, 10, 10) for id_ in ("given up", "lives")]
    await process.ledger.acquire(PLACE, holds)
    for each in holds:
        process.renewals.keep(PLACE, each)
    await process.ledger.settle(PLACE, [End("given up")])
    store.now_us += 11 * SECOND
    await process.renewals.renew_old()
    store.now_us += 25 * SECOND
    live = client.zrangebyscore(SHOP.slots("one"), store.now_us, "+inf")
    assert live == [b"lives"]


async def test_a_lease_that_ran_out_with_old_data_is_taken_again_at_once(
    client: "redis.Redis", process: Process, store: VirtualStore
) -> None:
    """Its hold is there, so that taking it once more would change nothing."""
    await process.ledger.acquire(PLACE, [Hold("old", BOUNDS, 0, 10, 10)])
    process.renewals.keep(PLACE, Hold("old", BOUNDS, 0, 10, 10))
    store.now_us += 31 * SECOND
    await process.renewals.retake(SHOP.tag)
    assert client.zrangebyscore(SHOP.slots("one"), store.now_us, "+inf") == [b"old"]
