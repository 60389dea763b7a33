"""A reply that somebody else hears too, before the caller does."""

from collections.abc import Awaitable, Callable, Mapping

from penstock_sidecar.model import Reply

Hear = Callable[[bytes], Awaitable[None]]


class Overheard:
    """A `Reply`. `hear` gets each piece first, and is waited for: what it keeps can be found by
    whoever acts upon the piece. Pieces are whole events."""

    def __init__(self, inner: Reply, hear: Hear) -> None:
        self._inner = inner
        self._hear = hear

    @property
    def left(self) -> bool:
        return self._inner.left

    def outlast(self, seconds: float | None) -> None:
        self._inner.outlast(seconds)

    async def start(self, content_type: str, headers: Mapping[str, str]) -> None:
        await self._inner.start(content_type, headers)

    async def send(self, data: bytes) -> None:
        await self._hear(data)
        await self._inner.send(data)

    async def end(self) -> None:
        await self._inner.end()
