"""One managed provider as this sidecar knows it: its replicas, who sits where, and who waits.

A seat is one request at one replica. A replica has `parallel` of them for each model; who finds
none free waits in the model's line, first come, first served. Where models take turns (`changes`)
he waits there too, until his model is in a replica's memory or comes next. While no replica is
known at all (nobody wrote, or Redis is away) the provider's Service has seats without end.
"""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Final

from penstock_config.fleet import FLEET_EXPIRY_SECONDS, Demand, Fleet
from penstock_sidecar.clock import Clock
from penstock_sidecar.errors import (
    UpstreamConnectTooLate,
    UpstreamCrowded,
    UpstreamError,
    UpstreamStarting,
)
from penstock_sidecar.fleet.changes import Came, Changes, View
from penstock_sidecar.fleet.choosing import Standing, canonical, choose, sound
from penstock_sidecar.fleet.observer import FleetObserver, Kind
from penstock_sidecar.fleet.roster import Member, Roster, Situation
from penstock_sidecar.fleet.tally import LASTING_SECONDS, Tally

AVOIDED_SECONDS: Final = 5.0
"""How long a replica is left alone whose connection failed."""
MAX_WAITING: Final = 1_000
"""Requests in all lines of a provider."""
AGAIN_SECONDS: Final = 10.0
"""When to come again, where nobody knows how long a model takes to load: a guess."""
SERVICE: Final = ""
"""In place of a replica's name."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one request needs. `model` is the provider's own name for it."""

    label: str
    model: str
    parallel: int | None = None
    load_seconds: float | None = None
    tried: frozenset[str] = frozenset()
    """Replicas that did not take it."""


@dataclass(slots=True, eq=False)
class Seat:
    """To be released once, by whoever got it. `address` is empty for the Service."""

    replica: str
    address: str
    model: str
    kind: Kind
    _leave: Callable[["Seat"], None]
    waited_seconds: float = 0.0

    def release(self) -> None:
        self._leave(self)


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    wanted: Wanted
    came_at: float
    timeout_seconds: float
    turn: "asyncio.Future[Seat | None]"
    """`None`: there is nobody left to wait for."""


