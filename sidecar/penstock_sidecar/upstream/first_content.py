"""Holds an answer back until there is something in it, so that others can still take over.

Before the first content every failure is the attempt's own; after it, whatever happens is a broken
stream: the caller has read the beginning.
"""

from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from penstock_sidecar.errors import EmptyCompletion, StreamBroken, UpstreamError
from penstock_sidecar.model import Answer, Chunk
from penstock_sidecar.upstream.base import Call, Upstream

MAX_HELD: Final = 10_000
"""Pieces: comments, pings, white space. Each costs memory, a comment of 3 bytes a hundred times its
size; no provider says that it is alive, and no model is silent, more often than that."""


class FirstContent:
    """An `Upstream` that raises `EmptyCompletion` for an answer with nothing in it, once it is
    complete or `MAX_HELD` pieces long."""

    def __init__(self, inner: Upstream) -> None:
        self._inner = inner

    @asynccontextmanager
    async def call(self, call: Call) -> AsyncIterator[Answer]:
        async with self._inner.call(call) as answer:
            held = await _until_content(answer.chunks, call.candidate.label)
            resumed = _Resumed(held, answer.chunks)
            yield Answer(resumed, answer.content_type, answer.headers)


async def _until_content(chunks: AsyncIterator[Chunk], label: str) -> deque[Chunk]:
    held: deque[Chunk] = deque()
    async for chunk in chunks:
        held.append(chunk)
        if chunk.content:
            return held
        if len(held) == MAX_HELD:
            break
    error = EmptyCompletion(f"{label} answered with nothing")
    error.usage = next((chunk.usage for chunk in reversed(held) if chunk.usage), None)
    raise error


class _Resumed:
    """What was held, then the rest."""

    __slots__ = ("_held", "_rest")

    def __init__(self, held: deque[Chunk], rest: AsyncIterator[Chunk]) -> None:
        self._held = held
        self._rest = rest

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        if self._held:
            return self._held.popleft()
        try:
            return await anext(self._rest)
        except StreamBroken:
            raise
        except UpstreamError as error:
            raise StreamBroken(error.public) from error
