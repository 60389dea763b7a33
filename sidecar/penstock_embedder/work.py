"""One batch in a worker's thread: read, refuse what does not fit, embed group by group."""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from time import monotonic, perf_counter
from typing import Final, Protocol

from penstock_config.embedder import RefusalCode
from penstock_embedder.encoding.encoder import Encoder, Reading
from penstock_embedder.errors import Refused, too_late
from penstock_embedder.index.vector import Vector, as_kept

GROUP_TOKENS: Final = 256
"""Padded tokens that run at once: beyond it a text costs no less, and all of them wait longer
(measured: 2.7 ms a text at 8 or 16 of 12 tokens, 3.7 at 32)."""
SHARE: Final = 0.5
"""Of the time left that a group may take."""
MEMORY: Final = 0.9
"""How much of the former estimate of a token's time is kept."""
MOST: Final = 4.0
"""Times the former estimate a new measurement counts for: a process that is stopped for a while
learns nothing of texts by it."""
PATIENCE: Final = 20
"""Batches of which nothing was begun, after which the estimate is forgotten: by what is not begun
nothing is learned, and one that is wrong would stay."""


class BatchObserver(Protocol):
    """Hears what was embedded."""

    def embedded(self, texts: int, seconds: float) -> None:
        """One group."""
        ...


@dataclass(order=True, slots=True)
class Job:
    """One text. Ordered by its deadline (monotonic time), then by arrival."""

    deadline: float
    number: int
    text: str = field(compare=False, repr=False)
    vector: asyncio.Future[Vector] = field(compare=False)


Tell = Callable[[Job, Vector | Exception], None]
Group = Sequence[tuple[Job, Reading]]


class Work:
    """What all threads share: the encoder, and how long a token takes."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._seconds_per_token = 0.0
        """Learned; at first nothing is known, and everything is begun."""
        self._refused = 0
        """Batches in a row of which nothing was begun."""

    def do(self, jobs: Sequence[Job], tell: Tell, embedded: Callable[[int, float], None]) -> None:
        """Tells each job its vector, or why there is none, as soon as that is known."""
        waiting = deque(sorted(self._fitting(jobs, tell), key=lambda pair: len(pair[1])))
        self._refused += bool(waiting)
        while group := next_group(waiting, self._seconds_per_token, tell):
            began = perf_counter()
            vectors = self._encoder.embed([reading for _, reading in group])
            seconds = perf_counter() - began
            self._learn(group, seconds)
            embedded(len(group), seconds)
            for (job, _), vector in zip(group, vectors, strict=True):
                tell(job, as_kept(vector))
        if self._refused >= PATIENCE:
            self._refused, self._seconds_per_token = 0, 0.0

    def _fitting(self, jobs: Sequence[Job], tell: Tell) -> Iterator[tuple[Job, Reading]]:
        readings = self._encoder.read([job.text for job in jobs])
        for job, reading in zip(jobs, readings, strict=True):
            if len(reading) <= self._encoder.nature.window:
                yield job, reading
            else:
                tell(job, too_long())

    def _learn(self, group: Group, seconds: float) -> None:
        new = seconds / (len(group) * max(len(reading) for _, reading in group))
        self._seconds_per_token = learned(self._seconds_per_token, new)
        self._refused = 0


def learned(known: float, measured: float) -> float:
    """Seconds per token, after one more group; 0 is not known yet."""
    known = known or measured
    return MEMORY * known + (1 - MEMORY) * min(measured, MOST * known)


def next_group(waiting: deque[tuple[Job, Reading]], seconds_per_token: float, tell: Tell) -> Group:
    """Takes the next that run together, the shortest first; empty where none is left.

    At most `GROUP_TOKENS`, padding counted, and no more than will take half of the time that the
    most urgent of them has left: a larger group would come too late for all. What would be late
    even alone is not begun.
    """
    now, group, urgent = monotonic(), list[tuple[Job, Reading]](), math.inf
    while waiting:
        job, reading = waiting[0]
        if job.deadline < now + seconds_per_token * len(reading):
            tell(job, too_late())
            waiting.popleft()
            continue
        tokens, urgent = (len(group) + 1) * len(reading), min(urgent, job.deadline)
        if group and (tokens > GROUP_TOKENS or seconds_per_token * tokens > SHARE * (urgent - now)):
            break
        group.append(waiting.popleft())
    return group


def too_long() -> Refused:
    return Refused(RefusalCode.TOO_LONG, "the text is longer than the model can read")
