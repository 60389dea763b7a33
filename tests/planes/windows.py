"""How many admissions a window held, by recorded times in microseconds."""

from bisect import bisect_right
from collections.abc import Sequence

from tests.planes.monitor import Moment


def cycle_us(window_seconds: float) -> int:
    """A full window admits again when its oldest bucket and the partial one have passed."""
    return round(window_seconds * 1_000_000 * 61 / 60)


def most_in_a_window(moments: Sequence[Moment], window_seconds: float) -> int:
    """That surely were in one, over every window that begins with an admission: no other can hold
    more."""
    length = round(window_seconds * 1_000_000)
    latest = [moment.latest_us for moment in moments]
    starts = enumerate(moment.earliest_us for moment in moments)
    return max(bisect_right(latest, start + length) - i for i, start in starts)


def mean_per_window(
    moments: Sequence[Moment], limit: int, window_seconds: float, cycles: int
) -> float:
    """From the first admission after the window first filled to the one `cycles` limits later:
    as many admissions as time, with no burst too many at either end."""
    taken_us = moments[(1 + cycles) * limit].earliest_us - moments[limit].earliest_us
    return cycles * limit * window_seconds * 1_000_000 / taken_us
