"""A caller may leave at any moment: whatever was taken by then is given back or settled.

A request is cancelled at each of its awaits in turn, once while it waits and once in the same
moment in which what it waited for has come.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Mapping
from pathlib import Path
from typing import Any, Literal

import orjson
import pytest

from penstock_cli.stub import EMPTY, Behaviour, Broken, Ok, Status
from penstock_config.budget import Amounts, Budget
from penstock_config.cache import Cache, ExactCache
from penstock_config.layout import Group
from penstock_config.policy import CallerLimit, Retry
from penstock_config.provider import Health, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_sidecar.errors import SidecarError
from penstock_sidecar.model import Request
from penstock_sidecar.normalise.openai import parse_chat
from tests.planes.plane import NAMESPACE, PRICE, Plane, chat, running_plane
from tests.sidecar.limits.books import Books

When = Literal["waiting", "just served"]
WHENS: tuple[When, When] = ("waiting", "just served")
TRIES = 3
EVERYTHING = RateLimits(
    requests_per_minute=100_000, tokens_per_minute=100_000_000, concurrent_requests=50
)
SCENARIOS: Mapping[str, tuple[Behaviour, Behaviour]] = {
    "answered": (Ok(text="one two"), Ok()),
    "failing": (Status(500), Ok(text="one two")),
    "limited": (Status(429, retry_after="1"), Ok(text="one two")),
    "empty": (EMPTY, Ok(text="one two")),
    "cut": (Broken("reset", after=3), Ok()),
    "cut before content": (Broken("close", after=0), Ok(text="one two")),
    "failing everywhere": (Status(500), Status(503)),
}


class ReplyToNobody:
    """Takes an answer, with a suspension at each step as a socket may need one."""

    left = False

    def outlast(self, seconds: float | None) -> None: ...

    async def start(self, content_type: str, headers: Mapping[str, str]) -> None:
        del content_type, headers
        await asyncio.sleep(0)

    async def send(self, data: bytes) -> None:
        del data
        await asyncio.sleep(0)

    async def end(self) -> None:
        await asyncio.sleep(0)


class CancelledAt:
    """Runs a coroutine in a task that is cancelled at its `number`th suspension; `suspended` hears
    of each."""

    def __init__(
        self,
        coroutine: Coroutine[Any, Any, None],
        number: int,
        when: When,
        suspended: Callable[[], None],
    ) -> None:
        self._coroutine = coroutine
        self._left = number
        self._when = when
        self._suspended = suspended

    @property
    def reached(self) -> bool:
        return self._left <= 0

    async def run(self) -> None:
        await self

    def __await__(self) -> Generator[Any, Any, None]:
        steps = self._coroutine.__await__()
        task = asyncio.current_task()
        assert task
        value: object = None
        error: BaseException | None = None
        while True:
            try:
                waited = steps.throw(error) if error else steps.send(value)
            except StopIteration:
                return
            value = error = None
            self._suspended()
            self._left -= 1
            if self._left == 0:
                self._cancel(task, waited)
            try:
                value = yield waited
            except BaseException as thrown:  # noqa: BLE001  # goes on into the coroutine
                error = thrown

    def _cancel(self, task: "asyncio.Task[None]", waited: object) -> None:
        if self._when == "just served" and isinstance(waited, asyncio.Future):
            waited.add_done_callback(lambda _: task.cancel())
        else:
            asyncio.get_running_loop().call_soon(task.cancel)


async def awaits(
    serving: Callable[[str], Coroutine[Any, Any, None]],
    look: Callable[[str], Awaitable[None]],
    suspended: Callable[[], None] = lambda: None,
) -> int:
    """Cancels a request at each of its awaits, and has the books looked at each time; how many
    there were. `serving` is given other words each time.

    Answers that come in one turn of the loop are waited for once, so that a run may have fewer
    awaits than another: what one did not reach is tried again before it passes for the end.
    """
    number, reached = 0, True
    while reached:
        number, reached = number + 1, False
        for again in range(TRIES):
            for when in WHENS:
                run = CancelledAt(serving(f"{number} {when} {again}"), number, when, suspended)
                task = asyncio.create_task(run.run())
                (outcome,) = await asyncio.gather(task, return_exceptions=True)
                where = f"at await {number}"
                assert isinstance(outcome, SidecarError | asyncio.CancelledError | None), where
                await look(where)
                reached |= run.reached
            if reached:
                break
    return number


def limited(config: SidecarConfig) -> SidecarConfig:
    """With every kind of limit and budget there is."""
    never_cools = Health(failure_threshold=10**9)
    changes = {"limits": EVERYTHING, "health": never_cools}
    main, backup = (p.model_copy(update=changes) for p in config.providers)
    amounts = Amounts(total=10**12)
    budgets = (
        Budget(id=f"{NAMESPACE}/all", limits=amounts),
        Budget(id=f"{NAMESPACE}/wide", limits=amounts, provider_wide=True, providers=(backup.id,)),
    )
    return config.model_copy(update={"providers": (main, backup), "budgets": budgets})


@pytest.fixture
async def plane(tmp_path: Path, redis_url: str) -> AsyncIterator[Plane]:
    async with running_plane(tmp_path, redis_url) as running:
        config = running.config(
            limits=(CallerLimit(name="app", per="App", limits=EVERYTHING),),
            cache=Cache(exact=ExactCache(ttl_seconds=60)),
            retry=Retry(attempts=2, backoff_ms=0),
        )
        await running.publish(limited(config))
        yield running


@pytest.fixture
def books(redis_url: str) -> Books:
    return Books(redis_url)


def request(content: str, *, stream: bool) -> Request:
    body = orjson.dumps(chat(content, stream=stream, max_tokens=20))
    return parse_chat(body, {}, "call")


async def serve(plane: Plane, asked: Request) -> None:
    async with plane.sidecar._holder.current() as service:
        await service.serve(asked, ReplyToNobody())


async def left_behind(plane: Plane) -> dict[str, int]:
    """What is still in use once settlements are told."""
    runtime = plane.sidecar._holder.peek()
    assert runtime
    assert runtime.pipeline
    desk = runtime.pipeline.limiter._desk
    connectors = [s.connector for s, _ in plane.sidecar._shared.ways.sessions._kept.values()]
    assert connectors
    desk.allowances.close()
    await asyncio.gather(*desk.settlements._tasks)
    return {
        "connections to providers": sum(len(c._acquired) for c in connectors if c),
        "settlements": desk.settlements.journal_length,
        "holds to be renewed": len(desk.renewals._kept),
    }


def billed_micro_usd(plane: Plane) -> int:
    """What both providers would charge, each request rounded up by itself at most."""
    bill = plane.main.bill() + plane.backup.bill()
    pico_usd = bill.input_tokens * PRICE.input_token + bill.output_tokens * PRICE.output_token
    return pico_usd // 1_000_000


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_a_request_cancelled_anywhere_leaves_nothing_behind(
    plane: Plane, books: Books, scenario: str, stream: bool
) -> None:
    """AT5 and AT12: no slot, no reservation, no connection; and no less spent than is billed."""
    plane.main.always(SCENARIOS[scenario][0])
    plane.backup.always(SCENARIOS[scenario][1])

    async def look(where: str) -> None:
        assert not any((await left_behind(plane)).values()), where
        money = books.money(Group.of_namespace("test", NAMESPACE), f"{NAMESPACE}/all")
        assert (books.slots(), money["R"]) == (0, 0), where
        assert money["S"] + money["U"] >= billed_micro_usd(plane), where

    number = await awaits(lambda words: serve(plane, request(words, stream=stream)), look)
    assert number > 3, "the scenario was cancelled on its way"
