"""The books in Redis: takes, settles, renews and publishes by the scripts, one group per call."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from penstock_sidecar.clock import MICROSECONDS
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.holds import (
    End,
    Grant,
    Hold,
    Place,
    Refusal,
    Standing,
    Sum,
)
from penstock_sidecar.limits.memory import Memory
from penstock_sidecar.limits.scripts import ACQUIRE, PUBLISH, RENEW, SETTLE, acquire
from penstock_sidecar.limits.totals import Telling, Total
from penstock_sidecar.store import Argument, Script, Store, StoreUnavailable

HOLD_SECONDS: Final = 30.0
"""A hold that nobody renews for so long is its owner's last will: slots free, money unsettled."""
ALIVE_US: Final = 30 * MICROSECONDS
"""A process that has been silent for longer shares no limits while Redis is away."""
_NEVER_SECONDS: Final = 100 * 365 * 86_400.0
_OTHER_EPOCH: Final = 9
_ENDED: Final = 2
_PUBLISHED: Final = 5
"""Where the sums of a reply of `publish` begin."""
_OTHERS_TURN: Final = 1
_RELEARNING: Final = 2
_EPOCHS: Final = 3
"""So often may the data change under one call."""

Build = Callable[[], tuple[Argument, ...]]
Reply = list[int]


@dataclass(frozen=True, slots=True)
class LastWords:
    """A settlement as its process would have said it, in that epoch or a later one."""

    epoch: int
    heard_us: int
    words: tuple[Argument, ...]
    after_loss: tuple[Argument, ...]


class HoldEnded(StoreUnavailable):
    """Redis was there: the hold had been given up before it was taken."""


def _nothing() -> None:
    pass


