"""A pull from its first byte to its last, over stalls: they are broken off and begun again."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import Final

from penstock_operator.loader.board import Amount
from penstock_operator.loader.errors import Late
from penstock_operator.loader.ollama import Ollama
from penstock_operator.loader.wire import Line

MAX_STALLS: Final = 5
"""In a row, with no byte in between."""
BYTES_COME: Final = "pulling"
"""How a line's status begins while there is something to wait for. Afterwards Ollama hashes the
whole model, and says nothing for minutes."""


class Pull:
    """One model; `told` hears of each step forward."""

    def __init__(
        self, ollama: Ollama, stall_seconds: float, told: Callable[[Amount], None]
    ) -> None:
        self._ollama = ollama
        self._stall_seconds = stall_seconds
        self._told = told
        self._layers: dict[str, Amount] = {}
        self._stalls = 0

    async def run(self, name: str) -> None:
        """Returns when it is there."""
        while not await self._is_done(name):
            self._stalls += 1
            if self._stalls >= MAX_STALLS:
                seconds = f"{self._stall_seconds:g} s"
                msg = f"no progress for {seconds}, {MAX_STALLS} times in a row"
                raise Late(msg)

    async def _is_done(self, name: str) -> bool:
        """False: it stalled."""
        status = ""
        try:
            async with asyncio.timeout(self._stall_seconds) as deadline:
                async with aclosing(self._ollama.pull(name)) as lines:
                    async for line in lines:
                        if self._has_moved(line) or line.status != status:
                            deadline.reschedule(self._deadline(line))
                        status = line.status
        except TimeoutError:
            return False
        return True

    def _deadline(self, line: Line) -> float | None:
        if not line.status.startswith(BYTES_COME):
            return None
        return asyncio.get_running_loop().time() + self._stall_seconds

    def _has_moved(self, line: Line) -> bool:
        if not line.digest:
            return False
        before = self._layers.get(line.digest, Amount())
        self._layers[line.digest] = Amount(line.completed, line.total)
        if line.completed <= before.completed:
            return False
        self._stalls = 0
        layers = self._layers.values()
        self._told(Amount(sum(x.completed for x in layers), sum(x.total for x in layers)))
        return True
