"""Money from a request to `Budget.status`: API server, operator, Redis and sidecar are real.

Each namespace has a Redis user of its own, the operator has the rights that the documentation
names, and the default user is off.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import redis

from penstock_cli.stub import Ok, StubProvider
from penstock_cli.stub.behaviour import Tokens
from penstock_config.layout import Group, budget_field
from penstock_operator.cluster import Cluster
from penstock_operator.cluster.client import EVENTS, SECRETS, Document
from tests.cluster.kubelet import Kubelet
from tests.cluster.objects import (
    BUDGETS,
    DEADLINE_SECONDS,
    POLICIES,
    PROVIDERS,
    TIERS,
    budget,
    config_map,
    credentials_bytes,
    credentials_secret,
    eventually,
    policy,
    provider,
    put,
    secret,
    tier,
)
from tests.cluster.processes import Process, operator_environment, running
from tests.operator.handlers.hooks import Hooks, served_hooks
from tests.operator.ledger.test_users import documented
from tests.planes.shipped import running as sidecar_running
from tests.servers import Server, any_server, single
from tests.sidecar.http.edge import Response, exchange, post

SERVICE = "http://stub.models.svc"
OUTPUT_TOKENS = 5
PROMISED_SECONDS = 10
"""From spending to `Budget.status`."""
CALLERS = 4
ASKED_AFTER = 25
"""Requests of each caller after Redis lost its data."""
pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize(
        "server",
        [pytest.param("crds_kubeconfig", marks=pytest.mark.crds, id="crds")],
        indirect=True,
    ),
]


@pytest.fixture
async def hooks() -> AsyncIterator[Hooks]:
    async with served_hooks() as found:
        yield found


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Server]:
    """A Redis without a default user."""
    chief = "user chief on >word allkeys allchannels +@all"
    with single(any_server(), tmp_path, acl=(documented(), chief, "user default off")) as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The sidecar's."""
    found = tmp_path / "pod"
    found.mkdir()
    return found


@pytest.fixture
def books(guarded: Server) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(guarded.url, username="chief", password="word") as found:
        yield found


@pytest.fixture
def operator(
    server: Path, own: str, home: str, guarded: Server, tmp_path: Path
) -> Iterator[Process]:
    """As it ships: no interval is changed."""
    environment = operator_environment(
        server,
        own,
        provider_namespaces=home,
        redis_url=guarded.url,
        redis_username="penstock-operator",
        redis_password="LONG-RANDOM-TEXT",
        redis_manage_users="true",
        notify_loopback="true",
    )
    with running(tmp_path / "operator.log", environment) as process:
        yield process
        assert process.stop() == 0, process.log


def model(name: str, usd_per_request: float) -> Document:
    """The stub always answers with the same number of tokens; input is free."""
    per_million = usd_per_request / OUTPUT_TOKENS * 1_000_000
    price = {"inputPerMillion": "0", "outputPerMillion": f"{per_million:.0f}"}
    return {"name": name, "capabilities": ["chat"], "price": price}


async def put_money(cluster: Cluster, home: str, **spec: Any) -> None:
    """Five dollars; from three on a cheaper tier serves."""
    downgrade = {"tier": {"name": "cheap"}, "atPercent": 60}
    notify = {"webhookSecretRef": {"name": "hook", "key": "url"}}
    fields = {
        "limits": {"total": "5"},
        "alertThresholdsPercent": [80],
        "onExceeded": "Downgrade",
        "downgrade": downgrade,
        "notify": notify,
        **spec,
    }
    await put(cluster, BUDGETS, budget(home, **fields))


async def put_world(cluster: Cluster, home: str, hooks: Hooks) -> None:
    await put(cluster, SECRETS, secret(home, **{"api-key": "sk-stub"}))
    await put(cluster, SECRETS, secret(home, "hook", url=f"{hooks.url}/budget"))
    models = [model("small", 0.5), model("tiny", 0.25)]
    await put(cluster, PROVIDERS, provider(home, baseURL=f"{SERVICE}/v1", models=models))
    await put(cluster, TIERS, tier(home))
    cheap = tier(home, "cheap")
    cheap["spec"]["models"][0]["model"] = "tiny"
    await put(cluster, TIERS, cheap)
    await put(cluster, POLICIES, policy(home))
    await put_money(cluster, home)


@dataclass
class Sidecar:
    """A process, and the files that it reads."""

    port: int
    kubelet: Kubelet
    log: list[bytes]

    async def ask(self) -> Response:
        document = {
            "model": "auto",
            "max_tokens": OUTPUT_TOKENS,
            "messages": [{"role": "user", "content": "hello"}],
        }
        return await exchange(self.port, post(json.dumps(document).encode()))

    async def served(self) -> bool:
        """Whether a request was, after the files were brought up to date."""
        await self.kubelet.sync()
        answer = await self.ask()
        assert answer.status == 200, answer.body
        return True

    async def spend(self) -> list[str]:
        """The tiers that served, until one request was refused."""
        tiers = []
        while (answer := await self.ask()).status == 200:
            tiers.append(answer.headers["x-penstock-tier"])
        assert answer.status == 429, answer.body
        assert "money" in answer.error["message"]
        return tiers


