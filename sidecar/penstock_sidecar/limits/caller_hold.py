"""What a request holds in its namespace's books, over all its attempts."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.charge import Charge
from penstock_sidecar.limits.desk import Call, Desk
from penstock_sidecar.limits.holds import AS_HELD, End, Hold, Place, Refusal, Standing
from penstock_sidecar.limits.leases import Chunk
from penstock_sidecar.limits.shares import Counted


@dataclass(slots=True)
class CallerHold:
    """Taken once, whichever candidate serves; ended once."""

    desk: Desk
    placed: Callable[[], Place]
    """Works out `place`, which answers from the cache mostly do without."""
    bounds: Sequence[Bound]
    sidecars: int
    admitted: bool = False
    served: bool = False
    used_tokens: int = AS_HELD
    leased: Chunk | None = None
    """It is one of several that were taken ahead: of these."""
    standings: tuple[Standing, ...] = ()
    shared: Sequence[Counted] = ()
    """What was counted in this process."""
    hold: Hold | None = None
    """Wanted, and once admitted: taken, or to be taken when Redis is back."""
    _place: Place | None = None
    _ends: list[End] = field(default_factory=list)
    """Of attempts that served: told together with the end of the request."""
    _settling: set["asyncio.Task[None]"] = field(default_factory=set)

    @property
    def place(self) -> Place:
        if self._place is None:
            self._place = self.placed()
        return self._place

    @property
    def line(self) -> str | None:
        """Where requests wait that a limit refuses; `None` where none lets them."""
        waiting = (self.place.name(b.key) for b in self.bounds if b.queue)
        return next(waiting, None)

    def wanted(self, tokens: int) -> list[Hold]:
        """What is still to be taken. A new id each time: a hold that was given back stays so."""
        if self.admitted or not self.bounds:
            return []
        leases = self.desk.leases
        if leases and (chunk := leases.take(self.place)):
            self._admit(chunk.standings, tokens)
            self.leased = chunk
            return []
        requests = leases.wanted(self.place) if leases else 1
        self.hold = Hold(self.desk.new_id(), self.bounds, tokens, requests=requests)
        return [self.hold]

    def granted(self, standings: tuple[Standing, ...], tokens: int) -> None:
        """Of the hold that `wanted` gave last."""
        if self.hold is None or self.admitted:
            return
        self._admit(standings, tokens)
        if self.desk.leases and self.hold.requests > 1:
            self.leased = self.desk.leases.granted(self.hold, self.place, standings)
            self.hold = None
        else:
            self.desk.renewals.keep(self.place, self.hold)

    def _admit(self, standings: tuple[Standing, ...], tokens: int) -> None:
        self.standings = standings
        self.admitted = True
        self.shared = self.counted()
        self.desk.shares.granted(self.shared, tokens)

    def take_share(self, tokens: int) -> Refusal | None:
        """Redis is away: of what this sidecar may admit by itself."""
        if self.admitted:
            return None
        known = self.desk.memory.books(self.place.group.tag).processes
        counted = self.counted()
        refusal = self.desk.shares.take(counted, tokens, max(self.sidecars, known))
        if refusal is None:
            self._admitted_without(counted)
        return refusal

    def take_freely(self, tokens: int) -> None:
        """Redis is away, and limits do not matter then; they are counted for later."""
        if not self.admitted:
            self.desk.shares.admitted(self.counted(), tokens)
            self._admitted_without(self.counted())

    def _admitted_without(self, counted: Sequence[Counted]) -> None:
        self.admitted, self.shared = True, counted
        if self.hold:
            self.desk.renewals.keep(self.place, self.hold)

    def one_may_fit(self) -> bool:
        """Where more than one was refused; the next asks for no more."""
        ahead = self.hold is not None and self.hold.requests > 1
        if ahead and self.desk.leases:
            self.desk.leases.refused(self.place)
        return ahead

    def refused(self, refusal: Refusal, tokens: int) -> None:
        """By Redis: remembered for when it is late, and for a moment anyway."""
        self.desk.shares.refused(self.counted(), refusal)
        if not refusal.bound.queue:
            self.desk.denials.remember(self.counted(), refusal, tokens)

    def counted(self) -> Sequence[Counted]:
        place = self.place
        return [Counted(place.group, place.name(bound.key), bound) for bound in self.bounds]

    def attempt_ended(self, charge: Charge, *, served: bool) -> None:
        """One that took nothing says nothing of what another used."""
        if charge.requests and charge.tokens != AS_HELD:
            self.used_tokens = max(0, self.used_tokens) + charge.tokens
        self.served = self.served or served

    # Money of attempts: one that served is told with the request, the others at once.

    def settle_at_end(self, end: End) -> None:
        self._ends.append(end)

    def settle_now(self, ends: Sequence[End]) -> None:
        self._settling.add(self.desk.settlements.settle(self.place, ends))

    def give_back(self, holds: Sequence[Hold]) -> None:
        self._settling.add(self.desk.release(Call(self.place, holds)))

    async def settled(self) -> None:
        """Returns when former attempts' money is free again, or is written down to be."""
        if settling := set(self._settling):
            await asyncio.wait(settling)
            self._settling -= settling  # others, beside this one, may have ended meanwhile

    def end(self) -> None:
        """Served: with what was used. Unserved: as if it had never been."""
        if self.hold and self.admitted:
            self.desk.renewals.drop(self.place, self.hold.id)
            served = End(self.hold.id, 1, self.used_tokens)
            self._ends.append(served if self.served else End(self.hold.id))
        if self.leased and not self.served:
            self.leased.give_back()
        if self._ends:
            self.desk.settlements.settle(self.place, self._ends)
        self.desk.shares.free_slots(self.shared)
