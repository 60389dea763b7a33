"""Choosing among providers of which some have replicas, and some of these sleep."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from penstock_config.provider import Managed
from penstock_config.tier import Floor, Strategy
from penstock_sidecar.fleet import Fleets
from penstock_sidecar.fleet.fleet import LiveFleet, Wanted
from penstock_sidecar.routing.replicas import missed
from penstock_sidecar.routing.router import Router, Selection
from penstock_sidecar.routing.seen import Seen
from tests.sidecar.fleet.world import fleet_of, replica
from tests.sidecar.routing.builders import (
    CALLER,
    ManualClock,
    candidate,
    config,
    model,
    policy,
    provider,
    request,
    tier,
)

CLOUD = model("cloud").model_copy(update={"expected_latency_ms": 900, "quality": 70})
LLAMA = model("llama").model_copy(
    update={"expected_latency_ms": 300, "load_seconds": 20, "quality": 70}
)
SLEEPS = Managed(may_be_cold=True)
GIVES_WAY = Managed(may_be_cold=True, on_cold="Fallback")


class World:
    """A fleet with one model beside a cloud with another, in one tier."""

    def __init__(self, managed: Managed = SLEEPS, **fields: Any) -> None:
        clock = ManualClock()
        self.seen = Seen.nothing(clock)
        self.fleets = Fleets(clock, Random(1))
        own = provider("own", LLAMA).model_copy(
            update={"managed": managed, "type": "ollama", "base_url": "http://own.shop.svc:11434"}
        )
        self.fleet: LiveFleet = self.fleets.of(own)
        found = {"own_priority": 0, "cloud_priority": 0, **fields}
        llama = candidate("own/llama", priority=found.pop("own_priority"))
        cloud = candidate("sky/cloud", priority=found.pop("cloud_priority"))
        fast = tier("fast", llama, cloud, **found)
        ruling = policy("fast")
        whole = config((own, provider("sky", CLOUD)), (fast,), ruling)
        self.router = Router(whole, ruling, Random(1), clock, seen=self.seen, fleets=self.fleets)

    def select(self, **headers: str) -> Selection:
        asked = request("fast", headers=headers)
        return self.router.order(self.router.route(asked, CALLER, 10), asked, 10)

    def first(self) -> str:
        return self.select().candidates[0].model.name

    def missed(self) -> list[str]:
        route = self.router.route(request("fast"), CALLER, 10)
        selection = self.select()
        found = missed(route.candidates, selection.candidates, selection.drops, self.fleets)
        return [each.model.name for each in found]


@pytest.mark.parametrize("strategy", ["LeastLatency", "Adaptive"])
def test_a_model_that_must_be_loaded_is_slower_by_that(strategy: Strategy) -> None:
    world = World(strategy=strategy)
    world.seen.scores.learning = replace(world.seen.scores.learning, exploration=0.0)
    world.fleet.heard(fleet_of(replica("r1", "llama", loaded=("llama",))))
    assert world.first() == "llama"
    world.fleet.heard(fleet_of(replica("r1", "llama")))
    assert world.first() == "cloud"


def test_a_ceiling_on_latency_counts_the_loading() -> None:
    world = World()
    world.fleet.heard(fleet_of(replica("r1", "llama")))
    selection = world.select(**{"x-penstock-max-latency-ms": "5000"})
    assert [c.model.name for c in selection.candidates] == ["cloud"]
    assert selection.drops[0].reason == (
        "takes about 20300 ms to its first token, more than 5000 ms"
    )
    world.fleet.heard(fleet_of(replica("r1", "llama", loaded=("llama",))))
    assert len(world.select(**{"x-penstock-max-latency-ms": "5000"}).candidates) == 2


async def test_the_least_busy_goes_by_the_replica_that_would_answer() -> None:
    world = World(strategy="LeastBusy")
    world.fleet.heard(fleet_of(replica("r1", "llama"), replica("r2", "llama")))
    cloud = next(c for c in world.select().candidates if c.model.name == "cloud")
    world.seen.busy.began(cloud)
    for _ in range(2):
        assert world.first() == "llama"
        assert await world.fleet.seat(Wanted("l", "llama", 4), 0)
    world.seen.busy.began(cloud)
    assert world.first() == "llama"  # one at each replica, two at the cloud
    for _ in range(4):
        assert await world.fleet.seat(Wanted("l", "llama", 4), 0)
    assert world.first() == "cloud"


@pytest.mark.parametrize(
    ("managed", "kind", "reason"),
    [
        (GIVES_WAY, "cold", "sleeps, and is being woken: pulling, 43 %"),
        (Managed(), "unready", "has no replica that is ready: pulling, 43 %"),
    ],
)
def test_others_come_before_a_fleet_without_replicas(
    managed: Managed, kind: str, reason: str
) -> None:
    world = World(managed, cloud_priority=5)
    world.fleet.heard(fleet_of(message="pulling, 43 %"))
    selection = world.select()
    assert [c.model.name for c in selection.candidates] == ["cloud", "llama"]
    assert [(d.kind, d.reason, d.last) for d in selection.drops] == [(kind, reason, True)]
    assert world.router.out(selection.candidates[1], "openai-chat")
    world.fleet.heard(fleet_of(replica("r1", "llama")))
    assert world.first() == "llama"
    assert not world.router.out(selection.candidates[1], "openai-chat")


def test_a_fleet_that_is_to_be_waited_for_keeps_its_place() -> None:
    world = World(SLEEPS, cloud_priority=5)
    world.fleet.heard(fleet_of())
    assert world.first() == "llama"
    assert world.missed() == []


def test_a_fleet_that_would_have_been_asked_is_woken() -> None:
    world = World(GIVES_WAY, cloud_priority=5)
    world.fleet.heard(fleet_of())
    assert world.missed() == ["llama"]
    world.fleet.heard(fleet_of(replica("r1", "llama")))
    assert world.missed() == []


def test_a_fleet_that_is_passed_over_for_the_time_it_takes_to_load_is_woken() -> None:
    floor = Floor(complexity="medium", max_latency_ms=5000)
    world = World(SLEEPS, floors=(floor,))
    world.fleet.heard(fleet_of())
    assert world.first() == "cloud"
    assert world.missed() == ["llama"]


def test_a_fleet_of_a_lower_priority_sleeps_on() -> None:
    world = World(GIVES_WAY, own_priority=5)
    world.fleet.heard(fleet_of())
    assert world.missed() == []


def test_a_fleet_that_is_not_known_is_like_any_other_provider() -> None:
    world = World(GIVES_WAY, strategy="LeastLatency")
    assert world.first() == "llama"
    assert world.select().drops == ()


def test_a_verdict_tells_of_replicas() -> None:
    world = World()
    world.fleet.heard(fleet_of(replica("r1", "llama", loaded=("llama",)), message="all is well"))
    verdicts = {v.candidate.model.name: v for v in world.router.verdicts(world.select())}
    llama = verdicts["llama"]
    assert (llama.replicas, llama.in_front, llama.doing) == ((1, 1), 0, "all is well")
    assert verdicts["cloud"].replicas is None
