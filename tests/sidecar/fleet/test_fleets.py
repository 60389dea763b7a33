"""What routing hears of providers that the operator runs."""

import asyncio
from random import Random

import pytest

from penstock_config.provider import Managed
from penstock_sidecar.fleet import Fleets, Trouble
from penstock_sidecar.fleet.fleets import UNKNOWN_LOAD_SECONDS
from penstock_sidecar.model import Candidate
from tests.sidecar.fleet.world import LLAMA, candidate, fleet_of, replica
from tests.sidecar.routing.builders import ManualClock, model, provider

SLEEPS = Managed(may_be_cold=True)
GIVES_WAY = Managed(may_be_cold=True, on_cold="Fallback")


@pytest.fixture
def fleets() -> Fleets:
    return Fleets(ManualClock(), Random(1), first_look_seconds=0.01)


def test_nothing_is_said_of_what_is_not_known(fleets: Fleets) -> None:
    found = candidate(GIVES_WAY)
    cloud = Candidate(provider("cloud", "m"), model("m"), "fast", "shop/fast")
    fleets.of(found.provider)
    for each in (found, cloud):
        assert fleets.situation(each) is None
        assert fleets.load_seconds(each) == 0
        assert fleets.trouble(each) is None
        assert not fleets.cold(each)
        assert not fleets.loaded(each)


def test_the_time_to_load_counts_until_a_replica_has_loaded(fleets: Fleets) -> None:
    found, unknown = candidate(load_seconds=7), candidate()
    live = fleets.of(found.provider)
    live.heard(fleet_of(replica("r1")))
    assert (fleets.load_seconds(found), fleets.load_seconds(unknown)) == (7, UNKNOWN_LOAD_SECONDS)
    live.heard(fleet_of(replica("r1"), replica("r2", loaded=(LLAMA,))))
    assert (fleets.load_seconds(found), fleets.loaded(found)) == (0, True)


@pytest.mark.parametrize(
    ("managed", "trouble", "cold"),
    [
        (Managed(), Trouble("unready", "has no replica that is ready: pulling, 43 %"), False),
        (GIVES_WAY, Trouble("cold", "sleeps, and is being woken: pulling, 43 %"), True),
        (SLEEPS, None, True),
    ],
)
def test_a_fleet_without_replicas_gives_way_as_it_is_told(
    fleets: Fleets, managed: Managed, trouble: Trouble | None, *, cold: bool
) -> None:
    found = candidate(managed)
    fleets.of(found.provider).heard(fleet_of(message="pulling, 43 %"))
    assert (fleets.trouble(found), fleets.cold(found)) == (trouble, cold)
    fleets.of(found.provider).heard(fleet_of(replica("r1")))
    assert (fleets.trouble(found), fleets.cold(found)) == (None, False)


async def test_a_request_waits_for_the_first_look_but_not_for_long(fleets: Fleets) -> None:
    found = candidate()
    fleets.of(found.provider)
    await fleets.fresh((found,))
    assert fleets.wanted.is_set()
    [watched] = fleets.watched()
    assert watched.look
    waiting = asyncio.create_task(fleets.fresh((found,)))
    await asyncio.sleep(0)
    watched.look.set()
    await waiting


async def test_a_request_does_not_wait_where_it_was_looked_at_lately(fleets: Fleets) -> None:
    found = candidate()
    fleets.of(found.provider)
    [watched] = fleets.watched()
    watched.looked_at = fleets.clock.monotonic()
    await fleets.fresh((found,))
    assert not fleets.wanted.is_set()
    assert watched.used_at == fleets.clock.monotonic()
