"""Heartbeats into statuses: when one is written, and when none is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from penstock_config.heartbeat import Heartbeat, encode_heartbeat
from penstock_config.layout import Group
from penstock_config.policy import Policy
from penstock_operator.cluster import connect
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.handlers.sidecars import Sidecars
from penstock_operator.metrics import Metrics
from penstock_operator.plan import Published
from penstock_operator.settings import Settings
from tests.operator.delivery.seen import PUBLISHED, beat, pod, policy
from tests.operator.handlers.pod_api import Body, PodApi, served
from tests.operator.handlers.waiting import until


def body(generation: int = 1, **status: Any) -> Body:
    """A policy that was compiled and written."""
    programmed = {"type": "Programmed", "status": "True", "observedGeneration": generation}
    return {
        "apiVersion": "penstock.dev/v1alpha1",
        "kind": "RoutePolicy",
        "metadata": {
            "name": "app",
            "namespace": "shop",
            "uid": "uid-app",
            "generation": generation,
            "creationTimestamp": "2026-01-01T00:00:00Z",
        },
        "spec": {"defaultTier": {"name": "fast"}},
        "status": {
            "observedGeneration": generation,
            "conditions": [programmed, *status.pop("conditions", ())],
            **status,
        },
    }


@dataclass
class World:
    """One policy that rules two pods."""

    books: redis.asyncio.Redis
    redis_url: str | None
    api: PodApi = field(default_factory=PodApi)
    inventory: Inventory = field(default_factory=Inventory)
    policies: dict[str, tuple[Policy, ...]] = field(default_factory=lambda: {"shop": (policy(),)})
    compiled: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.compiled.set()
        self.inventory.note_object(body())
        self.inventory.note_written("shop", PUBLISHED)
        for name in "ab":
            self.inventory.pods["shop", name] = pod(name)

    async def beats(self, **said: Heartbeat) -> None:
        for name, heartbeat in said.items():
            key = Group.of_namespace("test", "shop").pod(f"uid-{name}")
            await self.books.set(key, encode_heartbeat(heartbeat))

    @asynccontextmanager
    async def running(self, directory: Path) -> AsyncIterator[Metrics]:
        metrics = Metrics()
        settings = Settings(cluster="test", redis_url=self.redis_url, budget_seconds=0.05)
        async with served(self.api, directory) as kubeconfig, connect(kubeconfig) as cluster:
            sidecars = Sidecars(
                cluster,
                self.inventory,
                settings,
                metrics,
                self.compiled.wait,
                lambda: self.policies,
            )
            task = asyncio.create_task(sidecars.run())
            try:
                yield metrics
            finally:
                task.cancel()
                await asyncio.wait([task])

    def says(self, reason: str, **sidecars: int) -> bool:
        """Whether that is the status that was written last."""
        if not self.api.statuses:
            return False
        last = self.api.statuses[-1]
        return bool(last["conditions"][0]["reason"] == reason and last["sidecars"] == sidecars)


@pytest.fixture
async def world(redis_url: str) -> AsyncIterator[World]:
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        yield World(client, redis_url)


def shown(metrics: Metrics, standing: str) -> float:
    return float(metrics.sidecars.labels(standing)._value.get())


async def test_the_status_follows_what_sidecars_say(world: World, tmp_path: Path) -> None:
    await world.beats(a=beat())
    async with world.running(tmp_path) as metrics:
        await until(lambda: world.says("SidecarsStale", total=2, current=1, stale=1, rejected=0))
        await world.beats(b=beat(config="older", error="not JSON"))
        await until(lambda: world.says("SidecarsRejected", total=2, current=1, stale=0, rejected=1))
        await world.beats(b=beat())
        await until(lambda: world.says("SidecarsCurrent", total=2, current=2, stale=0, rejected=0))
        await until(lambda: shown(metrics, "current") == 2)
        world.inventory.note_written("shop", Published("newer", "credentials"))
        await until(lambda: world.says("SidecarsStale", total=2, current=0, stale=2, rejected=0))
    digests = [each["configDigest"] for each in world.api.statuses]
    assert digests == ["config"] * 3 + ["newer"]


async def test_nothing_is_written_again_that_is_there(world: World, tmp_path: Path) -> None:
    """Neither by the process that wrote it, nor by the next one."""
    await world.beats(a=beat(), b=beat())
    async with world.running(tmp_path):
        await until(lambda: bool(world.api.statuses))
    (written,) = world.api.statuses
    world.inventory.note_object(body(**written))
    async with world.running(tmp_path) as metrics:
        await until(lambda: shown(metrics, "current") == 2)
        await world.beats(b=beat("older"))
        await until(lambda: len(world.api.statuses) > 1)
    assert world.says("SidecarsStale", total=2, current=1, stale=1, rejected=0)


async def test_a_write_that_failed_is_tried_again(world: World, tmp_path: Path) -> None:
    world.api.failing = {"app": 500}
    async with world.running(tmp_path):
        await until(lambda: world.api.calls["app"] >= 2)
        world.api.failing.clear()
        await until(lambda: bool(world.api.statuses))


async def test_a_new_generation_is_not_ready_before_it_is_programmed(
    world: World, tmp_path: Path
) -> None:
    await world.beats(a=beat(), b=beat())
    newer = body(2)
    newer["status"]["conditions"][0]["status"] = "False"
    world.inventory.note_object(newer)
    async with world.running(tmp_path):
        await until(lambda: world.says("NotProgrammed", total=2, current=2, stale=0, rejected=0))
    assert world.api.statuses[-1]["conditions"][0]["observedGeneration"] == 2


async def test_of_a_generation_that_nobody_looked_at_yet_nothing_is_said(
    world: World, tmp_path: Path
) -> None:
    """Its other conditions come first: one write the less for each edit."""
    await world.beats(a=beat(), b=beat())
    edited = body(1)
    edited["metadata"]["generation"] = 2
    world.inventory.note_object(edited)
    async with world.running(tmp_path) as metrics:
        await until(lambda: shown(metrics, "current") == 2)
        assert world.api.statuses == []
        world.inventory.note_object(body(2))
        await until(lambda: bool(world.api.statuses))
    assert world.api.statuses[0]["conditions"][0]["observedGeneration"] == 2


async def test_a_new_leader_says_nothing_before_it_has_compiled(
    world: World, tmp_path: Path
) -> None:
    """Every policy would look unwritten."""
    world.compiled.clear()
    await world.beats(a=beat(), b=beat())
    compiled, world.policies = world.policies, {}
    async with world.running(tmp_path):
        await world.books.set("meanwhile", "others run")
        assert world.api.statuses == []
        world.policies = compiled
        world.compiled.set()
        await until(lambda: world.says("SidecarsCurrent", total=2, current=2, stale=0, rejected=0))
    assert len(world.api.statuses) == 1


async def test_without_a_redis_only_the_total_is_known(world: World, tmp_path: Path) -> None:
    world.redis_url = None
    async with world.running(tmp_path):
        await until(lambda: world.says("SidecarsUnknown", total=2))


async def test_a_policy_whose_namespace_was_not_compiled_has_no_counts(
    world: World, tmp_path: Path
) -> None:
    world.policies = {}
    async with world.running(tmp_path):
        await until(lambda: bool(world.api.statuses))
    (written,) = world.api.statuses
    assert "sidecars" not in written
    assert written["conditions"][0]["reason"] == "NotProgrammed"
