"""Money put aside while Redis is there, to be spent while it is away.

Debited before it is spent, as a hold like any other: whatever happens, a budget is not exceeded. A
sidecar has an allowance only while it is spending, and only while a budget has a fifth left; it is
about what its requests may cost in five seconds, and at most a fourth of its part of what is left.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.bounds import STATE_KEY, Bound
from penstock_sidecar.limits.holds import End, Grant, Hold, Place, Standing
from penstock_sidecar.limits.ledger import Ledger
from penstock_sidecar.limits.renewals import Renewals
from penstock_sidecar.limits.settlements import Settlements
from penstock_sidecar.store import StoreUnavailable

AHEAD_SECONDS: Final = 5.0
IDLE_SECONDS: Final = 3.0
LEAST_LEFT: Final = 5
"""A fifth of the amount."""
SHARE: Final = 4


@dataclass(slots=True)
class _Stock:
    """What was put aside at one time; given back once nobody draws of it any more."""

    place: Place
    hold: Hold
    left_micro_usd: int
    drawn: int = 0
    """By so many attempts that have not ended."""
    retired: bool = False


@dataclass(slots=True)
class _Allowance:
    """For one set of budgets in one group."""

    place: Place
    bounds: Sequence[Bound]
    sidecars: int
    quoted_micro_usd: int = 0
    """What requests may have cost since the last upkeep."""
    standings: tuple[Standing, ...] = ()
    stock: _Stock | None = None
    used_at: float = 0

    @property
    def left_micro_usd(self) -> int:
        return self.stock.left_micro_usd if self.stock else 0


@dataclass(frozen=True, slots=True)
class Drawn:
    """Taken of an allowance for one attempt, until `spent`."""

    _stock: _Stock
    micro_usd: int
    _end: Callable[[_Stock], None]

    def spent(self, micro_usd: int) -> None:
        """Once, when Redis is told of it. The rest can be drawn again, unless nobody shall."""
        stock = self._stock
        stock.left_micro_usd += max(0, self.micro_usd - micro_usd)
        stock.drawn -= 1
        if stock.retired and not stock.drawn:
            self._end(stock)


@dataclass(slots=True)
class Allowances:
    """By the budgets that bind; kept up by `upkeep`, every `BEAT_SECONDS`."""

    ledger: Ledger
    renewals: Renewals
    settlements: Settlements
    new_id: Callable[[], str]
    _by_bounds: dict[tuple[str, ...], _Allowance] = field(default_factory=dict)
    _upkept_at: float = 0

    @property
    def _clock(self) -> Clock:
        return self.ledger.memory.clock

    def spent(
        self, place: Place, bounds: Sequence[Bound], micro_usd: int, standings: Sequence[Standing]
    ) -> None:
        """A request was granted so much by Redis, where the budgets stand as it says."""
        if not _may_be_put_aside(bounds):
            return
        allowance = self._of(place, bounds)
        allowance.quoted_micro_usd += micro_usd
        allowance.standings = tuple(s for s in standings if s.bound.what == "money")
        allowance.used_at = self._clock.monotonic()

    def draw(self, place: Place, bounds: Sequence[Bound], micro_usd: int) -> "Drawn | None":
        """So much of what was put aside; `None` where it was less."""
        if not _may_be_put_aside(bounds):
            return None
        stock = self._of(place, bounds).stock
        if stock is None or stock.left_micro_usd < micro_usd:
            return None
        stock.left_micro_usd -= micro_usd
        stock.drawn += 1
        return Drawn(stock, micro_usd, self._end)

    async def upkeep(self) -> None:
        """Put aside anew what is needed now, and give back what is not; but nothing while Redis
        has not yet heard what was spent of it."""
        if self.settlements.journal_length:
            return
        now = self._clock.monotonic()
        elapsed, self._upkept_at = max(now - self._upkept_at, 1.0), now
        for name, allowance in list(self._by_bounds.items()):
            try:
                await self._keep_up(allowance, now, elapsed)
            except StoreUnavailable:
                return
            if allowance.stock is None and now - allowance.used_at > IDLE_SECONDS:
                del self._by_bounds[name]

    def close(self) -> None:
        for allowance in self._by_bounds.values():
            self._give_back(allowance)

    async def _keep_up(self, allowance: _Allowance, now: float, elapsed: float) -> None:
        rate, allowance.quoted_micro_usd = allowance.quoted_micro_usd / elapsed, 0
        idle = now - allowance.used_at > IDLE_SECONDS
        most = 0 if idle else _most(allowance)
        wanted = min(round(rate * AHEAD_SECONDS), most)
        if allowance.stock and wanted and allowance.left_micro_usd >= wanted // 2:
            return
        self._give_back(allowance)
        if wanted:
            hold = Hold(self.new_id(), allowance.bounds, 0, wanted, wanted)
            if await self._granted(allowance.place, hold):
                allowance.stock = _Stock(allowance.place, hold, wanted)
                self.renewals.keep(allowance.place, hold)

    async def _granted(self, place: Place, hold: Hold) -> bool:
        """What may have been taken without our knowing is given back."""
        try:
            return isinstance(await self.ledger.acquire(place, [hold]), Grant)
        except (StoreUnavailable, asyncio.CancelledError):
            self.settlements.settle(place, [End(hold.id)])
            raise

    def _give_back(self, allowance: _Allowance) -> None:
        """Now, or when the last has ended who draws of it."""
        if stock := allowance.stock:
            allowance.stock, stock.retired = None, True
            if not stock.drawn:
                self._end(stock)

    def _end(self, stock: _Stock) -> None:
        """What was spent of it has been told by those who did."""
        self.renewals.drop(stock.place, stock.hold.id)
        self.settlements.settle(stock.place, [End(stock.hold.id)])

    def _of(self, place: Place, bounds: Sequence[Bound]) -> _Allowance:
        name = (place.group.tag, *(f"{bound.field}:{bound.percent}" for bound in bounds))
        found = self._by_bounds.get(name)
        if found is None:
            sidecars = self.ledger.memory.books(place.group.tag).processes
            found = self._by_bounds[name] = _Allowance(Place(place.group), bounds, sidecars)
        found.sidecars = max(found.sidecars, self.ledger.memory.books(place.group.tag).processes)
        return found


def _may_be_put_aside(bounds: Sequence[Bound]) -> bool:
    """A user's own budget is asked for each time; what refuses nothing needs nothing."""
    return all(b.key == STATE_KEY for b in bounds) and any(b.enforced for b in bounds)


def _most(allowance: _Allowance) -> int:
    """Of what is left, where that is more than a fifth."""
    left = allowance.left_micro_usd
    rooms = [(s.limit, s.remaining) for s in allowance.standings if s.bound.enforced]
    if not rooms or any(room * LEAST_LEFT < limit for limit, room in rooms):
        return 0
    return (min(room for _, room in rooms) + left) // (SHARE * allowance.sidecars)
