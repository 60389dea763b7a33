"""An `Upstream` whose attempts somebody watches: how long, how many at once, and how they end."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Protocol

from penstock_config.classification import Task
from penstock_sidecar.model import Answer, Candidate, Chunk, Request
from penstock_sidecar.upstream.base import Call, Upstream


class Sight(Protocol):
    """One attempt, as it is seen."""

    def content_came(self, headers: Mapping[str, str]) -> None:
        """There is an answer; `headers` are those that callers may see."""

    def saw(self, chunk: Chunk) -> None: ...

    def ended(self, error: BaseException | None) -> None:
        """Called once. Without an error it may have been left half-way all the same."""


class Watcher(Protocol):
    def began(
        self, candidate: Candidate, request: Request, task: Task, *, loads: bool = False
    ) -> Sight:
        """It is being called now; where it `loads` its model, that takes longer than usual."""


class Watched:
    """Around whatever answers."""

    def __init__(self, inner: Upstream, watcher: Watcher) -> None:
        self._inner = inner
        self._watcher = watcher

    @asynccontextmanager
    async def call(self, call: Call) -> AsyncIterator[Answer]:
        sight = self._watcher.began(call.candidate, call.request, call.task, loads=call.loads)
        try:
            async with self._inner.call(call) as answer:
                sight.content_came(answer.headers)
                yield replace(answer, chunks=_Seen(answer.chunks, sight))
        except BaseException as error:
            sight.ended(error)
            raise
        sight.ended(None)


class _Seen:
    """The same chunks."""

    __slots__ = ("_chunks", "_sight")

    def __init__(self, chunks: AsyncIterator[Chunk], sight: Sight) -> None:
        self._chunks = chunks
        self._sight = sight

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        chunk = await anext(self._chunks)
        self._sight.saw(chunk)
        return chunk
