"""What Redis refused a moment ago is refused again without asking: a flood costs it nothing.

At most a tenth of a second, and never longer than Redis said, because a refund may make room
before that. Slots and turns come free at any moment, and are always asked for.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.holds import Refusal
from penstock_sidecar.limits.shares import Counted

REMEMBERED_SECONDS: Final = 0.1
MAX_REMEMBERED: Final = 10_000
_WHENEVER: Final = 0.0
"""Rates have no boosts."""

Name = tuple[str, str, int, int]
"""Key, field, what there is for requests of this priority (an edited limit is another), and what
was asked for."""


class Denials:
    """By whose limit it is; the oldest give way when there are too many."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._refused: OrderedDict[Name, tuple[float, float, Refusal]] = OrderedDict()

    def remember(self, counted: Sequence[Counted], refusal: Refusal, tokens: int) -> None:
        wait = refusal.wait_seconds
        if (
            wait is None
            or refusal.others_turn
            or refusal.relearning
            or refusal.bound.what == "slots"
        ):
            return
        for each in counted:
            if each.bound is refusal.bound:
                now = self._clock.monotonic()
                until = now + min(wait, REMEMBERED_SECONDS)
                name = _name(each, tokens, refusal.standing.limit)
                self._refused[name] = (until, now + wait, refusal)
        if len(self._refused) > MAX_REMEMBERED:
            self._refused.popitem(last=False)

    def recall(self, counted: Sequence[Counted], tokens: int, *, high: bool) -> Refusal | None:
        """The refusal that still holds, with what is left of its wait. `high` is the priority."""
        if not self._refused:
            return None
        now = self._clock.monotonic()
        for each in counted:
            name = _name(each, tokens, each.bound.limit(_WHENEVER, high=high))
            found = self._refused.get(name)
            if found is None:
                continue
            until, admitted_at, refusal = found
            if now < until:
                return replace(refusal, wait_seconds=admitted_at - now)
            del self._refused[name]
        return None


def _name(counted: Counted, tokens: int, limit: int) -> Name:
    bound = counted.bound
    return counted.key, bound.field, limit, bound.cost(tokens, 0)
