"""Redis forgets under load, all or its last second: what was spent and admitted is known again.

Sidecars tell what they know. Where all is gone, who is limited waits until they have had the time
for it, and the bounds hold as if nothing had happened. Where old data came back, windows and slots
may let as much more through as was admitted in the time that is forgotten; spend is told anew.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock_config.budget import Amounts
from penstock_config.provider import RateLimits
from penstock_config.schema import SidecarConfig
from tests.chaos.figures import note
from tests.chaos.house import PLENTY, budget, config, house, per_app, write
from tests.chaos.load import Load, load, until
from tests.chaos.losses import LOSSES, SLOTS
from tests.chaos.meter import Meter
from tests.chaos.reading import Money, Reading
from tests.chaos.windows import most_at_once
from tests.servers import Server, any_server, single

SIDECARS = 3
LIMIT = 250
WINDOW_SECONDS = 10.0
PROVIDER_SLOTS = 2 * SLOTS + 1
CALLERS = PROVIDER_SLOTS
"""More than twice the app's slots: a loss that doubles them does not go unseen."""
BUDGET_MICRO_USD = 26_000
DEAREST_MICRO_USD = 400
"""More than any request's upper bound."""
BEFORE = 120
"""Requests before the loss."""
KNOWN_WITHIN_SECONDS = 5.0
EVERYSEC = ("--appendonly", "yes", "--appendfsync", "everysec")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    folder = tmp_path / "redis"
    folder.mkdir()
    with single(any_server(), folder, *EVERYSEC) as running:
        yield running


def limited(meter: Meter) -> SidecarConfig:
    """A window, slots, a budget that refuses, and one for each user that does not."""
    money = budget(limits=Amounts(total=BUDGET_MICRO_USD), per_user=Amounts(total=PLENTY))
    app = per_app(
        requests_per_minute=LIMIT, window_seconds=WINDOW_SECONDS, concurrent_requests=SLOTS
    )
    slots = RateLimits(concurrent_requests=PROVIDER_SLOTS)
    return config(meter, (app,), (money,), slots)


def is_quiet(books: Reading) -> bool:
    return books.money().reserved == 0 and books.slots() == 0


@pytest.mark.slow
@pytest.mark.parametrize("how", LOSSES)
async def test_a_redis_that_forgot_knows_the_spend_again_and_bounds_hold(
    tmp_path: Path, server: Server, how: str
) -> None:
    async with Meter() as meter:
        write(tmp_path, limited(meter), server.url)
        with server.client() as client:
            books = Reading(client)
            async with house(tmp_path, SIDECARS) as sidecars:
                async with load(sidecars.session, sidecars.urls, CALLERS) as callers:
                    await callers.more(BEFORE)
                    lost = await LOSSES[how](server, callers, meter)
                    seconds = await until(
                        lambda: books.money().settled >= lost.billed, KNOWN_WITHIN_SECONDS
                    )
                    note(known_again_after_seconds=round(seconds, 2))
                    meter.gate.set()
                    left = BUDGET_MICRO_USD - DEAREST_MICRO_USD
                    await until(lambda: books.money().settled > left)
                await until(lambda: is_quiet(books))
                assert_exact(books, meter, callers)
    assert BUDGET_MICRO_USD - DEAREST_MICRO_USD <= meter.billed <= BUDGET_MICRO_USD
    note(most_in_a_window=most_at_once(meter.arrivals, WINDOW_SECONDS))
    assert most_at_once(meter.arrivals, WINDOW_SECONDS) <= LIMIT + lost.admitted
    assert meter.most_in_flight <= SLOTS + lost.in_flight


def assert_exact(books: Reading, meter: Meter, callers: Load) -> None:
    """Nothing is lost, nothing is there twice, nothing is open: in all, and for each user."""
    assert books.money() == Money(settled=meter.billed)
    users = sorted(money.settled for money in books.users().values())
    assert users == sorted(callers.spent.values())
