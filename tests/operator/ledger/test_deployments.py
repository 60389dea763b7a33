"""The same calls on a Cluster whose slots move, and on a Sentinel's master that changes."""

from pathlib import Path

from penstock_operator.ledger.account import SumKey
from penstock_operator.ledger.housekeeping import Housekeeper
from penstock_operator.ledger.reading import read
from penstock_operator.ledger.restoring import Restorer
from penstock_operator.ledger.store import LedgerAway, Store, opened
from penstock_operator.settings import Settings
from tests.operator.ledger.accounts import DAY, NOON, USD, account, provider_wide
from tests.servers.binaries import any_server
from tests.servers.cluster import Cluster, cluster
from tests.servers.sentinel import sentinel_pair

TODAY: SumKey = ("daily", DAY)
EVERYWHERE = account(*provider_wide(*(f"shop/{name}" for name in "abcdefgh")))
"""Its books lie on all masters."""


async def sums(store: Store) -> list[int]:
    reading = await read(store, [EVERYWHERE], NOON)
    return [reading[b].sums[TODAY].settled if b in reading else -1 for b in EVERYWHERE.books]


async def restore(store: Store) -> None:
    known = {book: {TODAY: 3 * USD} for book in EVERYWHERE.books}
    await Restorer(store, lambda: 0.0).restore(known, await read(store, [EVERYWHERE], NOON))


async def test_a_cluster_is_read_mended_and_cleaned(tmp_path: Path) -> None:
    with cluster(any_server(), tmp_path) as nodes:
        async with opened(Settings(redis_url=nodes.url)) as store:
            assert await store.now() <= await store.now()
            await restore(store)
            assert await sums(store) == [3 * USD] * 8
            await Housekeeper(store).clean([EVERYWHERE], NOON)
            moved = nodes.slot(EVERYWHERE.books[0].group.state)
            nodes.migrate_slot(moved, "done")
            assert await sums(store) == [3 * USD] * 8
            await a_master_less(nodes, store)


async def a_master_less(nodes: Cluster, store: Store) -> None:
    """Its books cannot be read, those of the others can."""
    gone = nodes.owner(nodes.slot(EVERYWHERE.books[1].group.state))
    gone.kill()
    found = await sums(store)
    assert -1 in found
    assert 3 * USD in found


async def test_a_new_master_is_found(tmp_path: Path) -> None:
    with sentinel_pair(any_server(), tmp_path) as pair:
        async with opened(Settings(redis_url=pair.url)) as store:
            await restore(store)
            assert await sums(store) == [3 * USD] * 8
            pair.wait_for_sync()
            pair.failover()
            await until_read(store)
            await restore(store)
            assert await sums(store) == [3 * USD] * 8


async def until_read(store: Store) -> None:
    """A round may fail on the way; the next one comes soon."""
    for _ in range(20):
        try:
            await store.now()
        except LedgerAway:
            continue
        return
    raise AssertionError
