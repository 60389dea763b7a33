"""What routing may know of limits: how much each candidate has left, as last heard."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from penstock_config.layout import Group
from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.binding import CandidateBounds
from penstock_sidecar.limits.bounds import STATE_KEY, Bound
from penstock_sidecar.limits.headroom import Count, Headroom, Mark
from penstock_sidecar.limits.holds import Place
from penstock_sidecar.metering.cost import cost_pico_usd, micro_usd
from penstock_sidecar.metering.estimate import MIN_OUTPUT_TOKENS, OUTPUT_TOKENS, output_cap
from penstock_sidecar.model import Candidate, Request, Usage

ANY_TOKENS: Final = 1 << 62
"""More than any limit."""
TOLD_SECONDS: Final = 60.0
"""So long a provider's own word counts, less and less."""


@dataclass(frozen=True, slots=True)
class Marks:
    """A candidate's bounds, with what is known of each."""

    rates: tuple[tuple[Count, Bound, int, int], ...]
    """With what may be used before it is worth a look, since decay only makes room; and with how
    many tokens one request may take, 0 where it is one of whatever else is counted."""
    budgets: tuple[tuple[Count, Bound], ...]
    """Those that refuse, and that all users share."""
    bounds: CandidateBounds


@dataclass(frozen=True, slots=True)
class LimitRoom:
    """Of one configuration; what was heard outlives it."""

    bounds_of: Callable[[Candidate], CandidateBounds]
    own: Group
    """Where the namespace's budgets are counted."""
    headroom: Headroom
    clock: Clock
    _marks: dict[tuple[str, str], Marks] = field(default_factory=dict)
    """By label and tier."""
    _told: dict[str, tuple[float, float]] = field(default_factory=dict)
    """By label: the share that is left, and when that was said."""
    _refused: dict[str, float] = field(default_factory=dict)
    """By label: until when."""

    def share_left(self, candidate: Candidate, tokens: int | None = None) -> float:
        """Of the tightest limit of its provider and model, 0 to 1; 1 where there is none. With
        `tokens`: after one more request of that size."""
        used, now = self.headroom.used, self.clock.monotonic()
        share = 1.0
        for count, bound, _, most in self._of(candidate).rates:
            gone = used(count, bound, now) if count.used else 0.0
            if tokens is not None:
                gone += min(tokens, most) if most else 1
            left = 1 - gone / bound.amount
            if left < share:  # noqa: PLR1730  # a call of `min` takes twice as long
                share = left
        if self._told and (told := self._told.get(candidate.label)):
            share = min(share, self._recovered(*told))
        return share if share > 0 and not self._refuses(candidate) else 0.0

    def lacking(
        self, candidate: Candidate, request: Request, input_tokens: int
    ) -> Literal["headroom", "budget"] | None:
        """What would surely refuse a request of this size."""
        marks = self._of(candidate)
        if marks.budgets and self._unaffordable(marks, request, input_tokens):
            return "budget"
        if self._refuses(candidate):
            return "headroom"
        return "headroom" if marks.rates and self._full(marks, request, input_tokens) else None

    def told(self, candidate: Candidate, share_left: float) -> None:
        """By the provider itself, in the headers of an answer."""
        self._told[candidate.label] = share_left, self.clock.monotonic()

    def refused(self, candidate: Candidate, seconds: float) -> None:
        """By the provider itself, for so long."""
        self._refused[candidate.label] = self.clock.monotonic() + seconds

    def _recovered(self, share_left: float, at: float) -> float:
        """What was said grows old as a minute's limit does; who looks emptier will be asked."""
        past = min(1.0, (self.clock.monotonic() - at) / TOLD_SECONDS)
        return share_left + (1 - share_left) * past

    def _refuses(self, candidate: Candidate) -> bool:
        until = self._refused.get(candidate.label) if self._refused else None
        return until is not None and self.clock.monotonic() < until

    def _full(self, marks: Marks, request: Request, input_tokens: int) -> bool:
        cap = output_cap(request, marks.bounds.model)
        tokens = input_tokens + request.choices * (OUTPUT_TOKENS if cap is None else cap)
        is_full = self.headroom.is_full
        for count, bound, plenty, _ in marks.rates:  # a generator takes twice as long
            if count.used + tokens >= plenty and is_full(count, bound, tokens):
                return True
        return False

    def _unaffordable(self, marks: Marks, request: Request, input_tokens: int) -> bool:
        price = marks.bounds.price
        if price is None:
            return True
        cap = output_cap(request, marks.bounds.model)
        output = min(MIN_OUTPUT_TOKENS, OUTPUT_TOKENS if cap is None else cap) * request.choices
        least = micro_usd(cost_pico_usd(Usage(input_tokens, output), price, request.images))
        utc, now = self.clock.utc(), self.clock.monotonic()
        used = self.headroom.used
        return bool(least) and any(
            used(count, bound, now) + least > bound.limit(utc) for count, bound in marks.budgets
        )

    def _of(self, candidate: Candidate) -> Marks:
        name = candidate.label, candidate.tier_id
        try:
            return self._marks[name]
        except KeyError:
            found = self._marks[name] = self._marked(self.bounds_of(candidate))
            return found

    def _marked(self, bounds: CandidateBounds) -> Marks:
        provider, counter = bounds.bare, self.headroom.counter
        own = Place(self.own)
        return Marks(
            tuple(
                (counter(_mark(provider, bound)), bound, _plenty(bound), _most_tokens(bound))
                for bound in bounds.rates
            ),
            tuple(
                (counter(_mark(place, bound)), bound)
                for place, budgets in ((own, bounds.budgets), (provider, bounds.provider_budgets))
                for bound in budgets
                if bound.enforced and bound.key == STATE_KEY
            ),
            bounds,
        )


def _mark(place: Place, bound: Bound) -> Mark:
    return place.name(bound.key), bound.field


def _most_tokens(bound: Bound) -> int:
    return bound.cost(ANY_TOKENS, 0) if bound.what == "tokens" else 0


def _plenty(bound: Bound) -> int:
    """Slots may be held by us, and not heard of."""
    return 0 if bound.what == "slots" else bound.amount
