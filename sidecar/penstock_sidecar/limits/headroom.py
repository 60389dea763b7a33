"""What was used of limits and budgets that many share: as Redis last said, and counted on here.

Nothing is asked for it: every acquire and every refusal tells. What was said grows old: a window
empties until its reset, a day or a budget's period at once, a slot's use is old after a second.
Who looks emptier than he is will be asked, and tells.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.clock import Clock
from penstock_sidecar.limits.bounds import STATE_KEY, Bound
from penstock_sidecar.limits.holds import Hold, Place, Standing
from penstock_sidecar.limits.shares import Counted

MAX_REMEMBERED: Final = 10_000
DAY_SECONDS: Final = 86_400.0
SLOT_SECONDS: Final = 1.0
FOREVER: Final = float("inf")

Mark = tuple[str, str]
"""A key in Redis, and a field of it: one counter."""


@dataclass(slots=True)
class Count:
    """Of one counter."""

    used: float
    at: float
    resets_at: float
    own_slots: int = 0
    """Held by this process."""


class Headroom:
    """Made once per process. Counters of single users are not remembered."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: OrderedDict[Mark, Count] = OrderedDict()

    def counter(self, mark: Mark) -> Count:
        """The same one for as long as it is remembered; nothing is used where nobody ever said."""
        return self._count(mark, self._clock.monotonic())

    def used(self, count: Count, bound: Bound, now: float) -> float:
        """`now` is of this process's clock."""
        return self._now_used(count, bound, now) if count.used else 0.0

    def is_full(self, count: Count, bound: Bound, tokens: int) -> bool:
        """Whether so many tokens, or one more request, are surely too much."""
        used = self._now_used(count, bound, self._clock.monotonic())
        return used + bound.cost(tokens, 0) > bound.amount

    def heard(self, place: Place, standings: Sequence[Standing], *, rates: bool) -> None:
        """After an acquire, whether it was granted or refused. `rates` are a provider's: those of
        callers are nobody else's."""
        now = self._clock.monotonic()
        for standing in standings:
            bound = standing.bound
            if not (bound.key == STATE_KEY if bound.what == "money" else rates):
                continue
            count = self._count((place.name(bound.key), bound.field), now)
            seconds = standing.reset_seconds
            count.used, count.at = standing.limit - standing.remaining, now
            count.resets_at = FOREVER if seconds is None else now + seconds

    def took(self, counted: Sequence[Counted], tokens: int) -> None:
        """What is being asked for counts already, before the answer."""
        self._add(counted, tokens, 1)

    def gave_back(self, counted: Sequence[Counted], tokens: int) -> None:
        """It was not granted, and nobody told how much there is."""
        self._add(counted, tokens, -1)

    def let_go(self, counted: Sequence[Counted]) -> None:
        """It was refused: no slot is held, whatever was heard of all."""
        for each in counted:
            count = self._counts.get((each.key, each.bound.field))
            if count and each.bound.what == "slots":
                count.own_slots = max(0, count.own_slots - 1)

    def ended(self, counted: Sequence[Counted], held_tokens: int, used_tokens: int) -> None:
        """An attempt has ended: slots come free, and tokens that it did not use."""
        now = self._clock.monotonic()
        for each in counted:
            bound = each.bound
            if bound.what == "slots":
                self._change(each, -1, now)
            elif bound.what == "tokens" and used_tokens >= 0:
                self._change(each, bound.cost(used_tokens, 0) - bound.cost(held_tokens, 0), now)

    def spent(self, place: Place, hold: Hold, micro_usd: int) -> None:
        """A hold's money has ended: what it did not spend is there again."""
        now = self._clock.monotonic()
        for bound in hold.bounds:
            if bound.what == "money" and bound.key == STATE_KEY:
                counted = Counted(place.group, place.name(bound.key), bound)
                self._change(counted, micro_usd - hold.want_micro_usd, now)

    def _add(self, counted: Sequence[Counted], tokens: int, sign: int) -> None:
        now = self._clock.monotonic()
        for each in counted:
            self._change(each, sign * each.bound.cost(tokens, 0), now)

    def _change(self, counted: Counted, amount: int, now: float) -> None:
        bound = counted.bound
        count = self._count((counted.key, bound.field), now)
        count.used = max(0.0, self._now_used(count, bound, now) + amount)
        count.at = now
        if bound.what == "slots":
            count.own_slots = max(0, count.own_slots + amount)
        if count.resets_at <= now:
            count.resets_at = now + _life_seconds(bound, self._clock.utc())

    def _now_used(self, count: Count, bound: Bound, now: float) -> float:
        if bound.what == "slots":
            return count.own_slots if now >= count.resets_at else count.used
        if now >= count.resets_at:
            return 0.0
        if not bound.window_seconds:
            return count.used
        return count.used * (count.resets_at - now) / (count.resets_at - count.at)

    def _count(self, mark: Mark, now: float) -> Count:
        count = self._counts.get(mark)
        if count is None:
            count = self._counts[mark] = Count(0.0, now, now)
            if len(self._counts) > MAX_REMEMBERED:
                self._counts.popitem(last=False)
        return count


def _life_seconds(bound: Bound, utc: float) -> float:
    """Until what is counted now is forgotten, where Redis did not say."""
    if bound.what == "slots":
        return SLOT_SECONDS
    if bound.what == "money" and bound.per != "daily":
        return FOREVER
    return bound.window_seconds or DAY_SECONDS - utc % DAY_SECONDS
