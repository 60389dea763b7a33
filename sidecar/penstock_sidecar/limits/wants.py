"""What an attempt asks for, in both groups; and what it holds then."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from penstock_sidecar.limits.allowances import Drawn
from penstock_sidecar.limits.binding import CandidateBounds
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.holds import Grant, Hold, Place, Standing, Sum
from penstock_sidecar.limits.shares import Counted
from penstock_sidecar.metering.estimate import Quote
from penstock_sidecar.values import dataclass


@dataclass(frozen=True, slots=True)
class Wants:
    """Worked out once per attempt. `place` is in the provider's group."""

    id: str
    caller_place: Place
    place: Place
    bounds: CandidateBounds
    quote: Quote | None
    tokens: int

    @property
    def micro_usd(self) -> int:
        """The most that it may cost."""
        return self.quote.most_micro_usd if self.quote else 0

    def money(self) -> Hold | None:
        """Of the namespace's budgets."""
        return self._money(self.bounds.budgets)

    def of_provider(self) -> Hold | None:
        """Rates and provider-wide budgets of one attempt are one hold."""
        bounds = self.bounds
        if money := self.provider_money():
            return replace(money, bounds=bounds.rates + bounds.provider_budgets, tokens=self.tokens)
        return self.rates()

    def provider_money(self) -> Hold | None:
        """Of provider-wide budgets alone."""
        return self._money(self.bounds.provider_budgets)

    def rates(self) -> Hold | None:
        """Of the provider's limits alone."""
        rates = self.bounds.rates
        return Hold(self.id, rates, self.tokens) if rates else None

    def counted(self) -> Sequence[Counted]:
        place = self.place
        return [Counted(place.group, place.name(b.key), b) for b in self.bounds.rates]

    def _money(self, budgets: tuple[Bound, ...]) -> Hold | None:
        quote = self.quote
        if not budgets or not quote or not quote.most_micro_usd:
            return None
        return Hold(self.id, budgets, 0, quote.most_micro_usd, quote.least_micro_usd)


@dataclass(frozen=True, slots=True)
class Side:
    """A hold in one group, and where its money is added up."""

    place: Place
    hold: Hold
    sums: tuple[Sum, ...]


@dataclass(frozen=True, slots=True)
class Late:
    """Money of one group that Redis does not hold: it was away. `drawn` covers it until then."""

    side: Side
    drawn: Drawn | None


@dataclass(frozen=True, slots=True)
class Held:
    """What an attempt has, until it ends."""

    of_caller: Side | None = None
    of_provider: Side | None = None
    counted: Sequence[Counted] = ()
    """In this process."""
    late: Sequence[Late] = ()
    standings: tuple[Standing, ...] = ()
    """Of the provider's limits, and of all budgets."""
    micro_usd: int | None = None
    """What it may cost; `None` where no budget refuses."""

    def to_renew(self) -> Iterator[Side]:
        """What Redis holds, or shall hold when it is back."""
        yield from (side for side in (self.of_caller, self.of_provider) if side)
        yield from (late.side for late in self.late if late.drawn is None)


def side(place: Place, hold: Hold, grant: Grant) -> Side:
    """With what was granted of the money: all sums of a grant are of one hold's."""
    held = replace(hold, want_micro_usd=grant.money[-1]) if grant.sums else hold
    return Side(place, held, grant.sums)
