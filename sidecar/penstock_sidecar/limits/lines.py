"""Where requests wait for a limit: a line for each, in order of arrival, with bounds.

Only the first of a line asks Redis; the others wait behind it, and so do those who come later.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from penstock_config.queue import Queue
from penstock_sidecar.errors import SidecarError

Why = Callable[[], SidecarError]
"""Writes the error of a refusal."""


@dataclass(slots=True)
class _Line:
    first: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Fair: asyncio's locks are handed on in order."""
    length: int = 0
    why: Why | None = None


class Lines:
    """By name; an empty line is forgotten."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}

    def busy(self, name: str) -> bool:
        return name in self._lines

    def full(self, name: str, queue: Queue) -> bool:
        line = self._lines.get(name)
        return line is not None and line.length >= queue.max_length

    def refused(self, name: str, why: Why) -> None:
        """What the first of the line was told last."""
        if line := self._lines.get(name):
            line.why = why

    def why(self, name: str) -> SidecarError | None:
        """Why those in line wait, as far as it is known."""
        line = self._lines.get(name)
        return line.why() if line and line.why else None

    @contextlib.asynccontextmanager
    async def first(self, name: str) -> AsyncIterator[None]:
        """Entered when it is one's turn; leaving lets the next one on. Waits under the caller's
        deadline."""
        line = self._lines.setdefault(name, _Line())
        line.length += 1
        try:
            async with line.first:
                yield
        finally:
            line.length -= 1
            if not line.length:
                del self._lines[name]
