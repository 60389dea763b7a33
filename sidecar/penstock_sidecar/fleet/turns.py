"""Whose turn it is where more models are served than memory holds at once: pure.

    a model in memory answers; when it closes, those alone who came before
          ^                                   |
          |                                   v
    the model with the most to gain <--- models with less to lose close, finish, leave

So requests of a model gather while it is out of memory, and one load answers all of them. What a
model has to gain grows with those who wait for it and with the share of their time-outs that is
gone, and is reckoned by the second that the change takes. When half of a request's time is gone
nobody's loss counts against it any more.

`penstock simulate-gpus` decides by this too. Sizes are in whatever unit the caller has.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

NEWCOMER: Final = 0.2
"""What a request is worth that has just come; one whose time is over is worth 1 more."""
LOSS: Final = 1.6
"""What a request is worth of a model that would have to leave: more than any that waits, so that a
model mostly answers all before it goes. From trying 1 to 30 times `NEWCOMER` on the laptop of
`examples/simulation/gpu-laptop.yaml`."""
OVERDUE_SHARE: Final = 0.5
"""Of its time-out: from there on a request's model competes by its gain alone, whatever those lose
who leave for it. Before all others it never comes: on the laptop that made a tenth of all requests
late that are not now, since loads for one cost others theirs."""
LOAD_PERCENT: Final = 80
"""Of what is free on a GPU, what Ollama lets a model need that it loads there as a whole."""

Fits = Callable[[int, int], bool]
"""Whether a model of that size would be loaded as a whole beside so much."""


class Memory(NamedTuple):
    """Of one replica. `headroom` is left free beside what is loaded."""

    size: int
    headroom: int
    one_at_a_time: bool = False

    def fits(self, size: int, used: int) -> bool:
        if used and self.one_at_a_time:
            return False
        within = size * 100 <= LOAD_PERCENT * (self.size - used)
        return within and used + size + self.headroom <= self.size


class Resident(NamedTuple):
    """A model in memory."""

    name: str
    size: int
    load_seconds: float
    """To have it back."""
    asked: int
    """Requests that it answers, and that wait for it."""
    last_used: float


class Asked(NamedTuple):
    """A request that waits."""

    waited_seconds: float
    timeout_seconds: float


class Outside(NamedTuple):
    """A model out of memory for which somebody waits."""

    name: str
    size: int
    load_seconds: float
    requests: Iterable[Asked]
    """Those that wait, in any order. Looked at once."""
    least_seconds: float = 0.0
    """What a load is sure to take: who has less time left is worth nothing."""


def next_turn(outside: Iterable[Outside], residents: Sequence[Resident], fits: Fits) -> str | None:
    """The model to be loaded next; `None`: what is in memory goes on."""
    best, most = None, 0.0
    order = least_asked_first(residents)
    for each in outside:
        going = _first_that_leave(each.size, order, fits)
        gain, share = _gain(each)
        loss = 0.0 if share >= OVERDUE_SHARE else LOSS * sum(one.asked for one in going)
        seconds = each.load_seconds + sum(one.load_seconds for one in going)
        if gain > loss and gain / max(seconds, SOON_SECONDS) > most:
            best, most = each.name, gain / max(seconds, SOON_SECONDS)
    return best


SOON_SECONDS: Final = 1e-3
"""In place of loads that take no time."""


def leaving(size: int, residents: Iterable[Resident], fits: Fits) -> list[str]:
    """As many of them as must leave for a model of that size, those first who lose least."""
    return [each.name for each in _first_that_leave(size, least_asked_first(residents), fits)]


def least_asked_first(residents: Iterable[Resident]) -> list[Resident]:
    """Of those that are asked for alike, the longest unused first."""
    return sorted(residents, key=lambda each: (each.asked, each.last_used))


def is_done(in_flight: int, first_came: float | None, closed_at: float) -> bool:
    """Whether a model that closed then has answered all who came before."""
    return not in_flight and (first_came is None or first_came > closed_at)


def _first_that_leave(size: int, order: Sequence[Resident], fits: Fits) -> Sequence[Resident]:
    used = sum(each.size for each in order)
    for number, each in enumerate(order):
        if fits(size, used):
            return order[:number]
        used -= each.size
    return order


def _gain(model: Outside) -> tuple[float, float]:
    """And the largest share of its time that one of them has waited."""
    gain = most = 0.0
    for waited, timeout in model.requests:
        if waited + model.least_seconds < timeout:
            share = waited / timeout
            gain += NEWCOMER + share
            most = max(most, share)
    return gain, most
