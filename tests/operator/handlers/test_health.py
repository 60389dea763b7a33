"""Probes and breakers into statuses and Events, with a real Redis and real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio

from penstock_config.breaker import (
    PROVIDER,
    SCRIPT,
    Standing,
    Telling,
    Word,
    decode_standing,
    encode_telling,
)
from penstock_config.layout import Group
from penstock_operator.compile.compiler import compile_snapshot
from penstock_operator.compile.snapshot import Snapshot
from penstock_operator.handlers.health import Health
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.health.in_force import Given
from penstock_operator.metrics import Metrics
from penstock_operator.settings import Settings
from tests.operator.compile.documents import document, policy, provider, tier
from tests.operator.handlers.health_api import HealthApi, Lists, served
from tests.operator.handlers.waiting import until

KEY = Group.of_provider("test", "llm/own").breakers
MODELS = [{"name": "a"}, {"name": "b"}]
SPEC = {"failureThreshold": 3, "cooldownSeconds": 60}
NAMED = [{"provider": {"name": "own"}, "model": each["name"]} for each in MODELS]


@dataclass
class World:
    """One provider, one tier that has both its models, one policy that leads there."""

    books: redis.asyncio.Redis
    redis_url: str | None
    lists: Lists
    api: HealthApi = field(default_factory=HealthApi)
    inventory: Inventory = field(default_factory=Inventory)
    given: dict[str, Given] = field(default_factory=dict)

    def publish(self, **spec: Any) -> None:
        own = {"baseURL": self.lists.url, "models": MODELS, "health": SPEC, **spec}
        snapshot = Snapshot(
            cluster="test",
            providers=(provider(**own),),
            tiers=(tier(models=NAMED),),
            policies=(policy(),),
            scope_keys={"llm": "key"},
            loopback_allowed=True,
        )
        compiled = compile_snapshot(snapshot)
        self.given["llm"] = compiled.configs["llm"], compiled.credentials["llm"]
        self.note("LLMProvider", "own", own)
        self.note("ModelTier", "fast", {"models": NAMED})

    def note(self, kind: str, name: str, spec: dict[str, Any], **status: Any) -> None:
        """As the watch tells of it, once its conditions are there."""
        body = document(kind, name, **spec)
        body["metadata"] |= {"uid": f"uid-{name}", "generation": 1}
        body["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
        body["status"] = {"observedGeneration": 1, **status}
        self.inventory.note_object(body)

    async def tell(self, *words: Word) -> Standing:
        """As a sidecar does."""
        telling = encode_telling(Telling(by="sidecar", words=words))
        found = decode_standing(await self.books.eval(SCRIPT, 1, KEY, telling))
        assert found is not None
        return found

    async def standing(self) -> Standing:
        return await self.tell()

    @asynccontextmanager
    async def running(self, directory: Path) -> AsyncIterator[Metrics]:
        metrics = Metrics()
        settings = Settings(
            cluster="test", redis_url=self.redis_url, budget_seconds=0.05, probe_loopback=True
        )
        compiled = asyncio.Event()
        compiled.set()
        async with served(self.api, directory) as cluster:
            health = Health(
                cluster, self.inventory, settings, metrics, compiled.wait, lambda: self.given
            )
            task = asyncio.create_task(health.run())
            try:
                yield metrics
            finally:
                task.cancel()
                await asyncio.wait([task])

    def healthy(self) -> tuple[str, str]:
        """Status and reason, as written last."""
        found = self.api.statuses.get(("llmproviders", "own"), {}).get("conditions", [{}])[0]
        return found.get("status", ""), found.get("reason", "")

    def models(self) -> list[dict[str, Any]]:
        found = self.api.statuses["llmproviders", "own"]["models"]
        assert isinstance(found, list)
        return found

    def tier(self) -> dict[str, Any]:
        return self.api.statuses.get(("modeltiers", "fast"), {})


@pytest.fixture
async def world(redis_url: str) -> AsyncIterator[World]:
    async with redis.asyncio.Redis.from_url(redis_url) as client, Lists() as lists:
        found = World(client, redis_url, lists)
        found.publish()
        yield found


async def until_it(holds: Callable[[], Awaitable[object]]) -> None:
    """As `until`, for what has to be asked."""
    async with asyncio.timeout(20):
        while not await holds():  # noqa: ASYNC110  # the other side is a server
            await asyncio.sleep(0.01)


def failing(model: str, **more: Any) -> Word:
    fields = {"open": 60_000, "reason": "provider_timeout", "failed_ages": (0,), **more}
    return Word(field=f"chat/{model}", threshold=3, cooldown=60_000, **fields)


async def test_the_status_follows_what_sidecars_meet_and_each_change_is_told_once(
    world: World, tmp_path: Path
) -> None:
    async with world.running(tmp_path) as metrics:
        await until(lambda: world.healthy() == ("True", "Answering"))
        assert world.tier() | {"candidates": []} == {"total": 2, "available": 2, "candidates": []}
        await world.tell(failing("a"))
        await until(lambda: world.healthy() == ("False", "ModelsFailing"))
        assert world.models() == [
            {"name": "a", "available": False, "reason": "TimedOut"},
            {"name": "b", "available": True},
        ]
        await until(lambda: world.tier()["available"] == 1)
        assert metrics.breakers.labels("llm/own", "a", "chat")._value.get() == 2
        await world.tell(failing("a", open=None, succeeded_age=0, began_age=0, failed_ages=()))
        await until(lambda: world.healthy() == ("True", "Answering"))
        await until(lambda: world.tier()["available"] == 2)
        assert metrics.breakers.labels("llm/own", "a", "chat")._value.get() == 0
        await until(lambda: len(world.api.events) == 2)
    assert world.api.reasons() == ["ModelsFailing", "Healthy"]
    assert world.api.managers == {"penstock-health"}


async def test_a_tier_with_nobody_left_says_so(world: World, tmp_path: Path) -> None:
    async with world.running(tmp_path):
        await until(lambda: world.tier().get("available") == 2)
        await world.tell(failing("a"), failing("b"))
        await until(lambda: world.tier()["available"] == 0)
        await until(lambda: "NoneAvailable" in world.api.reasons())
        back = {"open": None, "succeeded_age": 0, "began_age": 0, "failed_ages": ()}
        await world.tell(failing("a", **back))
        await until(lambda: world.tier()["available"] == 1)
        await until(lambda: "Available" in world.api.reasons())


async def test_probes_that_fail_in_a_row_take_the_provider_out_for_all_sidecars(
    world: World, tmp_path: Path
) -> None:
    """A sidecar reads the same record, under the same name."""
    world.lists.status = 500
    world.publish(health={"intervalSeconds": 5, "failureThreshold": 1})
    async with world.running(tmp_path) as metrics:
        await until(lambda: world.healthy()[1] in {"ProbesFailed", "Answering"})
        await until(lambda: world.lists.asked)
        await until_it(lambda: is_out(world))
        await until(lambda: world.healthy() == ("False", "ProbesFailed"))
        assert {each["reason"] for each in world.models()} == {"ProviderFailing"}
        asked = len(world.lists.asked)
        assert metrics.probes.labels("llm/own", "failed")._value.get() == asked


async def is_out(world: World) -> bool:
    """Looked at as sidecars do: failures count together once all had the time to speak."""
    standing = await world.tell(Word(field=PROVIDER, threshold=1, cooldown=60_000))
    record = standing.records.get(PROVIDER)
    return record is not None and record.until_ms is not None


async def test_a_good_probe_closes_what_has_cooled_down_and_nobody_tries(
    world: World, tmp_path: Path
) -> None:
    """But one more failure opens it: a list of models says nothing of chat."""
    await world.tell(failing("a", open=0), failing("b"))
    async with world.running(tmp_path):
        await until(lambda: world.lists.asked)
        await until_it(lambda: is_frail(world))
    assert (await world.standing()).records["chat/a"].until_ms is None
    assert (await world.standing()).records["chat/b"].until_ms is not None


async def is_frail(world: World) -> bool:
    return (await world.standing()).records["chat/a"].frail


async def was_probed(world: World) -> bool:
    return PROVIDER in (await world.standing()).records


async def test_one_that_is_being_tried_is_left_to_who_tries_it(
    world: World, tmp_path: Path
) -> None:
    await world.tell(failing("a", open=0))
    await world.tell(failing("a", open=None, failed_ages=(), reason=None, claim=60_000))
    async with world.running(tmp_path) as metrics:
        await until(lambda: metrics.probes.labels("llm/own", "ok")._value.get() == 1)
        await until_it(lambda: was_probed(world))
    standing = await world.standing()
    assert standing.records["chat/a"].trial_by == "sidecar"


async def test_without_redis_probes_are_all_that_is_known(world: World, tmp_path: Path) -> None:
    world.redis_url = None
    world.lists.status = 503
    world.publish(health={"intervalSeconds": 5, "failureThreshold": 1})
    async with world.running(tmp_path):
        await until(lambda: world.healthy() == ("False", "ProbesFailed"))


async def test_nothing_is_written_while_nothing_changes(world: World, tmp_path: Path) -> None:
    async with world.running(tmp_path) as metrics:
        await until(lambda: world.healthy() == ("True", "Answering"))
        await until(lambda: metrics.probes.labels("llm/own", "ok")._value.get() == 1)
        await until(lambda: "lastProbeTime" in world.api.statuses["llmproviders", "own"])
        written, asked = world.api.writes, await reads(world)
        await until_it(lambda: were_read(world, asked + 5))  # rounds with nothing new
    assert world.api.writes == written


async def were_read(world: World, times: int) -> bool:
    return await reads(world) >= times


async def reads(world: World) -> int:
    stats = await world.books.info("commandstats")
    return int(stats["cmdstat_hgetall"]["calls"])


async def test_a_refused_write_is_tried_again(world: World, tmp_path: Path) -> None:
    world.api.refuses = 500
    async with world.running(tmp_path) as metrics:
        await until(lambda: metrics.writes.labels("health", "failed")._value.get() >= 1)
        world.api.refuses = 0
        await until(lambda: world.healthy() == ("True", "Answering"))


async def test_a_successor_begins_with_what_was_written(world: World, tmp_path: Path) -> None:
    """Nothing is said twice, and since when it is so stays."""
    await world.tell(failing("a"))
    async with world.running(tmp_path):
        await until(lambda: world.healthy() == ("False", "ModelsFailing"))
        await until(lambda: world.api.reasons() == ["ModelsFailing"])
    said = world.api.statuses["llmproviders", "own"]
    world.note("LLMProvider", "own", {"baseURL": world.lists.url, "models": MODELS}, **said)
    (tmp_path / "next").mkdir()
    world.api.statuses.clear()
    async with world.running(tmp_path / "next") as metrics:
        await until(lambda: metrics.probes.labels("llm/own", "ok")._value.get() == 1)
        await world.tell(failing("b"))
        await until(lambda: world.healthy() == ("False", "ModelsFailing"))
    again = world.api.statuses["llmproviders", "own"]["conditions"][0]
    assert again["lastTransitionTime"] == said["conditions"][0]["lastTransitionTime"]
    assert world.api.reasons().count("ModelsFailing") == 1
