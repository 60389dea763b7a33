"""How sure a share is: the interval of Clopper and Pearson (1934), from binomial tails alone."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, lgamma, log, log1p
from typing import Final

TAIL: Final = 0.025
"""On either side, of a 95 % interval."""
STEPS: Final = 60
"""Of a bisection: as exact as a float is."""


@dataclass(frozen=True, slots=True)
class Share:
    """`part` of `whole`."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """0 of nothing is 0."""
        return self.part / self.whole if self.whole else 0.0

    @property
    def least(self) -> float:
        """The lower end of the interval."""
        if self.part == 0:
            return 0.0
        return _where(lambda rate: 1 - at_most(self.part - 1, self.whole, rate) > TAIL)

    @property
    def most(self) -> float:
        """The upper end."""
        if self.part == self.whole:
            return 1.0
        return _where(lambda rate: at_most(self.part, self.whole, rate) < TAIL)

    def __str__(self) -> str:
        ends = f"{self.least * 100:.2f} to {self.most * 100:.2f}"
        return f"{self.part:6} of {self.whole:6} {self.value * 100:7.2f} % ({ends})"


def at_most(successes: int, tries: int, rate: float) -> float:
    """The chance of so many or fewer."""
    if rate <= 0 or successes >= tries:
        return 1.0
    if rate >= 1:
        return 0.0
    logs = [_log_chance(k, tries, rate) for k in range(successes + 1)]
    greatest = max(logs, default=-inf)
    return min(1.0, exp(greatest) * sum(exp(each - greatest) for each in logs))


def _log_chance(successes: int, tries: int, rate: float) -> float:
    ways = lgamma(tries + 1) - lgamma(successes + 1) - lgamma(tries - successes + 1)
    return ways + successes * log(rate) + (tries - successes) * log1p(-rate)


def _where(holds: Callable[[float], bool]) -> float:
    """The rate from which on it holds."""
    low, high = 0.0, 1.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
