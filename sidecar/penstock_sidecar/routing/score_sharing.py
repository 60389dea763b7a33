"""Sidecars learn together: twice a second each adds what it learnt in Redis, and reads the sums.

In the background: no request waits for it. While nobody asks for anything, nothing is read; while
Redis is away, each goes on with what it knows, and tells it later.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from random import Random
from typing import Final, cast

from penstock_config.classification import TASKS
from penstock_config.layout import Group
from penstock_sidecar.clock import MICROSECONDS
from penstock_sidecar.routing.scores import Name, Scores, Tally
from penstock_sidecar.store import Argument, Store, StoreUnavailable, script_of

PAUSE_SECONDS: Final = 0.4
"""Told within it by one, read within it by another: less than a second in all."""
IDLE_SECONDS: Final = 30.0
"""So long after the last news of our own others' are still read."""
LIFE_SECONDS: Final = 86_400
"""Of what nobody adds to: many half-lives."""
TOLD_SECONDS: Final = 600
"""So long what may have been heard can be said again without counting twice."""
PROCESS_BYTES: Final = 6
BATCH: Final = 50
"""Candidates in one call: Redis serves nobody else meanwhile."""


SCORES: Final = script_of(__package__, "scores")


class _Part:
    """Some of the candidates, in a call of their own; `untold` is being told until it is heard."""

    def __init__(self, group: Group, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.keys = (
            group.teller(secrets.token_hex(PROCESS_BYTES)),
            *(group.scores(label) for label in labels),
        )
        self.since = 0
        self.number = 0
        self.untold: Mapping[Name, Tally] = {}

    def tell(self, news: Mapping[Name, Tally]) -> None:
        self.number += 1
        self.untold = {name: tally for name, tally in news.items() if name[0] in self.labels}


class ScoreSharing:
    """One task per configuration that needs scores. `close` tells the last of them."""

    def __init__(
        self,
        scores: Scores,
        store: Store,
        group: Group,
        labels: Sequence[str],
        pause_seconds: float = PAUSE_SECONDS,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._scores = scores
        self._store = store
        self._labels = frozenset(labels)
        self._parts = [_Part(group, some) for some in _batches(labels)]
        self._pause_seconds = pause_seconds
        self._idle_seconds = idle_seconds
        self._random = Random()  # noqa: S311  # spreads calls, guards nothing
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; again is nothing."""
        if self._task is None:
            self._scores.on_news = self._news.set
            self._news.set()
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            await self.exchange()

    async def exchange(self) -> None:
        """Tell and read once. What was perhaps not heard is said again, and added once."""
        if not self._owes:
            news = self._scores.untold(self._labels)
            for part in self._parts:
                part.tell(news)
        with contextlib.suppress(StoreUnavailable):
            for part in self._parts:
                await self._exchange(part)

    @property
    def _owes(self) -> bool:
        """Not all that was told is known to be heard."""
        return any(part.untold for part in self._parts)

    async def _run(self) -> None:
        while True:
            await self._news.wait()
            quiet_seconds = 0.0
            while quiet_seconds < self._idle_seconds:
                if self._news.is_set() or self._owes:
                    quiet_seconds = 0.0
                self._news.clear()
                await self.exchange()
                await asyncio.sleep(self._pause_seconds * self._random.uniform(0.8, 1))
                quiet_seconds += self._pause_seconds

    async def _exchange(self, part: _Part) -> None:
        reply = await self._store.script(SCORES, part.keys, self._arguments(part))
        values = cast("list[bytes | None]", reply)
        part.since, part.untold = int(values[0] or 0), {}
        names: list[Name] = [(label, task) for label in part.labels for task in TASKS]
        for name, value in zip(names, values[1:], strict=True):
            if value is not None:
                self._scores.heard(name, Tally(*map(float, value.split())))

    def _arguments(self, part: _Part) -> tuple[Argument, ...]:
        learning = self._scores.learning
        arguments: list[Argument] = [
            round(learning.half_life_seconds * MICROSECONDS),
            part.since,
            repr(learning.max_signs),
            LIFE_SECONDS * 1000,
            part.number if part.untold else 0,
            TOLD_SECONDS * 1000,
            len(TASKS),
            *TASKS,
        ]
        for (label, task), tally in part.untold.items():
            arguments += [part.labels.index(label) + 1, TASKS.index(task) + 1]
            arguments += [f"{amount:.9g}" for amount in astuple(tally)]
        return tuple(arguments)


def _batches(labels: Sequence[str]) -> list[Sequence[str]]:
    return [labels[first : first + BATCH] for first in range(0, len(labels), BATCH)]
