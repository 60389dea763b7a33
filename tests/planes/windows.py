"""How many admissions a window held, by recorded times in microseconds."""

from bisect import bisect_right
from collections.abc import Sequence


def cycle_us(window_seconds: float) -> int:
    """A full window admits again when its oldest bucket and the partial one have passed."""
    return round(window_seconds * 1_000_000 * 61 / 60)


def most_in_a_window(times: Sequence[int], window_seconds: float) -> int:
    """Over every window that begins with an admission: no other can hold more."""
    length = round(window_seconds * 1_000_000)
    return max(bisect_right(times, start + length) - i for i, start in enumerate(times))


def mean_per_window(times: Sequence[int], limit: int, window_seconds: float, cycles: int) -> float:
    """From the first admission after the window first filled to the one `cycles` limits later:
    as many admissions as time, with no burst too many at either end."""
    taken_us = times[(1 + cycles) * limit] - times[limit]
    return cycles * limit * window_seconds * 1_000_000 / taken_us
