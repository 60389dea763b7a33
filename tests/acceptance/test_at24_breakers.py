"""AT24: what fails is left alone, by provider, model and endpoint, by all sidecars within a second;
then one request of all of them tries it, and nobody is ever left with nobody to ask."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, cast

import pytest
import redis

from penstock_cli.stub import EMPTY, Behaviour, Broken, Ok, Status, StubProvider
from penstock_config.layout import Group
from penstock_config.policy import Retry, Target
from penstock_config.provider import Health, Provider, Timeouts
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Tier
from tests.acceptance.caller import Caller, Reply
from tests.acceptance.fleet import Fleet, Shipped, fleet
from tests.acceptance.registry import (
    CASES,
    CHAT_STREAM,
    COMPLETION,
    OPENAI,
    PLAIN_CHAT,
    SMALL,
    Case,
)
from tests.conftest import running_redis
from tests.planes.plane import NAMESPACE, policy, tier
from tests.ports import free_port
from tests.servers.binaries import any_server
from tests.sidecar.http.edge import exchange, head
from tests.sidecar.redis_store.conftest import until, until_it

THRESHOLD: Final = 3
LONG: Final = Health(failure_threshold=THRESHOLD, cooldown_seconds=3600)
SHORTER: Final = Health(failure_threshold=THRESHOLD, cooldown_seconds=600)
BRIEF: Final = Health(failure_threshold=THRESHOLD, cooldown_seconds=1)
TIMEOUTS: Final = Timeouts(total_seconds=0.5)
AGREE_MS: Final = 1000
HARMLESS: Final = (400, 401, 403, 404, 409, 422)
COUNTED: Final[dict[str, Behaviour]] = {
    "408": Status(408),
    "429": Status(429),
    "500": Status(500),
    "503": Status(503),
    "529": Status(529),
    "empty": EMPTY,
    "reset": Broken("reset", after=None),
    "stall": Broken("stall", after=None),
}
CHAT: Final = Case(PLAIN_CHAT, OPENAI)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    """Two sidecars and a Redis; names of providers keep tests apart."""
    folder = tmp_path_factory.mktemp("two")
    with running_redis(any_server(), folder) as url, fleet(folder, url, size=2) as running:
        yield running


@dataclass(frozen=True, slots=True)
class Scene:
    """Of its own breakers. `<name>-main` is asked first, `<name>-backup` next; the tier
    `<name>-alone` has main alone."""

    name: str
    health: Health = LONG
    case: Case = CHAT
    timeouts: Timeouts = TIMEOUTS

    def providers(self, main: StubProvider, backup: StubProvider) -> tuple[Provider, Provider]:
        models = (SMALL.model_copy(update={"capabilities": ("chat", "completions")}),)
        first = self.case.provider.configured(
            main, f"{self.name}-main", models=models, health=self.health, timeouts=self.timeouts
        )
        second = self.case.provider.configured(
            backup, f"{self.name}-backup", models=models, health=SHORTER
        )
        return first, second

    def tiers(self) -> tuple[Tier, Tier]:
        main, backup = (f"{self.name}-main", "small"), (f"{self.name}-backup", "small")
        return tier(self.name, main, backup), tier(f"{self.name}-alone", main)


SCENES: Final = {
    scene.name: scene
    for scene in (
        *(Scene(f"share-{case}", case=case) for case in CASES),
        *(Scene(f"counted-{fault}") for fault in COUNTED),
        *(Scene(name) for name in ("refused", "harmless", "row", "endpoint", "together")),
        *(Scene(name) for name in ("alone", "soonest", "lonely")),
        Scene("longest", BRIEF),
        Scene("probe", BRIEF, timeouts=Timeouts()),
    )
}


@dataclass(slots=True)
class Stage:
    """Two sidecars and what they may ask."""

    two: Fleet
    application: Caller
    main: StubProvider
    backup: StubProvider
    scene: Scene = field(default=Scene(""))  # immutable

    async def publish(self, name: str, redis_url: str | None = None) -> None:
        """All scenes at once, so that sidecars need to reload once for all tests."""
        self.scene = SCENES[name]
        await self.two.publish(self._config(), redis_url)

    def _config(self) -> SidecarConfig:
        scenes = SCENES.values()
        tiers = tuple(each for scene in scenes for each in scene.tiers())
        ids = tuple(each.id for each in tiers)
        retry = Retry(attempts=1, backoff_ms=0)
        return SidecarConfig(
            cluster="test",
            namespace=NAMESPACE,
            providers=tuple(p for s in scenes for p in s.providers(self.main, self.backup)),
            tiers=tiers,
            policies=(policy(default=Target(tier=ids[0]), tiers=ids, retry=retry),),
        )

    async def ask(self, number: int = 0, *, alone: bool = False, case: Case | None = None) -> Reply:
        case = case or self.scene.case
        body = case.endpoint.body(
            f"{self.scene.name}-alone" if alone else self.scene.name, max_tokens=5
        )
        return await self.application.ask(self.two.sidecars[number], case, body)

    async def served_by(self, number: int = 0, *, case: Case | None = None) -> str:
        reply = await self.ask(number, case=case)
        assert reply.status == 200, reply.body
        return reply.headers["x-penstock-provider"].rpartition("-")[2]

    async def open(self, behaviour: Behaviour = Status(500)) -> None:  # noqa: B008  # immutable
        """By failures that one sidecar meets."""
        self.main.always(behaviour)
        for _ in range(THRESHOLD):
            assert await self.served_by(0) == "backup"

    async def shown(self, number: int, state: int, endpoint: str = "chat") -> None:
        """Until that sidecar's metrics say so."""
        wanted = (
            f'endpoint="{endpoint}",model="small",provider="{NAMESPACE}/{self.scene.name}-main"'
        )
        sidecar = self.two.sidecars[number]

        async def is_shown() -> bool:
            return await state_shown(sidecar, wanted) == state

        await until_it(is_shown)

    def record(self, endpoint: str = "chat") -> dict[str, float]:
        group = Group.of_provider("test", f"{NAMESPACE}/{self.scene.name}-main")
        with redis.Redis.from_url(self.two.redis_url) as client:
            found = json.loads(cast("bytes", client.hget(group.breakers, f"{endpoint}/small")))
        assert isinstance(found, dict)
        return found

    def redis_ms(self) -> float:
        with redis.Redis.from_url(self.two.redis_url) as client:
            seconds, micros = cast("tuple[int, int]", client.time())
        return seconds * 1000 + micros / 1000


