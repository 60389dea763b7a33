"""The books in Redis: takes, settles and renews holds by the scripts, one group per call."""

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from penstock_config.layout import Group
from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.scripts import ACQUIRE, RENEW, SETTLE
from penstock_sidecar.store import Argument, Store, StoreUnavailable

HOLD_SECONDS: Final = 30.0
"""A hold that nobody renews for so long is its owner's last will: slots free, money unsettled."""
MICRO: Final = 1_000_000
_NEVER_SECONDS: Final = 100 * 365 * 86_400.0
AS_HELD: Final = -1
"""Nobody knows: tokens stay as they were held, money stays as unsettled."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a call goes: a group, and the keys that follow its three."""

    group: Group
    keys: tuple[str, ...] = ()
    keep_ms: int = 0
    """How long the further hashes are kept when nobody uses them."""


@dataclass(frozen=True, slots=True)
class Hold:
    """What is to be taken. Money between `least` and `want`, as much as there is."""

    id: str
    bounds: Sequence[Bound]
    tokens: int = 0
    want_micro_usd: int = 0
    least_micro_usd: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """A bound after an acquire. `reset_seconds` of `None` is never."""

    bound: Bound
    remaining: int
    reset_seconds: float | None


@dataclass(frozen=True, slots=True)
class Grant:
    """`money`: micro-USD of each hold, in order."""

    money: tuple[int, ...]
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """`bound` is the one to wait for longest; `wait_seconds` of `None` is for ever."""

    bound: Bound
    wait_seconds: float | None
    standings: tuple[Standing, ...]

    @property
    def remaining(self) -> int:
        return next(s.remaining for s in self.standings if s.bound is self.bound)

    @property
    def reset_seconds(self) -> float | None:
        return next(s.reset_seconds for s in self.standings if s.bound is self.bound)


@dataclass(frozen=True, slots=True)
class End:
    """How a hold ends. `requests` is 1 where they count, 0 where nothing was asked."""

    id: str
    requests: int
    tokens: int
    micro_usd: int


class Ledger:
    """Raises `StoreUnavailable`, after which nobody knows whether a call was heard."""

    def __init__(
        self, store: Store | None, clock: Clock, hold_seconds: float = HOLD_SECONDS
    ) -> None:
        self._store: Store = store or _NoStore()
        self.configured = store is not None
        """False: nobody will ever hear."""
        self._clock = clock
        self._life_us = round(hold_seconds * MICRO)

    async def acquire(self, place: Place, holds: Sequence[Hold]) -> Grant | Refusal:
        """All holds or none. Taking one that is there already is free."""
        arguments: list[Argument] = [self._life_us, place.keep_ms, len(holds)]
        utc = self._clock.utc()
        for hold in holds:
            want = hold.want_micro_usd
            arguments += (hold.id, want, hold.least_micro_usd, len(hold.bounds))
            for bound in hold.bounds:
                arguments += (*bound.head, bound.cost(hold.tokens, want), *bound.tail(utc))
        reply = cast(
            "list[int]",
            await self._store.script(ACQUIRE, place.group.keys + place.keys, tuple(arguments)),
        )
        return _verdict(reply, [bound for hold in holds for bound in hold.bounds], len(holds))

    def settle(self, place: Place, ends: Sequence[End]) -> Coroutine[Any, Any, object]:
        """Once only: what comes again changes nothing. Goes out with the call, before anything
        that is asked for later: a freed slot is free for the next request."""
        arguments: list[Argument] = [self._life_us]
        for end in ends:
            arguments += (end.id, end.requests, end.tokens, end.micro_usd)
        return self._store.script(SETTLE, place.group.keys + place.keys, tuple(arguments))

    async def renew(self, place: Place, ids: Sequence[str]) -> int:
        """Returns how many slots were lost to others meanwhile."""
        reply = await self._store.script(
            RENEW, place.group.keys + place.keys, (self._life_us, *ids)
        )
        return cast("list[int]", reply)[0]


class _NoStore:
    """Where no Redis is configured, it is always away."""

    async def command(self, *_: Argument) -> object:
        raise StoreUnavailable("no Redis is configured")

    async def script(self, *_: object) -> object:
        raise StoreUnavailable("no Redis is configured")


def _verdict(reply: list[int], bounds: list[Bound], holds: int) -> Grant | Refusal:
    if reply[0] == 1:
        return Grant(tuple(reply[1 : 1 + holds]), _standings(reply[1 + holds :], bounds))
    if reply[0] == 0:
        wait = None if reply[2] < 0 else _seconds(reply[2])
        return Refusal(bounds[reply[1] - 1], wait, _standings(reply[3:], bounds))
    raise StoreUnavailable("the hold had been given up before it was taken")


def _standings(values: list[int], bounds: list[Bound]) -> tuple[Standing, ...]:
    pairs = zip(bounds, values[::2], values[1::2], strict=True)
    return tuple(Standing(bound, remaining, _seconds(reset)) for bound, remaining, reset in pairs)


def _seconds(microseconds: int) -> float | None:
    seconds = microseconds / MICRO
    return seconds if seconds < _NEVER_SECONDS else None
