"""Chunks that are there already, as an answer's iterator."""

from collections import deque
from collections.abc import AsyncIterator

from penstock_sidecar.model import Chunk


class Ready:
    """Each once, in order."""

    __slots__ = ("_chunks",)

    def __init__(self, *chunks: Chunk) -> None:
        self._chunks = deque(chunks)

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        if not self._chunks:
            raise StopAsyncIteration
        return self._chunks.popleft()
