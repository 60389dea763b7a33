"""Managed providers from round to round, with a real Redis and clocks of our own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis

from penstock_config.fleet import Demand, Fleet, decode_fleet
from penstock_config.layout import Group
from penstock_config.provider import Managed, Provider
from penstock_config.schema import SidecarConfig
from penstock_operator.handlers.fleet import FleetController
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.metrics import Metrics
from penstock_operator.ollama.progress import ModelProgress
from penstock_operator.settings import Settings
from tests.operator.compile.documents import document
from tests.operator.handlers.fleet_api import FakeLoader, FleetApi, served
from tests.operator.handlers.waiting import until

NOW = datetime(2026, 11, 22, tzinfo=UTC)
OWN = Group.of_provider("test", "llm/own")
MODEL = "llama3.2:3b"
SHOP = SidecarConfig(
    cluster="test",
    namespace="shop",
    providers=(
        Provider(
            id="llm/own",
            type="ollama",
            base_url="http://own.llm.svc:11434",
            needs_key=False,
            models=(),
            managed=Managed(),
        ),
    ),
    tiers=(),
    policies=(),
)
"""Whose sidecars use it."""
READY = ModelProgress(name=MODEL, state="Ready", size_bytes=10, vram_bytes=10)
ZERO = {"min": 0, "max": 3, "scaleToZeroAfterSeconds": 300, "cooldownSeconds": 0}


@dataclass
class World:
    """One provider of our own, a node, and what becomes of them. Rounds follow at once."""

    redis_url: str | None
    seconds: float = 0.0
    api: FleetApi = field(default_factory=FleetApi)
    inventory: Inventory = field(default_factory=Inventory)
    metrics: Metrics = field(default_factory=Metrics)
    loader: FakeLoader = field(default_factory=FakeLoader)
    granted: tuple[str, ...] = ("llm",)

    def note(self, *, generation: int = 1, **spec: Any) -> None:
        """The provider as the watch tells of it."""
        ollama = {"models": [{"name": MODEL}], "gpu": {}} | spec.pop("ollama", {})
        body = document("LLMProvider", "own", ollama=ollama, **spec)
        if "baseURL" not in spec:
            del body["spec"]["baseURL"]
        else:
            del body["spec"]["ollama"]
        body["metadata"] |= {"uid": "uid-own", "generation": generation}
        status = self.api.statuses.get("own", {})
        body["status"] = {**status, "observedGeneration": generation}
        self.inventory.note_object(body)

    @asynccontextmanager
    async def leading(self, directory: Path) -> AsyncIterator[None]:
        """One leader's life."""
        settings = Settings(
            cluster="test", redis_url=self.redis_url, ollama_namespaces=self.granted
        )
        async with self.loader, served(self.api, directory) as cluster:
            controller = FleetController(
                cluster,
                self.inventory,
                settings,
                self.metrics,
                _at_once,
                lambda: {"shop": (SHOP, None)},
                clock=lambda: self.seconds,
                wall_clock=lambda: NOW + timedelta(seconds=self.seconds),
                loader_port=self.loader.port,
                round_seconds=0.01,
            )
            task = asyncio.create_task(controller.run())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.wait([task])

    def rounds(self, result: str = "ok") -> float:
        name = "penstock_operator_fleet_rounds_total"
        return self.metrics.registry.get_sample_value(name, {"result": result}) or 0.0

    async def passes(self, seconds: float = 0.0, rounds: int = 2, result: str = "ok") -> None:
        """So much time, and then whole rounds."""
        self.seconds += seconds
        end = self.rounds(result) + rounds + 1
        await until(lambda: self.rounds(result) >= end)

    def condition(self, type_: str = "Scheduled") -> tuple[str, str]:
        found = {c["type"]: c for c in self.api.statuses.get("own", {}).get("conditions", ())}
        return (found[type_]["status"], found[type_]["reason"]) if type_ in found else ("", "")

    def message(self, type_: str = "Scheduled") -> str:
        conditions = self.api.statuses["own"]["conditions"]
        return next(str(c["message"]) for c in conditions if c["type"] == type_)

    def fleet(self, client: redis.Redis) -> Fleet | None:
        data = client.get(Group.of_namespace("test", "shop").fleet("llm/own"))
        return decode_fleet(data) if isinstance(data, bytes) else None


async def _at_once() -> None:
    """Everything was compiled."""


@pytest.fixture
def world(redis_url: str) -> World:
    found = World(redis_url)
    found.api.add_node("a")
    found.note()
    return found


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as found:
        yield found


