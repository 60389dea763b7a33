"""Prompts of ConfigMaps into Redis when they are due, with a real Redis and a clock of our own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from penstock_config.cache_layout import warming
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.warming import Warming
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings
from tests.operator.compile.documents import document
from tests.operator.handlers.waiting import until
from tests.operator.handlers.warming_api import WarmingApi, served
from tests.servers import any_server, single

SIX = datetime(2026, 11, 20, 6, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
REF = {"name": "penstock-warming", "key": "prompts"}
STREAM = warming("test", "llm", "main")
PROMPTS = {"prompts": "When do you open?\nWhere are you?\n"}


@dataclass
class World:
    """One policy that warms at six o'clock, and what becomes of it."""

    redis_url: str | None
    now: datetime = SIX - MINUTE
    leads: bool = True
    api: WarmingApi = field(default_factory=WarmingApi)
    inventory: Inventory = field(default_factory=Inventory)
    metrics: Metrics = field(default_factory=Metrics)

    def note(
        self, generation: int = 1, name: str = "main", *, seen: bool = True, **spec: Any
    ) -> None:
        """A policy as the watch tells of it; `seen`: once its conditions are there."""
        warm = {"configMapRef": REF, "schedule": "0 6 * * *"}
        body = document("RoutePolicy", name, **({"cache": {"exact": {}, "warm": warm}} | spec))
        body["metadata"] |= {"uid": f"uid-{name}", "generation": generation}
        body["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
        status = self.api.statuses.get(name, {})
        body["status"] = {**status, "observedGeneration": generation if seen else generation - 1}
        self.inventory.note_object(body)

    @asynccontextmanager
    async def leading(self, directory: Path) -> AsyncIterator[None]:
        """One leader's life; `ticks` tells how often it looked."""
        settings = Settings(cluster="test", redis_url=self.redis_url)
        self.ticks = 0
        async with served(self.api, directory) as cluster:
            warming = Warming(
                cluster,
                self.inventory,
                settings,
                self.metrics,
                lambda: self.leads,
                _at_once,
                clock=self._clock,
                look_seconds=0.01,
            )
            task = asyncio.create_task(warming.run())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.wait([task])

    def _clock(self) -> datetime:
        self.ticks += 1
        return self.now

    def queued(self) -> list[dict[str, str]]:
        assert self.redis_url
        with redis.Redis.from_url(self.redis_url, decode_responses=True) as client:
            return [fields for _, fields in client.xrange(STREAM)]

    def condition(self) -> tuple[str, str]:
        """Status and reason, as written last."""
        (found,) = self.api.statuses.get("main", {}).get("conditions") or [{}]
        return found.get("status", ""), found.get("reason", "")

    async def looks(self, times: int = 3) -> None:
        """Whole rounds from now on: what was to happen has happened."""
        end = self.ticks + times
        await until(lambda: self.ticks >= end)

    def metric(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"penstock_operator_warming_{name}", labels)


async def _at_once() -> None:
    """Everything was listed."""


@pytest.fixture
def world(redis_url: str) -> World:
    found = World(redis_url)
    found.api.maps["penstock-warming"] = PROMPTS
    found.note()
    return found


async def test_prompts_are_queued_at_their_time_and_told_of(world: World, tmp_path: Path) -> None:
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Scheduled"))
        await world.looks()
        assert world.queued() == []
        world.now = SIX + timedelta(seconds=3)
        await until(lambda: "lastQueued" in world.api.statuses["main"].get("warming", {}))
        await world.looks()
    assert world.queued() == [{"prompt": "When do you open?"}, {"prompt": "Where are you?"}]
    assert world.api.statuses["main"]["warming"] == {
        "lastScheduleTime": "2026-11-20T06:00:00Z",
        "lastQueued": 2,
        "nextScheduleTime": "2026-11-21T06:00:00Z",
    }
    (event,) = world.api.events.values()
    assert (event["type"], event["reason"]) == ("Normal", "PromptsQueued")
    assert "2 prompts were queued for 2026-11-20T06:00:00Z" in event["message"]
    assert "open" not in event["message"]
    assert world.api.managers == {"penstock-warming"}
    assert world.metric("prompts_total", namespace="llm", policy="main") == 2
    assert world.metric("rounds_total", result="ok") == 1


async def test_the_next_leader_makes_up_for_a_missed_time_and_queues_none_twice(
    world: World, tmp_path: Path
) -> None:
    world.now = SIX + 3 * MINUTE
    for number in range(3):
        world.metrics = Metrics()
        async with world.leading(tmp_path):
            await until(lambda: world.condition() == ("True", "Scheduled"))
            await world.looks()
        assert len(world.queued()) == 2
        assert world.metric("prompts_total", namespace="llm", policy="main") == (
            2 if not number else None
        )
    assert world.api.reasons() == ["PromptsQueued"]
    assert world.api.statuses["main"]["warming"]["lastQueued"] == 2


async def test_a_leader_that_died_before_it_could_say_so_is_made_up_for(
    world: World, tmp_path: Path
) -> None:
    world.now = SIX
    async with world.leading(tmp_path):
        await until(lambda: world.api.events)
    world.api.events.clear()
    world.api.statuses.clear()
    world.now = SIX + MINUTE
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Scheduled"))
    assert world.api.reasons() == ["PromptsQueued"]
    assert world.api.statuses["main"]["warming"]["lastQueued"] == 2
    assert len(world.queued()) == 2


async def test_a_policy_that_comes_after_its_time_waits_for_the_next(
    world: World, tmp_path: Path
) -> None:
    world.now = SIX + MINUTE
    world.note(cache={"exact": {}})
    world.note(1, "other")
    async with world.leading(tmp_path):
        await world.looks()
        world.note(2)
        await until(lambda: world.condition() == ("True", "Scheduled"))
        await world.looks()
    assert world.queued() == []
    assert "lastQueued" not in world.api.statuses["main"]["warming"]


@pytest.mark.parametrize(
    ("maps", "refused", "reason", "named"),
    [
        ({}, 0, "ConfigMapNotFound", "there is no ConfigMap penstock-warming"),
        ({"penstock-warming": {"others": "x"}}, 0, "ConfigMapKeyMissing", "no key prompts"),
        ({}, 403, "ConfigMapNotPermitted", "warming.configMaps"),
        ({}, 500, "NotQueued", "could not be read"),
        ({"penstock-warming": {"prompts": "\n"}}, 0, "NoPrompts", "holds no prompts"),
    ],
)
async def test_what_is_in_the_way_is_said_before_and_mended_in_time(
    world: World,
    tmp_path: Path,
    maps: dict[str, dict[str, str]],
    refused: int,
    reason: str,
    named: str,
) -> None:
    world.api.maps, world.api.refuses_reads = maps, refused
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("False", reason))
        assert named in world.api.statuses["main"]["conditions"][0]["message"]
        world.now = SIX
        await until(lambda: world.api.reasons() == [reason])
        world.api.maps, world.api.refuses_reads = {"penstock-warming": PROMPTS}, 0
        world.now = SIX + MINUTE
        await until(lambda: world.condition() == ("True", "Scheduled"))
    assert len(world.queued()) == 2
    assert world.api.reasons() == [reason, "PromptsQueued"]


