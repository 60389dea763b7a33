"""What a request holds in its namespace's books, over all its attempts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.charge import Charge
from penstock_sidecar.limits.desk import Call, Desk
from penstock_sidecar.limits.ledger import AS_HELD, End, Hold, Place, Refusal, Standing
from penstock_sidecar.limits.shares import Counted


@dataclass(slots=True)
class CallerHold:
    """Taken once, whichever candidate serves; ended once."""

    desk: Desk
    place: Place
    bounds: Sequence[Bound]
    sidecars: int
    id: str = ""
    held: bool = False
    """In Redis."""
    admitted: bool = False
    served: bool = False
    used_tokens: int = AS_HELD
    standings: tuple[Standing, ...] = ()
    shared: Sequence[Counted] = ()
    """What was taken of this sidecar's share."""
    _ends: list[End] = field(default_factory=list)
    """Of attempts that served: told together with the end of the request."""
    _settling: set["asyncio.Task[None]"] = field(default_factory=set)

    def wanted(self, tokens: int) -> list[Hold]:
        """What is still to be taken. A new id each time: a hold that was given back stays so."""
        if self.admitted or not self.bounds:
            return []
        self.id = self.desk.new_id()
        return [Hold(self.id, self.bounds, tokens)]

    def granted(self, standings: tuple[Standing, ...], tokens: int) -> None:
        """Of the hold that `wanted` gave last."""
        if self.bounds and not self.admitted:
            self.standings = standings
            self.held = self.admitted = True
            self.shared = self._counted()
            self.desk.shares.granted(self.shared, tokens)
            self.desk.renewals.keep(self.place, self.id)

    def take_share(self, tokens: int) -> Refusal | None:
        """Redis is away: of what this sidecar may admit by itself."""
        if self.admitted:
            return None
        wanted = self._counted()
        refusal = self.desk.shares.take(wanted, tokens, self.sidecars)
        if refusal is None:
            self.admitted, self.shared = True, wanted
        return refusal

    def refused(self, refusal: Refusal) -> None:
        """By Redis: remembered for when it is late."""
        self.desk.shares.refused(self._counted(), refusal)

    def _counted(self) -> Sequence[Counted]:
        first = len(self.place.group.keys) + 1
        return [(self.place.keys[bound.key - first], bound) for bound in self.bounds]

    def attempt_ended(self, charge: Charge, *, served: bool) -> None:
        if charge.tokens != AS_HELD:
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
        if self._settling:
            await asyncio.wait(self._settling)
            self._settling.clear()

    def end(self) -> None:
        """Served: with what was used. Unserved: as if it had never been."""
        if self.held:
            self.desk.renewals.drop(self.place, self.id)
            end = End(self.id, 1, self.used_tokens, 0) if self.served else End(self.id, 0, 0, 0)
            self._ends.append(end)
        if self._ends:
            self.desk.settlements.settle(self.place, self._ends)
        self.desk.shares.free_slots(self.shared)