def ask(client: redis.Redis, **counts: int) -> None:
    demand = Demand(at=datetime.now(UTC).timestamp(), **{k: {MODEL: n} for k, n in counts.items()})
    client.hset(OWN.demand, "sidecar", demand.model_dump_json())


async def test_a_provider_is_placed_run_and_told_of(
    world: World, client: redis.Redis, tmp_path: Path
) -> None:
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
        (name,) = world.api.names("deployments")
        assert world.api.names("services") == ["own"]
        world.loader.says(
            ModelProgress(name=MODEL, state="Pulling", completed_bytes=43, total_bytes=100)
        )
        world.api.run_pods(ready=False)
        await until(lambda: world.condition("ModelsReady") == ("False", "Pulling"))
        assert world.message("ModelsReady") == f"Pulling {MODEL}, 43 %."
        await until(lambda: (found := world.fleet(client)) and found.replicas)
        coming = world.fleet(client)
        assert coming
        assert (coming.message, coming.replicas[0].ready) == (f"pulling {MODEL}, 43 %", False)
        world.loader.says(READY)
        world.api.run_pods()
        await until(lambda: world.condition("ModelsReady") == ("True", "Serving"))
        await until(lambda: (found := world.fleet(client)) and found.replicas[0].ready)
    fleet = world.fleet(client)
    assert fleet
    assert (fleet.wanted, fleet.message) == (1, "")
    assert fleet.replicas[0].loaded == (MODEL,)
    assert fleet.replicas[0].address == "http://127.0.0.1:11434"
    assert world.api.managers == {"penstock-fleet"}
    assert world.api.reasons() == ["Placed"]
    (line,) = world.api.statuses["own"]["placement"]
    assert (line["group"], line["node"], line["readyReplicas"]) == (name, "a", 1)


async def test_neither_a_round_nor_a_new_leader_writes_what_is_there(
    world: World, tmp_path: Path
) -> None:
    world.loader.says(READY)
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
        world.api.run_pods()
        await until(lambda: world.condition("ModelsReady") == ("True", "Serving"))
        await world.passes(rounds=3)
        before = list(world.api.writes)
        await world.passes(rounds=5)
        assert world.api.writes == before
    world.note()
    for _ in range(2):
        world.metrics = Metrics()
        async with world.leading(tmp_path):
            await world.passes(rounds=3)
            await world.passes(100, rounds=3)
    assert world.api.writes == before
    assert world.api.reasons() == ["Placed"]


async def test_what_somebody_changes_or_deletes_comes_back(world: World, tmp_path: Path) -> None:
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
        (name,) = world.api.names("deployments")
        world.api.objects["deployments", name]["spec"]["replicas"] = 7
        del world.api.objects["services", "own"]
        await world.passes(61)
        assert world.api.objects["deployments", name]["spec"]["replicas"] == 1
        assert world.api.names("services") == ["own"]


async def test_what_somebody_else_made_is_left_alone(world: World, tmp_path: Path) -> None:
    theirs = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "own"}, "spec": {}}
    world.api.objects["services", "own"] = theirs
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("False", "WorkloadRefused"))
    assert "Service own is there" in world.message()
    assert world.api.objects["services", "own"] is theirs
    assert world.api.names("deployments") == []


async def test_load_brings_replicas_and_idleness_takes_all(
    world: World, client: redis.Redis, tmp_path: Path
) -> None:
    world.api.add_node("b")
    world.note(ollama={"autoscaling": ZERO})
    world.loader.says(READY)
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "NothingWanted"))
        assert world.api.names("deployments") == []
        ask(client, waiting=1)
        await until(lambda: world.condition() == ("True", "Placed"))
        world.api.run_pods()
        ask(client, in_flight=5, waiting=2)
        await until(lambda: len(world.api.names("deployments")) == 2)
        world.api.run_pods()
        await until(lambda: world.api.statuses["own"].get("readyReplicas") == 2)
        client.delete(OWN.demand)
        await world.passes(299)
        assert [each["replicas"] for each in world.api.statuses["own"]["placement"]] == [1]
        await world.passes(2)
        await until(lambda: world.condition() == ("True", "NothingWanted"))
        replicas = [world.api.objects["deployments", n] for n in world.api.names("deployments")]
        assert [each["spec"]["replicas"] for each in replicas] == [0] * len(replicas)
        assert replicas
        ask(client, waiting=1)
        await until(lambda: world.condition() == ("True", "Placed"))
        await until(lambda: world.api.reasons().count("Scaled") == 5)


async def test_without_redis_nobody_is_scaled_and_all_else_goes_on(
    world: World, tmp_path: Path
) -> None:
    world.redis_url = "redis://127.0.0.1:1"
    world.api.statuses["own"] = {"replicas": 1, "lastRequestTime": "2026-11-21T00:00:00Z"}
    world.note(ollama={"autoscaling": ZERO})
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
        await world.passes(10_000, result="partial")
        assert world.condition() == ("True", "Placed")


