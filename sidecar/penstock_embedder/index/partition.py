"""The vectors of one partition, in slabs that never move while somebody searches them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from penstock_embedder.index.sketch import axes_of, sketch_of
from penstock_embedder.index.vector import Rows, Vector

FIRST_ROWS: Final = 64
MAX_ROWS: Final = 8192
"""Of a slab: 12 MiB at 384 dimensions."""
NAME_BYTES: Final = 400
"""What a name costs in lists and dictionaries, about (measured: 380 at 129 characters)."""


@dataclass(slots=True)
class Slab:
    """Rows are written once. One is gone when its expiry is 0."""

    rows: Rows
    """(capacity, d)."""
    expires: NDArray[np.int64]
    """(capacity,): milliseconds of the Unix epoch."""
    names: list[str]
    gone: int = 0
    sketch: Rows | None = None
    """Once it is full, and if the partition is large."""

    @classmethod
    def of(cls, capacity: int, dimension: int) -> "Slab":
        rows = np.empty((capacity, dimension), np.float32)
        return cls(rows, np.zeros(capacity, np.int64), [])

    @property
    def used(self) -> int:
        return len(self.names)

    @property
    def full(self) -> bool:
        return self.used == len(self.rows)

    @property
    def bytes(self) -> int:
        sketch = 0 if self.sketch is None else self.sketch.nbytes
        return self.rows.nbytes + self.expires.nbytes + sketch

    @property
    def wasted(self) -> bool:
        """More than half of it is gone."""
        return self.full and 2 * self.gone > self.used


@dataclass(frozen=True, slots=True)
class Span:
    """A slab's rows at one moment. What is appended later is not seen, what goes is."""

    rows: Rows
    expires: NDArray[np.int64]
    names: list[str]
    sketch: Rows | None = None
    axes: Rows | None = None
    """Those that the sketch was made with."""


View = tuple[Span, ...]


class Partition:
    """Changed on the loop alone; a `view` may be searched by other threads meanwhile."""

    def __init__(self, dimension: int, sketch_entries: int) -> None:
        self._dimension: Final = dimension
        self._sketch_entries: Final = sketch_entries
        self._axes: Rows | None = None
        self._slabs: list[Slab] = []
        self._places: dict[str, tuple[Slab, int]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, name: object) -> bool:
        return name in self._places

    @property
    def bytes(self) -> int:
        """Held in memory, about."""
        return sum(slab.bytes for slab in self._slabs) + NAME_BYTES * len(self._places)

    @property
    def rows(self) -> int:
        """Searched each time, those that are gone with them."""
        return sum(slab.used for slab in self._slabs)

    def put(self, name: str, vector: Vector, expires_at_ms: int) -> None:
        """In place of what was kept under that name."""
        self.remove(name)
        slab = self._open_slab()
        row = slab.used
        slab.rows[row] = vector
        slab.expires[row] = expires_at_ms
        slab.names.append(name)
        self._places[name] = slab, row

    def remove(self, name: str) -> bool:
        """Whether it was there."""
        place = self._places.pop(name, None)
        if place is None:
            return False
        slab, row = place
        slab.expires[row] = 0
        slab.gone += 1
        if slab.wasted:
            self._compact(slab)
        return True

    def clear(self) -> None:
        self._slabs = []
        self._places.clear()

    def sweep(self, now_ms: int) -> list[str]:
        """Removes what has expired, and names it."""
        old = [
            slab.names[row]
            for slab in self._slabs
            for row in np.flatnonzero(_in(slab.expires[: slab.used], now_ms))
        ]
        for name in old:
            self.remove(name)
        return old

    def view(self) -> View:
        return tuple(
            Span(
                slab.rows[: slab.used],
                slab.expires[: slab.used],
                slab.names,
                slab.sketch,
                self._axes,
            )
            for slab in self._slabs
        )

    @property
    def wants_sketches(self) -> bool:
        """It is large, and some of it is searched without."""
        return self.rows >= self._sketch_entries and any(self._unsketched())

    def sketch(self) -> None:
        """Makes those that are wanting. For another thread than the loop's: full slabs do not
        change, and until a sketch is there a search does without."""
        slabs = list(self._unsketched())
        if self._axes is None and slabs:
            self._axes = axes_of(slabs[0].rows)
        for slab in slabs:
            assert self._axes is not None  # noqa: S101  # set above, and never taken back
            slab.sketch = sketch_of(slab.rows, self._axes)

    def _unsketched(self) -> Iterable[Slab]:
        return (slab for slab in self._slabs if slab.full and slab.sketch is None)

    def _open_slab(self) -> Slab:
        """Slabs double up to a bound, so that nothing kept is copied when there is more."""
        if not self._slabs or self._slabs[-1].full:
            capacity = min(max(FIRST_ROWS, self.rows), MAX_ROWS)
            self._slabs.append(Slab.of(capacity, self._dimension))
        return self._slabs[-1]

    def _compact(self, slab: Slab) -> None:
        """Leaves what is gone behind. Who searches the slab still has it."""
        index = self._slabs.index(slab)
        kept = np.flatnonzero(slab.expires[: slab.used])
        if not len(kept):
            del self._slabs[index]
            return
        names = [slab.names[row] for row in kept]
        sketch = None if slab.sketch is None else slab.sketch[kept]
        made = Slab(slab.rows[kept], slab.expires[kept], names, sketch=sketch)
        self._slabs[index] = made
        self._places.update(_placed(made))


def _in(expires: NDArray[np.int64], now_ms: int) -> NDArray[np.bool_]:
    return (expires > 0) & (expires <= now_ms)


def _placed(slab: Slab) -> Iterable[tuple[str, tuple[Slab, int]]]:
    return ((name, (slab, row)) for row, name in enumerate(slab.names))