@asynccontextmanager
async def sidecar(cluster: Cluster, home: str, folder: Path) -> AsyncIterator[Sidecar]:
    """With a provider behind the name of its Service."""
    log: list[bytes] = []
    async with StubProvider() as stub:
        stub.always(Ok(text="five words in all here", usage=Tokens(7, OUTPUT_TOKENS)))
        kubelet = Kubelet(cluster, home, folder, {SERVICE: stub.url})
        kubelet.label(app="app")
        started = sidecar_running(folder, None, log, NAMESPACE=home, POD_NAME="app-1", APP="app")
        async with started as (_, ports):
            yield Sidecar(ports.application, kubelet, log)


async def status(cluster: Cluster, home: str) -> Document:
    found: Document = (await cluster.get(BUDGETS, "money", home)).get("status", {})
    return found


async def shows(cluster: Cluster, home: str, **figures: Any) -> Document:
    async def check() -> Document:
        found = await status(cluster, home)
        assert found.get("periods"), found
        assert {name: found["periods"][0].get(name) for name in figures} == figures
        return found

    return await eventually(check)


async def alert_messages(cluster: Cluster, home: str) -> list[str]:
    found = await cluster.list(EVENTS, home)
    return [each["message"] for each in found if each["reason"] == "AlertThresholdReached"]


async def delivered(cluster: Cluster, home: str) -> bool:
    found = (await status(cluster, home)).get("alerts", ())
    wanted = [(80, True, "Delivered")]
    assert [(each["percent"], each["told"], each["webhook"]) for each in found] == wanted
    return True


def seconds_late(shown: Document, spent_at: float) -> float:
    """From the spending to the reading that has it, both by Redis's clock."""
    return datetime.fromisoformat(shown["observedTime"]).timestamp() - spent_at


async def test_what_a_sidecar_spends_is_seen_told_stopped_and_never_forgotten(
    cluster: Cluster,
    home: str,
    hooks: Hooks,
    operator: Process,
    books: redis.Redis,
    folder: Path,
) -> None:
    await put_world(cluster, home, hooks)
    async with sidecar(cluster, home, folder) as pod:
        await eventually(pod.served)
        tiers = ["fast", *await pod.spend()]
        spent_at = books.time()[0]
        assert tiers == ["fast"] * 6 + ["cheap"] * 8, "3.00 at 0.50, then 2.00 at 0.25"
        shown = await shows(cluster, home, limit="5.00", spent="5.00", utilisationPercent=100)
        assert seconds_late(shown, spent_at) <= PROMISED_SECONDS
        await eventually(lambda: delivered(cluster, home))
        (told,) = await alert_messages(cluster, home)
        assert [call.body["thresholdPercent"] for call in hooks.calls] == [80]

        boost = {"amountUSD": "5", "until": "2099-01-01T00:00:00Z", "reason": "an incident"}
        await put_money(cluster, home, boost=boost)
        await eventually(pod.served)
        assert {*await pod.spend()} == {"fast", "cheap"}
        await shows(cluster, home, spent="10.00", remaining="0.00")

        await lose_everything_under_way(pod, books)
        await eventually(lambda: books_are_whole(cluster, home, books))
        async with asyncio.timeout(DEADLINE_SECONDS):
            while (answer := await pod.ask()).status == 503:
                assert answer.error["code"] == "limiter_unavailable", "while sums are relearned"
        assert (answer.status, "money" in answer.error["message"]) == (429, True)
        assert await alert_messages(cluster, home) == [told], "and 80 % is not told again"
        assert [call.body["thresholdPercent"] for call in hooks.calls] == [80]
        await nothing_tells_the_password(cluster, home, operator, pod)


async def lose_everything_under_way(pod: Sidecar, books: redis.Redis) -> None:
    """Nobody is served before, while and after Redis loses its data."""
    flushed = asyncio.Event()
    answered: list[int] = []

    async def ask_on() -> None:
        after = 0
        while after < ASKED_AFTER:
            answered.append((await pod.ask()).status)
            after += flushed.is_set()

    async with asyncio.TaskGroup() as group:
        for _ in range(CALLERS):
            group.create_task(ask_on())
        await asyncio.to_thread(books.flushall)
        flushed.set()
    assert {*answered} <= {429, 503}
    assert len(answered) >= CALLERS * ASKED_AFTER


async def books_are_whole(cluster: Cluster, home: str, books: redis.Redis) -> bool:
    """Meanwhile the status says what was spent."""
    assert (await status(cluster, home))["periods"][0]["spent"] == "10.00"
    name = f"{budget_field(f'{home}/money', 'total')}:all:S"
    return books.hget(Group.of_namespace("test", home).state, name) == b"10000000"


async def nothing_tells_the_password(
    cluster: Cluster, home: str, operator: Process, pod: Sidecar
) -> None:
    access = json.loads(credentials_bytes(await credentials_secret(cluster, home)))["redis"]
    assert access["username"] == f"penstock.test.{home}"
    events = await cluster.list(EVENTS, home)
    public = [operator.log, str(pod.log), str(await config_map(cluster, home)), str(events)]
    assert not [text for text in public if access["password"] in text]