@dataclass(slots=True, eq=False)
class LiveFleet:
    """Outlives configurations. `urgent` is called when others must hear at once what is asked."""

    id: str
    base_url: str
    clock: Clock
    random: Random
    observer: FleetObserver
    urgent: Callable[[], None] = lambda: None
    lasting_seconds: float = LASTING_SECONDS
    message: str = ""
    """What is being done, in the operator's words."""
    changes: Changes | None = None
    """`None`: models take no turns."""
    _roster: Roster | None = None
    """`None`: its replicas are not known."""
    _heard_at: float = 0.0
    _failed_until: dict[str, float] = field(default_factory=dict)
    _ours: Mapping[str, int] = field(default_factory=dict)
    """What of the replicas' requests is ours, as was told last."""
    _in_flight: Counter[tuple[str, str]] = field(default_factory=Counter)
    _under_way: Counter[str] = field(default_factory=Counter)
    _lines: dict[str, deque[_Waiting]] = field(default_factory=dict)
    _starting: set[str] = field(default_factory=set)
    """Models that somebody wants, and nobody has yet."""
    tally: Tally = field(init=False)

    def __post_init__(self) -> None:
        self.tally = Tally(self.lasting_seconds)

    def heard(self, fleet: Fleet | None) -> None:
        """What was written of it; `None` where nothing is."""
        self._heard_at = self.clock.monotonic()
        self.message = _one_line(fleet.message) if fleet else ""
        self._roster = roster = Roster.of(fleet, self.base_url) if fleet else None
        names = roster.names if roster else frozenset[str]()
        self._starting = {model for model in self._starting if not self._has(model)}
        self._failed_until = {n: at for n, at in self._failed_until.items() if n in names}
        self.observer.replicas_ready(self.id, len(names))
        if self.changes:
            self.changes.keep(names)
        self._serve_all()

    def unheard(self) -> None:
        """Redis did not say: what it said last holds as long as it would have kept it."""
        if self._roster and self.clock.monotonic() - self._heard_at > FLEET_EXPIRY_SECONDS:
            self.heard(None)
        if self.changes:
            self._serve_all()  # what takes too long is noticed in time

    def situation(self, model: str) -> Situation | None:
        """`None` while its replicas are not known."""
        return self._roster.situation(model) if self._roster else None

    def in_front(self, model: str) -> int:
        """Requests of ours at the replica that would answer, and in the line for it."""
        found = [(not s.loaded, s.in_flight) for s in self._standings(model)]
        least = min(found)[1] if found else 0
        return least + len(self._lines.get(model, ()))

    def demand(self) -> Demand:
        found = self.tally.demand(self.clock.monotonic(), self.clock.utc())
        if not found.waiting:
            self._starting.clear()
        at_replicas = {name: count for name, count in self._under_way.items() if name}
        return found.model_copy(update={"at_replicas": at_replicas})

    def told(self, demand: Demand) -> None:
        """Others know it now."""
        self._ours = demand.at_replicas

    def wish(self, model: str) -> None:
        """A request would have come here, had anybody been there."""
        self.tally.wish(model, self.clock.monotonic())
        self._start(model)

    def avoid(self, seat: Seat) -> None:
        """Its connection failed."""
        if self._roster and seat.replica in self._roster.names:
            self._failed_until[seat.replica] = self.clock.monotonic() + AVOIDED_SECONDS

    def answered(self, seat: Seat) -> None:
        """Its model is in the replica's memory."""
        if self.changes and seat.replica:
            self.changes.answered(seat.replica, seat.model, self.clock.monotonic())
            self._serve_all()

    def starting(self, wanted: Wanted) -> UpstreamStarting:
        """Nobody is there yet."""
        doing = self.message or "the first is being started"
        return UpstreamStarting(
            f"{wanted.label} has no replica that is ready: {doing}",
            retry_after_seconds=wanted.load_seconds or AGAIN_SECONDS,
        )

    async def seat(self, wanted: Wanted, until: float) -> Seat | None:
        """`None` where nobody is left whom it has not tried. `until` is on the loop's clock. Raises
        `UpstreamStarting`, `UpstreamConnectTooLate` and `UpstreamCrowded`."""
        if wanted.tried and not any(self._untried(wanted)):
            return None
        if wanted.tried or wanted.model not in self._lines:
            found = self._seated(wanted, self.clock.monotonic())
            if found:
                return self._told(found)
        return await self._in_line(wanted, until)

    async def _in_line(self, wanted: Wanted, until: float) -> Seat | None:
        waiting = self._wait(wanted, until)
        was_there = self._has(wanted.model)
        if not was_there:
            self._start(wanted.model)
        seat, answered = None, False
        try:
            if self.changes:
                self._serve_all()
            async with asyncio.timeout_at(until):
                seat = await waiting.turn
            answered = True
        except TimeoutError:
            raise self._too_late(wanted) from None
        finally:
            self.tally.wait_no_more(wanted.model)
            if not answered:
                self._gone(waiting)
        if seat:
            seat.waited_seconds = self.clock.monotonic() - waiting.came_at
            seat.kind = seat.kind if was_there or not seat.replica else "started"
            self._told(seat)
        return seat

    def _wait(self, wanted: Wanted, until: float) -> _Waiting:
        """Who has lost a seat to a replica's failure came before all others."""
        if sum(map(len, self._lines.values())) >= MAX_WAITING:
            raise UpstreamCrowded(f"{wanted.label}: too many requests wait for its replicas")
        loop = asyncio.get_running_loop()
        now, left = self.clock.monotonic(), max(until - loop.time(), 0.0)
        waiting = _Waiting(wanted, now, left, loop.create_future())
        line = self._lines.setdefault(wanted.model, deque())
        if wanted.tried:
            line.appendleft(waiting)
        else:
            line.append(waiting)
        self.tally.wait(wanted.model)
        return waiting

    def _gone(self, waiting: _Waiting) -> None:
        """Without a seat, or with one that came too late."""
        model, turn = waiting.wanted.model, waiting.turn
        if turn.done() and not turn.cancelled():
            if seat := turn.result():
                seat.release()
            return
        turn.cancel()
        line = self._lines.get(model)
        if line and waiting in line:
            line.remove(waiting)
        if not self._has(model):
            self.tally.wish(model, self.clock.monotonic())
        self._go_on(model)

    def _too_late(self, wanted: Wanted) -> UpstreamError:
        if not self._has(wanted.model):
            return self.starting(wanted)
        return UpstreamConnectTooLate(
            f"{wanted.label}: no replica had room in the time that was left"
        )

    def _start(self, model: str) -> None:
        """Others must hear that somebody is wanted."""
        if model not in self._starting:
            self._starting.add(model)
            self.observer.fleet_started(self.id)
            self.urgent()

    def _go_on(self, model: str) -> None:
        """Somebody of its has gone. Where models take turns, that concerns all."""
        if self.changes:
            self._serve_all()
        else:
            self._serve(model)

    def _serve_all(self) -> None:
        for model in [*self._lines]:
            self._serve(model)
        if self.changes and self._roster:
            for name in sorted(self._roster.names):
                self._change(self.changes, name)

    def _change(self, changes: Changes, name: str) -> None:
        """The replica goes on with its change of models, or begins one."""
        if not self._lines and not changes.under_way(name):
            return
        if changes.turn(self._view(name), self.clock.monotonic()):
            for model in [*self._lines]:
                self._serve(model)

    def _serve(self, model: str) -> None:
        """Those in front, as far as there are seats: what they get is theirs before they wake."""
        line = self._lines.get(model)
        while line:
            first = line[0]
            if not first.turn.done():
                found = self._seated(first.wanted, first.came_at)
                if found is None and (not first.wanted.tried or any(self._untried(first.wanted))):
                    return
                first.turn.set_result(found)
            line.popleft()
        self._lines.pop(model, None)

    def _seated(self, wanted: Wanted, came_at: float) -> Seat | None:
        model = wanted.model
        if not self._roster:
            return self._taken(Seat(SERVICE, "", model, "service", self._left))
        name = choose(self._untried(wanted, came_at), wanted.parallel, self.random)
        if name is None:
            return None
        found = next(each for each in self._roster.members(model) if each.name == name)
        loaded = self._is_loaded(found, model, self.clock.monotonic())
        kind: Kind = "loaded" if loaded else "unloaded"
        return self._taken(Seat(name, found.address, model, kind, self._left))

    def _taken(self, seat: Seat) -> Seat:
        self._in_flight[seat.replica, seat.model] += 1
        self._under_way[seat.replica] += 1
        self.tally.begin(seat.model)
        return seat

    def _told(self, seat: Seat) -> Seat:
        self.observer.replica_taken(self.id, seat.kind, seat.waited_seconds)
        return seat

    def _left(self, seat: Seat) -> None:
        self._in_flight[seat.replica, seat.model] -= 1
        self._under_way[seat.replica] -= 1
        if not self._in_flight[seat.replica, seat.model]:
            del self._in_flight[seat.replica, seat.model]
        if not self._under_way[seat.replica]:
            del self._under_way[seat.replica]
        now = self.clock.monotonic()
        self.tally.end(seat.model, now)
        if self.changes and seat.replica:
            self.changes.used(seat.replica, seat.model, now)
        self._go_on(seat.model)

    def _untried(self, wanted: Wanted, came_at: float = 0.0) -> Iterator[Standing]:
        standings = self._standings(wanted.model, came_at)
        return (s for s in standings if s.name not in wanted.tried)

    def _has(self, model: str) -> bool:
        """Somebody could answer."""
        return self._roster is not None and self._roster.situation(model).ready > 0

    def _is_loaded(self, member: Member, model: str, now: float) -> bool:
        if self.changes is None:
            return member.loaded
        return self.changes.is_loaded(member.name, model, now, told=member.loaded)

    def _standings(self, model: str, came_at: float = 0.0) -> Iterator[Standing]:
        """For a request that came then."""
        now, changes = self.clock.monotonic(), self.changes
        for each in self._roster.members(model) if self._roster else ():
            name, loaded = each.name, self._is_loaded(each, model, now)
            yield Standing(
                name=name,
                loaded=loaded,
                in_flight=self._in_flight[name, model],
                under_way=self._under_way[name],
                others=max(0, each.in_flight - self._ours.get(name, 0)),
                failing=self._failed_until.get(name, now) > now,
                admits=changes is None or changes.admits(name, model, came_at, loaded=loaded),
            )

    def _view(self, name: str) -> View:
        """Of a replica, as its models' turns need it."""
        in_flight: Counter[str] = Counter()
        for (replica, model), count in self._in_flight.items():
            if replica == name:
                in_flight[canonical(model)] += count
        waiting: defaultdict[str, list[Came]] = defaultdict(list)
        for model, line in self._lines.items():
            waiting[canonical(model)] += self._waiting_for(name, model, line)
        told = self._roster.loaded_at(name) if self._roster else frozenset[str]()
        return View(name, told, in_flight, waiting)

    def _waiting_for(self, name: str, model: str, line: Iterable[_Waiting]) -> Iterator[Came]:
        """Those of the line whom this replica may get."""
        standings = [*self._standings(model)]
        names: dict[frozenset[str], bool] = {}
        for each in line:
            tried = each.wanted.tried
            if tried not in names:
                left = sound(s for s in standings if s.name not in tried)
                names[tried] = any(s.name == name for s in left)
            if names[tried] and not each.turn.done():
                yield Came(each.came_at, each.timeout_seconds)


def _one_line(text: str) -> str:
    return "".join(each if each.isprintable() else " " for each in text).strip()
