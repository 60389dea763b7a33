"""What outcomes have taught of each model at each task: decaying sums, which sidecars add up.

A bad sign multiplies a model's weight by a factor (0.8); good answers and time win it back. That is
kept as a sum of signs, because sums of several sidecars can be added where factors cannot.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from penstock_config.classification import Task
from penstock_sidecar.clock import Clock

MAX_CELLS: Final = 8192
"""A thousand models at eight tasks; beyond it the one that was first learnt of is forgotten."""
FADE_SECONDS: Final = 0.1
"""Fading is worked out no more often."""
Kind = Literal[
    "good",
    "bad",
    "hallucination",
    "incomplete",
    "refusal",
    "too_short",
    "wrong_format",
    "unsafe",
]
"""What people and programs say of an answer."""
SIGNS: Final[Mapping[Kind, float]] = {
    "good": -1.0,
    "bad": 1.0,
    "hallucination": 2.0,
    "incomplete": 1.0,
    "refusal": 1.0,
    "too_short": 1.0,
    "wrong_format": 1.0,
    "unsafe": 2.0,
}
Name = tuple[str, Task]
"""A candidate's label, and a task."""


@dataclass(frozen=True, slots=True)
class Learning:
    """How fast is learnt and forgotten."""

    factor: float = 0.8
    """What a bad sign leaves of a weight."""
    recovery: float = 0.2
    """Of a sign, what a good answer takes back: one bad answer of six is forgiven at once."""
    max_signs: float = 10.0
    """Of a weight at least a tenth stays: who was bad can be good again."""
    half_life_seconds: float = 600.0
    length_ratio: float = 0.5
    """An answer shorter than this share of its question is bad, if it was also slow."""
    slow_seconds: float = 2.0
    exploration: float = 0.05
    """Share of requests that go to somebody else than the best."""


@dataclass(slots=True)
class Tally:
    """Sums that halve with time. `signs` may be negative in what is still to be added."""

    asked: float = 0.0
    served: float = 0.0
    signs: float = 0.0
    waits: float = 0.0
    """So many waits for first content are in `wait_ms`."""
    wait_ms: float = 0.0

    def add(self, other: "Tally") -> None:
        self.asked += other.asked
        self.served += other.served
        self.signs += other.signs
        self.waits += other.waits
        self.wait_ms += other.wait_ms

    def fade(self, share: float) -> None:
        self.asked *= share
        self.served *= share
        self.signs *= share
        self.waits *= share
        self.wait_ms *= share


NOTHING: Final = Tally()


@dataclass(slots=True)
class _Cell:
    at: float
    known: Tally = field(default_factory=Tally)
    untold: Tally = field(default_factory=Tally)
    """Of `known`, what others have not been told."""
    has_news: bool = False


def _nothing() -> None:
    pass


class Scores:
    """Of one process, over all its configurations."""

    def __init__(
        self, clock: Clock, learning: Learning | None = None, max_cells: int = MAX_CELLS
    ) -> None:
        self.learning = learning or Learning()
        self.on_news: Callable[[], None] = _nothing
        """Called when somebody should be told soon."""
        self._clock = clock
        self._max_cells = max_cells
        self._cells: dict[Name, _Cell] = {}

    def learn(self, label: str, task: Task, lesson: Tally) -> None:
        """Adds an outcome."""
        cell = self._cell((label, task))
        cell.known.add(lesson)
        cell.untold.add(lesson)
        self._bound(cell.known)
        cell.has_news = True
        self.on_news()

    def feedback(self, candidate_label: str, task: Task, kind: Kind, strength: float = 1.0) -> None:
        """What somebody said of an answer to a request of that task; `strength` from 0 to 1."""
        self.learn(candidate_label, task, Tally(signs=strength * SIGNS[kind]))

    def weight(self, label: str, task: Task) -> float:
        """What bad signs have left of a model's standing: 1 at best."""
        return float(self.learning.factor ** self.tally(label, task).signs)

    def tally(self, label: str, task: Task) -> Tally:
        """As of now; not to be changed."""
        return self.tallies((label,), task)[0]

    def tallies(self, labels: Iterable[str], task: Task) -> list[Tally]:
        """The same for many of one moment."""
        cells, now = [self._cells.get((label, task)) for label in labels], self._clock.monotonic()
        for cell in cells:
            if cell is not None and now - cell.at >= FADE_SECONDS:
                self._fade(cell)
        return [NOTHING if cell is None else cell.known for cell in cells]

    def weights(self) -> Mapping[Name, float]:
        """Of all that is known, for metrics."""
        return {name: self.weight(*name) for name in self._cells}

    def untold(self, labels: Collection[str]) -> Mapping[Name, Tally]:
        """What others are to be told of these. From now on it counts as told; news of others wait
        for whoever tells those."""
        news = {}
        for name, cell in self._cells.items():
            if cell.has_news and name[0] in labels:
                self._fade(cell)
                news[name] = cell.untold
                cell.untold, cell.has_news = Tally(), False
        return news

    def heard(self, name: Name, tally: Tally) -> None:
        """What all together know, ours included but for what is untold."""
        cell = self._cell(name)
        cell.known = tally
        cell.known.add(cell.untold)
        self._bound(cell.known)

    def _cell(self, name: Name) -> _Cell:
        cell = self._cells.get(name)
        if cell is None:
            if len(self._cells) >= self._max_cells:
                del self._cells[next(iter(self._cells))]
            cell = self._cells[name] = _Cell(self._clock.monotonic())
        else:
            self._fade(cell)
        return cell

    def _fade(self, cell: _Cell) -> None:
        now = self._clock.monotonic()
        if now - cell.at >= FADE_SECONDS:
            share = 0.5 ** ((now - cell.at) / self.learning.half_life_seconds)
            cell.known.fade(share)
            cell.untold.fade(share)
            cell.at = now

    def _bound(self, tally: Tally) -> None:
        tally.signs = min(max(tally.signs, 0.0), self.learning.max_signs)
