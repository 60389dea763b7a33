"""Sidecars that share a Redis, and requests that ask them all the same."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from penstock_sidecar.cache.answers import AnswerCache
from penstock_sidecar.cache.flight import Flight, Flights
from penstock_sidecar.cache.flight.times import AS_SHIPPED, Times
from penstock_sidecar.cache.memory import AnswerMemory
from penstock_sidecar.cache.question import Question
from penstock_sidecar.errors import BudgetExceeded, UpstreamUnavailable
from penstock_sidecar.model import CacheControl, Request
from penstock_sidecar.store import Argument, Script, Store, StoreUnavailable
from tests.sidecar.cache.builders import (
    ManualClock,
    RecordingStore,
    cache,
    candidate,
    question,
    request,
    said,
)
from tests.sidecar.redis_store.conftest import until

LONG_SECONDS = 600.0
DOWN = UpstreamUnavailable("down")
REFUSED = BudgetExceeded("no money", retry_after_seconds=1)


@dataclass(slots=True, eq=False)
class Asking:
    """One request. It has taken off when it knows what to do, and goes on until it is told how it
    ends."""

    sidecar: "Sidecar"
    question: Question
    until: float
    flight: Flight | None = None
    off: asyncio.Event = field(default_factory=asyncio.Event)
    _end: asyncio.Event = field(default_factory=asyncio.Event)
    _keeps: bool = False
    _error: Exception | None = None
    task: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self.task = asyncio.create_task(self._run())

    @property
    def waits(self) -> bool:
        return not self.off.is_set()

    async def flies(self) -> Flight:
        await self.off.wait()
        assert self.flight
        return self.flight

    async def keeps(self) -> Flight:
        """Its answer; whether it did is in the flight."""
        self._keeps = True
        return await self.ends()

    async def fails(self, error: Exception) -> Flight:
        self._error = error
        return await self.ends()

    async def ends(self) -> Flight:
        """Without an answer that can be kept, unless it was told otherwise before."""
        self._end.set()
        await asyncio.wait((self.task,))
        return await self.flies()

    async def leaves(self) -> None:
        """As when the caller goes."""
        self.task.cancel()
        await asyncio.wait((self.task,))

    async def _run(self) -> None:
        sidecar = self.sidecar
        async with sidecar.flights.joined(self.question, self.until) as flight:
            self.flight = flight
            self.off.set()
            if flight.hit:
                return
            await self._end.wait()
            if self._error:
                raise self._error
            if self._keeps:
                await sidecar.keeps(self.question, flight)


class Losing(RecordingStore):
    """Redis as a sidecar sees it that loses it, or hears the first `late` replies too late."""

    def __init__(self, store: Store, late: int = 0) -> None:
        super().__init__(store)
        self.away = False
        self._late = late

    async def command(self, *arguments: Argument) -> object:
        self._heard()
        return await super().command(*arguments)

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        self._heard()
        reply = await super().script(script, keys, arguments)
        if self._late:
            self._late -= 1
            raise StoreUnavailable("late")
        return reply

    def _heard(self) -> None:
        if self.away:
            raise StoreUnavailable("away", sent=False)


@dataclass(slots=True, eq=False)
class Sidecar:
    cache: AnswerCache
    flights: Flights
    store: RecordingStore
    clock: ManualClock
    """One for all."""
    asked: list[Asking] = field(default_factory=list)

    def asks(
        self,
        text: str = "hi",
        *,
        seconds: float = LONG_SECONDS,
        control: CacheControl | None = None,
    ) -> Asking:
        """A stream, as the collector sees it."""
        said = {"messages": [{"role": "user", "content": text}]}
        asked: Request = request(said, stream=True, control=control)
        until = asyncio.get_running_loop().time() + seconds
        asking = Asking(self, question(self.cache, asked), until)
        self.asked.append(asking)
        return asking

    async def keeps(self, question: Question, flight: Flight) -> None:
        """Its leader has an answer."""
        collector = self.cache.collector(question, candidate())
        for chunk in said("hello"):
            collector.add(chunk)
        flight.kept = await self.cache.store(collector, 7, flight.fence)

    async def looks(self) -> None:
        """Returns when it has looked once more at a flight that another one leads."""
        before = len(self.store.commands)
        await until(lambda: any(command[0] == "PTTL" for command in self.store.commands[before:]))


@asynccontextmanager
async def sidecars(
    store: Store, count: int, times: Times = AS_SHIPPED
) -> AsyncIterator[tuple[Sidecar, ...]]:
    """Whoever still asks at the end has left; what went wrong otherwise is raised."""
    clock = ManualClock()
    found = tuple(_sidecar(store, times, clock) for _ in range(count))
    try:
        yield found
    finally:
        for asking in (asking for sidecar in found for asking in sidecar.asked):
            await asking.leaves()
        for sidecar in found:
            await sidecar.flights.close()


def _sidecar(store: Store, times: Times, clock: ManualClock) -> Sidecar:
    recording = store if isinstance(store, RecordingStore) else RecordingStore(store)
    answers = cache(recording, clock=clock, memory=AnswerMemory(clock))
    return Sidecar(answers, Flights(answers.lookup, recording, times), recording, clock)


async def led_by(asking: Asking) -> Flight:
    flight = await asking.flies()
    assert (flight.result, flight.hit) == ("led", None)
    assert flight.fence
    return flight


async def followed(*asking: Asking) -> None:
    for each in asking:
        flight = await each.flies()
        assert flight.result == "followed"
        assert flight.hit
        assert flight.hit.level == "hit-exact"
        assert flight.waited_seconds > 0


async def key_of(asking: Asking) -> str:
    return asking.question.shelves.flight(asking.question.name)
