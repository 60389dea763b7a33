"""What is being done, and what comes of it: one transfer and one load at a time."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final

from penstock_operator.loader import note
from penstock_operator.loader.board import Board
from penstock_operator.loader.errors import OllamaError
from penstock_operator.loader.lane import Lane
from penstock_operator.loader.words import fit
from penstock_operator.ollama.progress import State

logger = logging.getLogger("penstock_operator.loader")
Work = Coroutine[Any, Any, None]


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who hears of an end: of each, and of the words of one that failed."""

    ended: Callable[[], None]
    failed: Callable[[str], None]


class Works:
    """Its tasks are the group's."""

    def __init__(
        self, group: asyncio.TaskGroup, board: Board, pauses: note.Pauses, hooks: Hooks
    ) -> None:
        self._board = board
        self._pauses = pauses
        self._hooks = hooks
        self.memory: Final = Lane(group)
        self.disk: Final = Lane(group)

    def begin(
        self,
        lane: Lane,
        name: str,
        state: State,
        work: Work,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """`then` is called in any case, before all else that hears of the end."""

        def end() -> None:
            self._board.busy.pop(name, None)
            self._board.amounts.pop(name, None)
            then()
            self._hooks.ended()

        self._board.busy[name] = state
        lane.begin(name, self._kept(name, work), end)

    def cancel(self, names: Iterable[str]) -> None:
        for name in names:
            self.memory.cancel(name)
            self.disk.cancel(name)

    async def _kept(self, name: str, work: Work) -> None:
        """How it went is noted."""
        try:
            await work
        except OllamaError as error:
            self._fail(name, fit(str(error)))
        else:
            self._board.notes[name] = note.succeeded(self._board.note(name))

    def _fail(self, name: str, words: str) -> None:
        now = asyncio.get_running_loop().time()
        after = note.failed(self._board.note(name), words, now, self._pauses)
        self._board.notes[name] = after
        logger.warning(
            "model.failed",
            extra={"model": name, "error": words, "pause_seconds": round(after.retry_at - now, 1)},
        )
        self._hooks.failed(words)
