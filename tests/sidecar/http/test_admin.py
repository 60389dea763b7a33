import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from penstock_config.provider import Provider
from penstock_config.schema import SidecarConfig
from penstock_sidecar.http.admin import Admin
from penstock_sidecar.http.dispatch import Dispatcher
from penstock_sidecar.http.guard import no_pages, only_loopback_names
from penstock_sidecar.http.load import Load
from penstock_sidecar.http.server import Port
from tests.sidecar.http.edge import Edge, exchange, head

SECRET = "sk-in-the-wrong-place"
CONFIG = SidecarConfig(
    cluster="c",
    namespace="team",
    providers=(
        Provider(
            id="team/openai",
            type="openai",
            base_url=f"https://user:{SECRET}@api.example/v1",
            needs_key=True,
            headers={"x-token": SECRET},
            models=(),
        ),
    ),
)


class WatchedLoad(Load):
    """Says when somebody waits for it."""

    def __init__(self) -> None:
        super().__init__(max_in_flight=5)
        self.waited_for = asyncio.Event()

    async def idle(self) -> None:
        self.waited_for.set()
        await super().idle()


@dataclass
class Running:
    number: int
    load: WatchedLoad
    config: SidecarConfig | None = CONFIG
    ended: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
def drain_seconds() -> float:
    return 30


@pytest.fixture
async def running(drain_seconds: float) -> AsyncIterator[Running]:
    it = Running(0, WatchedLoad())
    state = {"last_error": None}
    admin = Admin(it.load, drain_seconds, lambda: it.config, lambda: state, it.ended.set)
    port = Port(Dispatcher(admin.routes(), (only_loopback_names, no_pages), Edge()))
    it.number = await port.start(("127.0.0.1",), 0)
    yield it
    await port.close()


async def test_the_configuration_is_shown_without_what_might_be_a_secret(running: Running) -> None:
    response = await exchange(running.number, head("GET", "/debug/config"))
    assert SECRET.encode() not in response.body
    shown = json.loads(response.body)["providers"][0]
    assert shown["base_url"] == "https://redacted@api.example/v1"
    assert shown["headers"] == {"x-token": "redacted"}


async def test_no_configuration_is_said_as_such(running: Running) -> None:
    running.config = None
    response = await exchange(running.number, head("GET", "/debug/config"))
    assert (response.status, response.error["code"]) == (503, "configuration_missing")


async def test_state_is_shown(running: Running) -> None:
    response = await exchange(running.number, head("GET", "/debug/state"))
    assert json.loads(response.body) == {"last_error": None}


async def test_drain_waits_for_requests_in_flight(running: Running) -> None:
    leave = asyncio.Event()

    async def request() -> None:
        with running.load:
            await leave.wait()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(request())
        drain = tasks.create_task(exchange(running.number, head("POST", "/drain")))
        await running.load.waited_for.wait()
        leave.set()
    assert json.loads(drain.result().body) == {"drained": True, "in_flight": 0}


@pytest.mark.parametrize("drain_seconds", [0.05])
async def test_drain_gives_up_when_its_time_is_over_and_says_so(running: Running) -> None:
    with running.load:
        response = await exchange(running.number, head("POST", "/drain"))
    assert json.loads(response.body) == {"drained": False, "in_flight": 1}


@pytest.mark.parametrize("path", ["/drain", "/quit"])
async def test_a_web_page_can_neither_drain_nor_quit(running: Running, path: str) -> None:
    for headers in ({"origin": "http://localhost:3000"}, {"host": "evil.example"}):
        response = await exchange(running.number, head("POST", path, **headers))
        assert response.status == 403
    assert not running.load.draining
    assert not running.ended.is_set()


async def test_quit_is_answered_before_anything_ends(running: Running) -> None:
    with running.load:
        response = await exchange(running.number, head("POST", "/quit"))
    assert response.status == 202
    assert json.loads(response.body) == {"quitting": True, "in_flight": 1}
    assert running.ended.is_set()


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", ""])
async def test_a_quiet_time_that_is_none_is_refused(running: Running, text: str) -> None:
    response = await exchange(running.number, head("POST", f"/drain?quiet_seconds={text}"))
    assert response.status == 400
    assert not running.load.draining
