"""Who acts, who waits, and what each does then.

    wait for this sidecar's own ──► begin ──► lead ──► (the request's way) ──► end
                                    ▲   └──► follow ──► nobody leads any more ──┐
                                    └───────────────────────────────────────────┘

Whoever waits here or follows there takes no limit and no slot meanwhile.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial

from penstock_sidecar.cache.flight.acting import Acting
from penstock_sidecar.cache.flight.beats import Beats
from penstock_sidecar.cache.flight.crew import Crew, Turn
from penstock_sidecar.cache.flight.part import End, Flight
from penstock_sidecar.cache.flight.shared import SharedFlight
from penstock_sidecar.cache.flight.times import AS_SHIPPED, Times
from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.cache.question import Question
from penstock_sidecar.errors import CallerError, OutOfTime, PolicyError
from penstock_sidecar.store import Store

LookUp = Callable[[Question], Awaitable[Hit | None]]


class Flights:
    """Those of one policy in this sidecar. Without a store each sidecar has its own."""

    def __init__(self, look_up: LookUp, store: Store | None, times: Times = AS_SHIPPED) -> None:
        self._look_up = look_up
        self._store = store
        self._times = times
        self._crews: dict[str, Crew] = {}
        self._beats = Beats(times.beat)

    def joined(
        self, question: Question | None, until: float
    ) -> AbstractAsyncContextManager[Flight, bool | None]:
        """Enter after a lookup that found nothing: who waits then, does so until `until` of the
        loop's clock, at most. Leave when the answer is kept, or will not be. Raises nothing."""
        if question is None or not _takes_part(question):
            return contextlib.nullcontext(Flight())
        return self._joined(question, until)

    @contextlib.asynccontextmanager
    async def renewing(self, question: Question) -> AsyncIterator[bool]:
        """For one who asks anew for what is kept: whether he is to. Not where somebody does so
        already or has just done so, here or elsewhere, nor where Redis cannot say. Waits for
        nobody; an error says that nothing was renewed, and that the next one may try."""
        key = question.shelves.flight(question.name)
        if key in self._crews:
            yield False
            return
        self._crews[key] = Crew()
        async with self._acting(question, Flight()) as acting:
            yield await acting.leads_anew()

    async def close(self) -> None:
        await self._beats.close()

    @contextlib.asynccontextmanager
    async def _joined(self, question: Question, until: float) -> AsyncIterator[Flight]:
        key, flight = question.shelves.flight(question.name), Flight()
        match await self._turn(key, flight, until):
            case "act":
                async with self._acting(question, flight) as acting:
                    await acting.take_off(partial(self._look_up, question), until)
                    yield flight
            case "look":
                flight.hit = await self._look_up(question)
                flight.result = "followed" if flight.hit else "alone"
                yield flight
            case "alone":
                flight.result = "alone"
                yield flight

    @contextlib.asynccontextmanager
    async def _acting(self, question: Question, flight: Flight) -> AsyncIterator[Acting]:
        key = question.shelves.flight(question.name)
        crew = self._crews[key]
        acting = Acting(
            flight,
            self._shared(question),
            crew,
            partial(self._release, key, crew),
            self._beats,
            self._times,
        )
        how: End = "unkept"
        try:
            yield acting
            how = flight.foreseen() or "unkept"
        except BaseException as error:
            how = _end(error)
            raise
        finally:
            await acting.land(how)

    def _shared(self, question: Question) -> SharedFlight | None:
        if self._store is None:
            return None
        shelves, name = question.shelves, question.name
        return SharedFlight(self._store, shelves.flight(name), shelves.answer(name), self._times)

    async def _turn(self, key: str, flight: Flight, until: float) -> Turn:
        """When it is this request's; who waited until his time was over goes alone."""
        crew = self._crews.get(key)
        if crew is None:
            self._crews[key] = Crew()
            return "act"
        now = asyncio.get_running_loop().time
        began, told = now(), crew.wait()
        try:
            async with asyncio.timeout_at(until):
                return await told
        except TimeoutError:
            self._left(key, crew, told)
            return "alone"
        except asyncio.CancelledError:
            self._left(key, crew, told)
            raise
        finally:
            flight.waited_seconds = now() - began

    def _left(self, key: str, crew: Crew, told: asyncio.Future[Turn]) -> None:
        if crew.leave(told):
            self._release(key, crew, "act")

    def _release(self, key: str, crew: Crew, turn: Turn) -> None:
        if turn == "act" and crew.next():
            return
        crew.tell_all(turn)
        if self._crews.get(key) is crew:
            del self._crews[key]


def _takes_part(question: Question) -> bool:
    """Who takes what is kept, and lets his own be kept, where others find it."""
    control = question.request.cache_control
    fresh = control.only_if_cached or control.max_age_seconds == 0
    return question.findable and question.looked_up and question.kept and not fresh


def _end(error: BaseException) -> End:
    """A refusal is the request's own, and takes no time; what a provider did wrong, it may do
    again. Who leaves says nothing about either."""
    if isinstance(error, OutOfTime):
        return "failed"
    own = (PolicyError, CallerError, asyncio.CancelledError, ConnectionResetError)
    return "refused" if isinstance(error, own) else "failed"