async def state_shown(sidecar: Shipped, labels: str) -> float | None:
    text = (await exchange(sidecar.ports.probe, head("GET", "/metrics"))).body.decode()
    found = re.search(rf"^penstock_breaker_state{{{re.escape(labels)}}} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else None


@pytest.fixture(scope="module")
def ports() -> tuple[int, int]:
    """So that a configuration outlives a test's fakes."""
    return free_port(), free_port()


@pytest.fixture
async def stage(two: Fleet, ports: tuple[int, int], application: Caller) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        fakes = [StubProvider(port=port) for port in ports]
        main, backup = [await stack.enter_async_context(fake) for fake in fakes]
        yield Stage(two, application, main, backup)


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.alone
async def test_at24_what_one_sidecar_opens_the_other_leaves_alone_within_a_second(
    stage: Stage, case: Case
) -> None:
    """From Redis's clock at the opening to Redis's clock when the other says so."""
    await stage.publish(f"share-{case}")
    await stage.open()
    await stage.shown(1, 2)
    assert stage.redis_ms() - stage.record()["opened_ms"] < AGREE_MS
    asked = len(stage.main.requests)
    assert [await stage.served_by(number) for number in (0, 1, 0, 1)] == ["backup"] * 4
    assert len(stage.main.requests) == asked == THRESHOLD


@pytest.mark.parametrize("fault", COUNTED)
async def test_at24_it_opens_after_failures_in_a_row_that_are_the_providers(
    stage: Stage, fault: str
) -> None:
    await stage.publish(f"counted-{fault}")
    await stage.open(COUNTED[fault])
    assert await stage.served_by(0) == "backup"
    assert len(stage.main.requests) == THRESHOLD


async def test_at24_refused_connections_count(stage: Stage) -> None:
    await stage.publish("refused")
    await stage.main.refuse()
    for _ in range(THRESHOLD):
        assert await stage.served_by(0) == "backup"
    await stage.main.accept()
    assert await stage.served_by(0) == "backup"
    assert not stage.main.requests


async def test_at24_other_4xx_never_count(stage: Stage) -> None:
    """Each thrice in a row, and it is asked again every time."""
    await stage.publish("harmless")
    statuses = [code for code in HARMLESS for _ in range(THRESHOLD)]
    stage.main.queue(*(Status(code) for code in statuses))
    for _ in statuses:
        await stage.ask()
    assert await stage.served_by() == "main"
    assert len(stage.main.requests) == len(statuses) + 1


async def test_at24_a_success_between_failures_begins_the_row_anew(stage: Stage) -> None:
    await stage.publish("row")
    bad = [Status(500)] * (THRESHOLD - 1)
    stage.main.queue(*bad, Ok(), *bad, Ok())
    found = [await stage.served_by() for _ in range(2 * THRESHOLD)]
    assert found == (["backup"] * (THRESHOLD - 1) + ["main"]) * 2


async def test_at24_an_endpoint_that_fails_takes_no_other_away(stage: Stage) -> None:
    """Nor does a 404 of one."""
    await stage.publish("endpoint")
    completions = Case(COMPLETION, OPENAI)
    stage.main.queue(*[Status(404)] * THRESHOLD, *[Status(500)] * THRESHOLD)
    for _ in range(2 * THRESHOLD):
        assert await stage.served_by(case=completions) == "backup"
    asked = len(stage.main.requests)
    assert await stage.served_by(case=completions) == "backup"
    assert len(stage.main.requests) == asked == 2 * THRESHOLD
    assert await stage.served_by() == "main"
    assert await stage.served_by(case=Case(CHAT_STREAM, OPENAI)) == "main"


async def test_at24_a_shorter_retry_after_never_shortens_a_longer_one(stage: Stage) -> None:
    """The latest of all deadlines counts, on Redis's clock."""
    await stage.publish("longest")
    began = stage.redis_ms()
    waits = ("1", "300", "2")
    stage.main.queue(*(Status(429, retry_after=seconds) for seconds in waits))
    for _ in waits:
        assert await stage.served_by(0) == "backup"
    await stage.shown(1, 2)
    assert began + 300_000 <= stage.record()["until_ms"] <= stage.redis_ms() + 300_000


async def test_at24_failures_of_several_sidecars_in_a_row_are_one_row(stage: Stage) -> None:
    await stage.publish("together")
    stage.main.always(Status(500))
    for number in (0, 1, 0):
        assert await stage.served_by(number) == "backup"
    await asyncio.gather(stage.shown(0, 2), stage.shown(1, 2))
    asked = len(stage.main.requests)
    assert [await stage.served_by(number) for number in (0, 1)] == ["backup"] * 2
    assert len(stage.main.requests) == asked


async def test_at24_after_the_cooldown_one_request_of_all_sidecars_tries_it(stage: Stage) -> None:
    """A failure opens it again, a success brings it back for all."""
    await stage.publish("probe")
    await stage.open()
    assert await tried(stage, Status(500, first=asyncio.Event())) == 0
    await asyncio.gather(stage.shown(0, 2), stage.shown(1, 2))
    assert await tried(stage, Ok(first=asyncio.Event())) == 1
    await asyncio.gather(stage.shown(0, 0), stage.shown(1, 0))
    stage.main.always(Ok())
    assert [await stage.served_by(number) for number in (0, 1)] == ["main"] * 2


async def tried(stage: Stage, answer: Ok | Status) -> int:
    """How many are served by what has cooled down. The trial takes its time: until it has ended
    everybody else is served elsewhere."""
    await asyncio.gather(stage.shown(0, 1), stage.shown(1, 1))
    asked = len(stage.main.requests)
    stage.main.always(answer)
    asking = [asyncio.create_task(stage.served_by(n)) for n in (0, 1) for _ in range(20)]
    await until(lambda: sum(each.done() for each in asking) == len(asking) - 1)
    assert isinstance(answer.first, asyncio.Event)
    answer.first.set()
    served = await asyncio.gather(*asking)
    assert len(stage.main.requests) == asked + 1
    return served.count("main")


async def test_at24_there_is_always_somebody_to_ask(stage: Stage) -> None:
    """A model with no other is asked though its breaker is open, and one answer closes it."""
    await stage.publish("alone")
    stage.main.always(Status(500))
    for _ in range(THRESHOLD + 1):
        assert (await stage.ask(alone=True)).status == 502
    assert len(stage.main.requests) == THRESHOLD + 1
    stage.main.always(Ok())
    await stage.shown(1, 2)
    assert (await stage.ask(1, alone=True)).status == 200
    await stage.shown(0, 0)


async def test_at24_where_all_are_out_the_soonest_to_close_is_asked_first(stage: Stage) -> None:
    await stage.publish("soonest")
    stage.main.always(Status(500))
    stage.backup.always(Status(500))
    for _ in range(THRESHOLD):
        assert (await stage.ask()).status == 502
    stage.backup.always(Ok())
    asked = len(stage.main.requests)
    assert await stage.served_by() == "backup"
    assert len(stage.main.requests) == asked


async def test_at24_without_redis_each_sidecar_goes_on_by_what_it_met(stage: Stage) -> None:
    """Nothing is shared then, and nothing waits."""
    await stage.publish("lonely", f"redis://127.0.0.1:{free_port()}")
    await stage.open()
    asked = len(stage.main.requests)
    assert await stage.served_by(0) == "backup"
    assert len(stage.main.requests) == asked
    stage.main.always(Ok())
    assert await stage.served_by(1) == "main"
