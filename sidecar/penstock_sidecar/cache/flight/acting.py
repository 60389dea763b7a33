"""The one request of a sidecar's crew that acts: it leads, or follows another sidecar's."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from penstock_sidecar.cache.flight.beats import Beats
from penstock_sidecar.cache.flight.crew import Crew, Turn
from penstock_sidecar.cache.flight.part import End, Fence, Flight
from penstock_sidecar.cache.flight.shared import (
    ANY,
    MOST_FAILURES,
    Answered,
    Follow,
    GoAlone,
    Lead,
    SharedFlight,
)
from penstock_sidecar.cache.flight.times import Times
from penstock_sidecar.cache.hit import Hit

LookUp = Callable[[], Awaitable[Hit | None]]


@dataclass(slots=True, eq=False)
class Acting:
    """Takes off, and lands, once. `shared` is `None` without a Redis."""

    flight: Flight
    shared: SharedFlight | None
    crew: Crew
    release: Callable[[Turn], None]
    """Says what the rest of the crew does now."""
    beats: Beats
    times: Times
    _began: float | None = field(default=None, init=False)
    """When it began to lead, on the loop's clock; `None` for who does not."""
    _landed: bool = field(default=False, init=False)
    _renews: bool = field(default=False, init=False)

    async def take_off(self, look_up: LookUp, until: float) -> None:
        """Returns when the flight has a hit, or its request is to go its way; who does not lead
        then has landed."""
        turn: Turn = "act"
        try:
            async with asyncio.timeout_at(until):
                turn = await self._join(look_up)
        except TimeoutError:
            self.flight.result = "alone"
        finally:
            if self._began is None:
                await self._leave(turn)

    async def leads_anew(self) -> bool:
        """Whatever is kept. Who does not, has landed."""
        try:
            match await self.shared.begin(ANY) if self.shared else None:
                case Lead(number):
                    self._renews = True
                    self._lead(number)
                case _:
                    pass
        finally:
            if self._began is None:
                await self._leave("act")
        return self._began is not None

    async def land(self, how: End) -> None:
        """The leader leads no more; `how` is for one who has not kept an answer."""
        if self._landed:
            return
        self._landed = True
        self.beats.discard(self)
        turn: Turn = "act"
        try:
            turn = "look" if self.flight.kept else await self._given_up(how)
        finally:
            self.release(turn)

    async def beat(self) -> None:
        """Says that the leader lives, or that nothing will come of it."""
        if how := self.flight.foreseen():
            await self.land(how)
        elif self.shared and self.flight.fence and await self.shared.beat() is False:
            await self._lead_again(self.shared)

    async def _join(self, look_up: LookUp) -> Turn:
        """What the others do, unless this one leads."""
        flight, seen = self.flight, b""
        while True:
            match await self.shared.begin(seen) if self.shared else None:
                case Lead(number):
                    return self._lead(number)
                case Answered(seal):
                    # The first may have been late; the second says that it does not do.
                    flight.hit = await look_up() or await look_up()
                    if flight.hit:
                        flight.result = "followed" if flight.waited_seconds else ""
                        return "look"
                    seen = seal
                case Follow(seconds):
                    await self._follow(seconds)
                case GoAlone():
                    flight.result = "alone"
                    return "alone"
                case None:
                    return self._lead(None)

    async def _follow(self, seconds: float) -> None:
        assert self.shared is not None  # noqa: S101  # who follows has been told so by Redis
        now = asyncio.get_running_loop().time
        began = now()
        try:
            await self.shared.changed(seconds)
        finally:
            self.flight.waited_seconds += now() - began

    def _lead(self, number: int | None) -> Turn:
        if self.shared and number:
            self.flight.fence = Fence(self.shared.flight, number)
        self.flight.result = "took-over" if self.flight.waited_seconds else "led"
        self._began = asyncio.get_running_loop().time()
        self.beats.add(self)
        return "act"

    async def _lead_again(self, shared: SharedFlight) -> None:
        """Its beats were late, or Redis lost them. If nobody has led since, it goes on, by a new
        number; else its own tells whoever keeps answers that this one is too late."""
        match await shared.begin():
            case Lead() if self._landed:
                await shared.end("refused", 0)
            case Lead(number):
                self.flight.fence = Fence(shared.flight, number)
            case Answered() | Follow() | GoAlone():
                self.beats.discard(self)
            case None:
                pass  # Redis is away: at the next beat

    async def _leave(self, turn: Turn) -> None:
        """Whoever did not lead; he was interrupted if the others have to act."""
        self._landed = True
        try:
            if self.shared and turn == "act":  # and Redis may have taken him for the leader
                await self.shared.end("refused", 0)
        finally:
            self.release(turn)

    async def _given_up(self, how: End) -> Turn:
        """By what Redis says; without it, by what this sidecar has seen."""
        after = await self.shared.end(how, self._alone_seconds()) if self.shared else None
        if self._renews:
            return "act"  # and find it
        if after and self.flight.fence:
            return "alone" if after == "alone" else "act"
        self.crew.failures += how == "failed"
        alone = how == "unkept" or self.crew.failures >= MOST_FAILURES
        return "alone" if alone else "act"

    def _alone_seconds(self) -> float:
        lasted = asyncio.get_running_loop().time() - (self._began or 0)
        alone = self.times.alone(lasted)
        return max(alone, self.times.renewed) if self._renews else alone
