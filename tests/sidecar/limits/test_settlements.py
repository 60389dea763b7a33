"""What waits while Redis is away, and what gives way when too much does."""

import asyncio

from penstock_config.layout import Group
from penstock_sidecar.limits.holds import End, Place, Sum
from penstock_sidecar.limits.journal import Journal
from penstock_sidecar.limits.ledger import Ledger
from penstock_sidecar.limits.settlements import MOST_GIVEN_BACK, Settlements
from penstock_sidecar.store import StoreUnavailable
from tests.sidecar.limits.world import memory

SUM = Sum(1, "budget:shop/team:daily:20261121")
PLACE = Place(Group.of_namespace("test", "shop"))


class AwayStore:
    """Hears nothing until it is `back`; keeps the ids that it then hears."""

    def __init__(self) -> None:
        self.back = False
        self.heard: list[object] = []

    async def command(self, *arguments: object) -> object:
        raise AssertionError(arguments)

    async def script(self, _: object, __: object, arguments: tuple[object, ...]) -> object:
        if not self.back:
            raise StoreUnavailable
        self.heard.append(arguments[4])
        sums = int(str(arguments[8]))
        return [1, 1, "o", *[0] * sums]


async def test_holds_that_were_perhaps_never_taken_push_out_nothing_that_was_used() -> None:
    store = AwayStore()
    settlements = Settlements(Ledger(store, memory()), Journal.open(None), retry_seconds=0)
    used = End("used", 1, 7, sums=(SUM,))
    settlements.settle(PLACE, [used])
    for number in range(3 * MOST_GIVEN_BACK):
        settlements.settle(PLACE, [End(f"given back {number}")])
    settlements.settle(PLACE, [End("used later", 1, 7, sums=(SUM,))])
    await asyncio.gather(*settlements._tasks)
    assert settlements.journal_length == MOST_GIVEN_BACK + 1
    store.back = True
    await settlements.settled()
    assert store.heard[0] == "used"
    assert store.heard[-1] == "used later"
    await settlements.close()