class Ledger:
    """Raises `StoreUnavailable`, after which nobody knows whether a call was heard."""

    def __init__(
        self, store: Store | None, memory: Memory, hold_seconds: float = HOLD_SECONDS
    ) -> None:
        self._store: Store = store or _NoStore()
        self.configured = store is not None
        """False: nobody will ever hear."""
        self.memory = memory
        self.on_disturbed: Callable[[], None] = _nothing
        """Called when a group's data is not what it was."""
        self._life_us = round(hold_seconds * MICROSECONDS)
        self._acquires: dict[tuple[str, bool, bool], Script] = {}

    async def acquire(
        self, place: Place, holds: Sequence[Hold], *, forced: bool = False
    ) -> Grant | Refusal:
        """All holds or none. Taking one that is there already is free. `forced` is for what is
        in flight already: it is counted, whatever it exceeds."""
        utc = self.memory.clock.utc()
        arguments = self._acquire_arguments(place, holds, utc, forced=forced)
        reply = await self._call(self._acquire(place, holds), place, lambda: arguments)
        if reply[0] == _ENDED:
            raise HoldEnded("the hold had been given up before it was taken")
        return _verdict(reply, holds, place, utc)

    def _acquire(self, place: Place, holds: Sequence[Hold]) -> Script:
        """The one for the kinds of limits in question."""
        wanted = (
            "".join(hold.kinds for hold in holds),
            bool(place.subjects),
            place.turn is not None,
        )
        script = self._acquires.get(wanted)
        if script is None:
            kinds, subjects, turns = wanted
            script = acquire(set(kinds), subjects=subjects, turns=turns)
            self._acquires[wanted] = script
        return script

    def _acquire_arguments(
        self, place: Place, holds: Sequence[Hold], utc: float, *, forced: bool
    ) -> tuple[Argument, ...]:
        memory_us = max(hold.memory_seconds for hold in holds) * MICROSECONDS
        turn = place.turn.arguments if place.turn else (0, 0, "", 1, 0)
        arguments: list[Argument] = [self._life_us, memory_us, *turn, len(place.subjects)]
        for subject in place.subjects:
            arguments += subject.arguments
        arguments.append(len(holds))
        for hold in holds:
            want = hold.want_micro_usd
            arguments += (hold.id, want, hold.least_micro_usd, len(hold.bounds))
            for bound in hold.bounds:
                limit = bound.limit(utc, high=place.high)
                enforced = int(bound.enforced and not forced)
                cost = bound.cost(hold.tokens, want, hold.requests)
                arguments += (*bound.head, limit, enforced, cost, *bound.tail(utc))
        return tuple(arguments)

    def settle(self, place: Place, ends: Sequence[End]) -> Coroutine[Any, Any, object]:
        """Once only: what comes again changes nothing. Goes out with the call, before anything
        that is asked for later: a freed slot is free for the next request."""
        totals = [self._total(place, each) for end in ends for each in end.sums]
        return self._tell(SETTLE, place, totals, self._settle_arguments(place, ends), 2 + len(ends))

    def last_words(self, place: Place, ends: Sequence[End]) -> LastWords:
        """The same call for whoever comes after this process."""
        books = self.memory.books(place.group.tag)
        words = self._settle_arguments(place, ends)()
        after_loss = self._settle_arguments(place, ends, after_loss=True)()
        return LastWords(books.epoch, books.heard_us, words, after_loss)

    async def repeat(self, place: Place, words: LastWords) -> None:
        """A settlement of a former process."""
        books = self.memory.books(place.group.tag)

        def build() -> tuple[Argument, ...]:
            return words.after_loss if books.epoch > words.epoch else words.words

        await self._call(SETTLE, place, build, words.heard_us)

    async def renew(self, place: Place, ids: Sequence[str]) -> tuple[int, Sequence[str]]:
        """Returns how many slots were lost to others meanwhile, and which holds are gone."""
        reply = await self._call(RENEW, place, lambda: (self._life_us, *ids))
        return reply[2], [cast("bytes", id_).decode() for id_ in cast("list[object]", reply[3:])]

    async def publish(
        self, place: Place, totals: Sequence[tuple[int, Total]], counts: Sequence[Argument]
    ) -> float:
        """Says that the process lives, and what it knows; `place.keys` begin with the group's
        members. Returns the seconds for which the group is still learning."""

        def build() -> tuple[Argument, ...]:
            arguments: list[Argument] = [self.memory.process, ALIVE_US, len(totals)]
            for key, total in totals:
                arguments += (key, total.field, *total.arguments)
            return (*arguments, *counts)

        told = [total for _, total in totals]
        reply = await self._tell(PUBLISH, place, told, build, _PUBLISHED)
        self.memory.told_alive(place.group.tag, reply[2], reply[4])
        return reply[3] / MICROSECONDS

    def spend(self, place: Place, sums: Sequence[Sum], micro_usd: int) -> None:
        """Add to the totals what their settlement will tell."""
        for each in sums:
            self._total(place, each).settled += micro_usd

    def _total(self, place: Place, each: Sum) -> Total:
        name = place.name(each.key)
        return self.memory.totals.of(place.group, name, each.field, self.memory.clock.monotonic())

    def _settle_arguments(
        self, place: Place, ends: Sequence[End], *, after_loss: bool = False
    ) -> Build:
        def build() -> tuple[Argument, ...]:
            arguments: list[Argument] = [self._life_us, self.memory.process]
            for end in ends:
                arguments += (end.id, end.requests, end.tokens, int(end.spent_known), len(end.sums))
                for each in end.sums:
                    total = self._total(place, each)
                    numbers = total.after_loss if after_loss else total.arguments
                    arguments += (each.key, each.field, *numbers, each.spenders, each.member)
            return tuple(arguments)

        return build

    def _tell(
        self, script: Script, place: Place, totals: Sequence[Total], build: Build, sums_at: int
    ) -> Coroutine[Any, Any, Reply]:
        """A call that carries totals; their sums begin at that place of the reply."""
        tellings: list[Telling] = []

        def build_and_note() -> tuple[Argument, ...]:
            tellings.append(Telling.of(totals))
            return build()

        def undo() -> None:
            tellings.pop().undone()

        call = self._call(script, place, build_and_note, refused=undo)
        return self._heard(call, place.group.tag, tellings, sums_at)

    async def _heard(
        self, call: Coroutine[Any, Any, Reply], tag: str, tellings: list[Telling], sums_at: int
    ) -> Reply:
        try:
            reply = await call
        except BaseException as error:
            telling = tellings.pop()
            if isinstance(error, StoreUnavailable) and not error.sent:
                telling.undone()
            else:
                telling.unanswered()
            raise
        tellings.pop().heard(reply[sums_at:], silent=self.memory.silent(tag))
        return reply

    def _call(
        self,
        script: Script,
        place: Place,
        build: Build,
        heard_us: int | None = None,
        refused: Callable[[], None] = _nothing,
    ) -> Coroutine[Any, Any, Reply]:
        """Sent by the call itself. `heard_us` is another process's; `refused` is called when the
        server says that it did nothing, before what this process knows is taken for the past."""

        def send() -> Coroutine[Any, Any, object]:
            books = self.memory.books(place.group.tag)
            heard = books.heard_us if heard_us is None else heard_us
            arguments = (books.epoch, heard, *build())
            return self._store.script(script, place.group.keys + place.keys, arguments)

        return self._answer(script, send(), send, refused, place.group.tag)

    async def _answer(
        self,
        script: Script,
        said: Coroutine[Any, Any, object],
        send: Callable[[], Coroutine[Any, Any, object]],
        refused: Callable[[], None],
        tag: str,
    ) -> Reply:
        for _ in range(_EPOCHS):
            reply = cast("Reply", await self._undoubted(said))
            if reply[0] != _OTHER_EPOCH:
                if reply[0] != _ENDED and self.memory.saw(
                    tag, reply[1], changed=script.name != ACQUIRE.name
                ):
                    self.on_disturbed()
                return reply
            refused()
            if self.memory.adopt(tag, reply[1]):
                self.on_disturbed()
            said = send()
        said.close()
        raise StoreUnavailable("its data changes with every call")

    async def _undoubted(self, said: Coroutine[Any, Any, object]) -> object:
        try:
            return await said
        except StoreUnavailable as error:
            if error.away:
                self.memory.doubt()
            raise