async def test_a_node_that_dies_has_its_group_moved(world: World, tmp_path: Path) -> None:
    world.loader.says(READY)
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
        world.api.run_pods()
        world.api.add_node("b")
        world.api.kill_node("a")
        await world.passes(10)
        await until(lambda: [p["node"] for p in world.api.statuses["own"]["placement"]] == ["b"])
        await world.passes()
        assert len(world.api.names("deployments")) == 2, "it may come back before the other serves"
        world.api.run_pods()
        await until(lambda: len(world.api.names("deployments")) == 1)
        await until(lambda: world.api.reasons() == ["Placed", "Placed"])


async def test_what_has_no_place_is_said_and_shown(world: World, tmp_path: Path) -> None:
    world.note(ollama={"models": [{"name": "llama3.1:70b"}]})
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("False", "InsufficientVRAM"))
        (name,) = world.api.names("deployments")
        assert name.endswith("-pending")
        world.api.add_node("large", memory=81_000)
        await world.passes(10)
        await until(lambda: world.condition() == ("True", "Placed"))
        await until(lambda: name not in world.api.names("deployments"))
        await until(lambda: world.api.reasons() == ["Unschedulable", "Placed"])


@pytest.mark.parametrize(
    ("method", "plural", "code", "reason"),
    [
        ("PATCH", "deployments", 403, "WorkloadRefused"),
        ("PATCH", "services", 422, "WorkloadRefused"),
        ("GET", "nodes", 403, "NodesNotRead"),
    ],
)
async def test_what_is_refused_is_said_and_mended_in_time(
    world: World, tmp_path: Path, method: str, plural: str, code: int, reason: str
) -> None:
    world.api.refuses[method, plural] = code
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("False", reason))
        world.api.refuses.clear()
        await world.passes(61)
        await until(lambda: world.condition() == ("True", "Placed"))


async def test_a_status_that_is_refused_is_tried_again(world: World, tmp_path: Path) -> None:
    world.api.refuses["PATCH", "llmproviders"] = 403
    async with world.leading(tmp_path):
        await until(lambda: world.api.names("deployments"))
        await world.passes()
        world.api.refuses.clear()
        await world.passes(31)
        await until(lambda: world.condition() == ("True", "Placed"))


async def test_a_failing_pull_is_told_with_the_servers_words(world: World, tmp_path: Path) -> None:
    words = "pull model manifest: file does not exist"
    world.loader.says(ModelProgress(name=MODEL, state="Failed", message=words))
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
        world.api.run_pods(ready=False)
        await until(lambda: world.condition("ModelsReady") == ("False", "PullFailed"))
        await until(lambda: world.api.reasons() == ["Placed", "PullFailed"])
    assert words in world.message("ModelsReady")
    assert world.api.statuses["own"]["loading"][0]["message"] == words


async def test_progress_is_written_every_few_seconds_alone(world: World, tmp_path: Path) -> None:
    def pulled(share: int) -> None:
        world.loader.says(
            ModelProgress(name=MODEL, state="Pulling", completed_bytes=share, total_bytes=100)
        )

    def percent() -> object:
        return world.api.statuses["own"]["loading"][0].get("percent")

    pulled(1)
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
        world.api.run_pods(ready=False)
        await until(lambda: percent() == 1)
        await world.passes()  # the server has it before the one who wrote it notes when
        pulled(2)
        await world.passes(4, rounds=4)
        assert percent() == 1
        await world.passes(1)
        await until(lambda: percent() == 2)


async def test_elsewhere_nothing_is_run(world: World, tmp_path: Path) -> None:
    world.granted = ()
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("False", "NamespaceNotGranted"))
        await world.passes()
    assert world.api.objects == {}


async def test_what_is_suspended_has_no_pod_and_keeps_its_place(
    world: World, tmp_path: Path
) -> None:
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
        (name,) = world.api.names("deployments")
        world.note(suspended=True, generation=2)
        await until(lambda: world.condition() == ("True", "NothingWanted"))
        assert world.api.objects["deployments", name]["spec"]["replicas"] == 0


async def test_who_is_run_by_others_from_now_on_is_cleared_away(
    world: World, tmp_path: Path
) -> None:
    async with world.leading(tmp_path):
        await until(lambda: world.condition() == ("True", "Placed"))
        world.note(baseURL="http://elsewhere:11434", generation=2)
        await until(lambda: world.api.statuses["own"] == {})
        await until(lambda: not world.api.objects)
