"""What a run measured: kept while tests go on, printed in the end."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figure:
    """`bound` is what was promised; the test that measured has judged by it."""

    what: str
    value: float
    unit: str
    bound: float

    def __str__(self) -> str:
        return f"{self.what:<72} {self.value:8.1f} {self.unit:<3} (at most {self.bound:g})"


@dataclass(slots=True)
class Figures:
    measured: list[Figure] = field(default_factory=list)

    def within(self, what: str, value: float, bound: float, unit: str = "s") -> None:
        """Notes the figure, then judges it."""
        figure = Figure(what, value, unit, bound)
        self.measured.append(figure)
        assert value <= bound, str(figure)

    def lines(self) -> Iterator[str]:
        yield from map(str, self.measured)