class _NoStore:
    """Where no Redis is configured, it is always away."""

    async def command(self, *_: Argument) -> object:
        raise StoreUnavailable("no Redis is configured", sent=False)

    async def script(self, *_: object) -> object:
        raise StoreUnavailable("no Redis is configured", sent=False)


def _verdict(reply: Reply, holds: Sequence[Hold], place: Place, utc: float) -> Grant | Refusal:
    bounds = [bound for hold in holds for bound in hold.bounds]
    if reply[0] == 1:
        first = 3 + len(holds)
        end = first + 2 * len(bounds)
        return Grant(
            tuple(reply[3:first]),
            _standings(reply[first:end], bounds, place, utc),
            _sums(reply[end:], holds, place),
            shared_subjects=reply[2],
        )
    wait = None if reply[4] < 0 else _seconds(reply[4])
    return Refusal(
        bounds[reply[3] - 1],
        wait,
        _standings(reply[6:], bounds, place, utc),
        others_turn=reply[5] == _OTHERS_TURN,
        relearning=reply[5] == _RELEARNING,
    )


def _sums(reply: Sequence[object], holds: Sequence[Hold], place: Place) -> tuple[Sum, ...]:
    money = [bound for hold in holds for bound in hold.bounds if bound.what == "money"]
    pairs = zip(money, reply[::2], reply[1::2], strict=True)
    return tuple(
        place.sum(bound, cast("int", key), cast("bytes", field).decode())
        for bound, key, field in pairs
    )


def _standings(
    values: Reply, bounds: list[Bound], place: Place, utc: float
) -> tuple[Standing, ...]:
    pairs = zip(bounds, values[::2], values[1::2], strict=True)
    return tuple(
        Standing(bound, bound.limit(utc, high=place.high), remaining, _seconds(reset))
        for bound, remaining, reset in pairs
    )


def _seconds(microseconds: int) -> float | None:
    seconds = microseconds / MICROSECONDS
    return seconds if seconds < _NEVER_SECONDS else None
