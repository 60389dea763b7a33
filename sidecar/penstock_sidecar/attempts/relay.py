"""An answer's way to the caller."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from penstock_sidecar.cache.collector import Collector
from penstock_sidecar.cache.flight import End
from penstock_sidecar.limits.limiter import Attempt
from penstock_sidecar.model import Answer, Candidate, Chunk, Reply
from penstock_sidecar.progress import Progress


@dataclass(slots=True)
class Relay:
    """One request's; only one attempt uses it. `collector` holds what the cache may keep of the
    answer."""

    reply: Reply
    progress: Progress
    collect: Callable[[Candidate], Collector | None]
    collector: Collector | None = field(default=None, init=False)
    begun: bool = field(default=False, init=False)
    """The caller has seen bytes."""
    _astray: bool = field(default=False, init=False)
    """Nothing of the answer was to be kept from the start."""

    def foreseen(self) -> End | None:
        """Of an answer that has begun, and will not be kept: another one may be, if another model
        answers than the one that was meant."""
        if not self.begun or self.collector is None or not self.collector.given_up:
            return None
        return "failed" if self._astray else "unkept"

    async def take(self, answer: Answer, candidate: Candidate, attempt: Attempt) -> list[Chunk]:
        """A plain answer is returned, and held until its cost is known; a stream goes on chunk by
        chunk, and ends with its last: OpenAI's clients leave at `[DONE]`, whatever else the
        provider does."""
        self.collector = self.collect(candidate)
        self._astray = self.collector is not None and self.collector.given_up
        plain: list[Chunk] = []
        streaming = self.progress.request.stream
        async for chunk in answer.chunks:
            attempt.saw(chunk)
            if not streaming:
                plain.append(chunk)
            elif not self.reply.left:
                await self._pass_on(chunk, answer.content_type, candidate)
            if self.collector:  # last: the caller does not wait for it
                self.collector.add(chunk)
        return plain

    async def send_plain(self, chunks: Sequence[Chunk]) -> None:
        self.begun = True
        headers = {**self.progress.headers(), **self.progress.cost_headers()}
        await self.reply.start("application/json", headers)
        for chunk in chunks:
            await self.reply.send(chunk.data)
        await self._end()

    async def _pass_on(self, chunk: Chunk, content_type: str, candidate: Candidate) -> None:
        """Who cannot be reached has left, or will be taken to have, in a moment."""
        try:
            if chunk.data:
                if not self.begun:
                    await self._begin(content_type)
                await self.reply.send(chunk.data)
            if chunk.end:
                await self._end()
        except ConnectionResetError:
            if candidate.provider.drain_seconds is None:
                raise

    async def _begin(self, content_type: str) -> None:
        self.begun = True
        await self.reply.start(content_type, self.progress.headers())

    async def _end(self) -> None:
        await self.reply.end()
        self.progress.answered = True