async def test_lines_that_are_none_keep_no_others_from_being_asked(
    world: World, tmp_path: Path
) -> None:
    world.api.maps["penstock-warming"] = {"prompts": 'fine\n{"oops\nalso fine'}
    world.now = SIX
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("False", "PromptsUnreadable"))
    assert world.queued() == [{"prompt": "fine"}, {"prompt": "also fine"}]
    assert "line 2" in world.api.statuses["main"]["conditions"][0]["message"]
    assert "oops" not in str(world.api.statuses) + str(world.api.events)


async def test_a_redis_that_is_away_is_tried_again(world: World, tmp_path: Path) -> None:
    with single(any_server(), tmp_path) as server:
        world.redis_url = server.url
        server.kill()
        async with world.leading(tmp_path):
            world.now = SIX
            await until(lambda: world.condition() == ("False", "NotQueued"))
            assert world.metric("rounds_total", result="failed") == 1
            await asyncio.to_thread(server.start)
            world.now = SIX + MINUTE
            await until(lambda: world.condition() == ("True", "Scheduled"))
        assert len(world.queued()) == 2


async def test_without_a_redis_it_says_so(world: World, tmp_path: Path) -> None:
    world.redis_url = None
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("False", "NotQueued"))
    assert "PENSTOCK_REDIS_URL" in world.api.statuses["main"]["conditions"][0]["message"]


async def test_a_schedule_that_never_comes_is_said_and_nothing_is_read(
    world: World, tmp_path: Path
) -> None:
    never = {"configMapRef": REF, "schedule": "0 6 31 2 *"}
    world.note(cache={"exact": {}, "warm": never})
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("False", "NeverDue"))
    assert world.api.reads == 0


async def test_who_leads_no_more_queues_nothing(world: World, tmp_path: Path) -> None:
    world.leads, world.now = False, SIX
    async with world.leading(tmp_path):
        await until(lambda: world.api.reads)
        await world.looks()
    assert world.queued() == []


async def test_a_policy_that_warms_no_more_says_nothing_of_it(world: World, tmp_path: Path) -> None:
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Scheduled"))
    world.note(2, cache={"exact": {}})
    async with world.leading(tmp_path):
        await until(lambda: world.api.statuses["main"] == {})


async def test_a_time_that_passed_in_suspense_is_not_made_up_for(
    world: World, tmp_path: Path
) -> None:
    cache = {"exact": {}, "warm": {"configMapRef": REF, "schedule": "0 6 * * *"}}
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Scheduled"))
        world.note(2, cache=cache, suspended=True)
        await until(lambda: world.api.statuses["main"] == {})
        world.now = SIX + MINUTE
        world.note(3)
        await until(lambda: world.condition() == ("True", "Scheduled"))
        await world.looks()
    assert world.queued() == []


async def test_a_status_that_is_refused_is_tried_again_but_not_at_every_look(
    world: World, tmp_path: Path
) -> None:
    world.api.refuses_writes = 422
    async with world.leading(tmp_path):
        await until(lambda: world.api.writes)
        await world.looks(5)
        assert world.api.writes == 1
        world.api.refuses_writes = 0
        world.now += timedelta(seconds=30)
        await until(lambda: world.condition() == ("True", "Scheduled"))


async def test_a_new_generation_is_looked_at_once_its_conditions_are_there(
    world: World, tmp_path: Path
) -> None:
    world.note(2, seen=False)
    world.note(1, "other")
    async with world.leading(tmp_path):
        await until(lambda: "other" in world.api.statuses)
        await world.looks()
    assert world.api.statuses.keys() == {"other"}


async def test_a_configmap_that_is_well_is_not_read_at_every_look(
    world: World, tmp_path: Path
) -> None:
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Scheduled"))
        await world.looks(10)
        assert world.api.reads == 1
        world.now -= 5 * MINUTE  # a clock that is set back does no harm
        await world.looks()
        world.now += 10 * MINUTE
        await until(lambda: world.api.reads > 1)
