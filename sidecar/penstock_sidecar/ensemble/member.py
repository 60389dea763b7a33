"""One model of an ensemble: its attempt, from its memory to its bill."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from penstock_config.tier import Tier
from penstock_sidecar.attempts import State
from penstock_sidecar.ensemble.essence import essence
from penstock_sidecar.ensemble.gpu import GpuMemory
from penstock_sidecar.ensemble.off_loop import off_the_loop
from penstock_sidecar.ensemble.reading import Reading
from penstock_sidecar.errors import EmptyCompletion, SidecarError, UpstreamError
from penstock_sidecar.health.breakers import Trials
from penstock_sidecar.limits.limiter import Attempt
from penstock_sidecar.model import Answer, Candidate, Chunk
from penstock_sidecar.upstream.base import Call


@dataclass(slots=True, repr=False)
class Member:
    """What became of one model: neither `text` nor `error` while it is asked, or once overtaken."""

    candidate: Candidate
    text: str = ""
    says: str = ""
    """Its essence, where answers are counted."""
    error: SidecarError | None = None
    defect: Exception | None = None
    """Ours, not the model's: goes on to whoever asked for the ensemble."""
    attempt: Attempt | None = None
    chunks: list[Chunk] = field(default_factory=list)
    """The whole answer, in the caller's dialect."""
    content_type: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def overtaken(self) -> None:
        """There are answers enough: it is about to be cancelled."""
        if self.attempt:
            self.attempt.overtaken()


@dataclass(slots=True)
class Asking:
    """Asks models on behalf of one request. The caller's limits are taken by whoever comes first:
    the others wait for that, and for nothing else."""

    state: State
    gpu: GpuMemory
    trials: Trials
    counts: bool
    """Answers are compared by what they say."""
    _first: asyncio.Lock = field(default_factory=asyncio.Lock)

    def out(self, candidate: Candidate) -> bool:
        """It keeps failing, and its time to be tried again has not come, or another request
        tries it; or it is not there."""
        return self.state.means.router.out(candidate, self.state.progress.request.api)

    async def take(self, candidate: Candidate) -> bool:
        """Whether it may be asked before those that are `out`: of all requests, one asks who may
        work again."""
        return not self.out(candidate) and await self.trials.take(candidate)

    async def ask(self, member: Member, wait_for: Tier | None = None) -> None:
        """Returns with `text` or `error` set."""
        try:
            async with self.gpu.room(member.candidate), AsyncExitStack() as stack:
                attempt = member.attempt = self.state.ticket.attempt(member.candidate, wait_for)
                await self._enter(attempt, stack)
                text = await self._answered(member, attempt)
            if self.counts:
                member.says = await off_the_loop([text], lambda: essence(text))
            member.text = text
        except SidecarError as error:
            member.error = error
        except Exception as defect:  # noqa: BLE001  # the gathering raises it again, by itself
            member.defect = defect

    async def _enter(self, attempt: Attempt, stack: AsyncExitStack) -> None:
        ticket = self.state.ticket
        if not ticket.admitted:
            async with self._first:
                if not ticket.admitted:
                    await stack.enter_async_context(attempt)
                    return
        await stack.enter_async_context(attempt)

    async def _answered(self, member: Member, attempt: Attempt) -> str:
        candidate, means = member.candidate, self.state.means
        progress = self.state.progress
        most, task = attempt.max_output_tokens, progress.classification.task
        call = Call(progress.request, candidate, most, task=task)
        began = progress.clock.monotonic()
        attempt.sent()
        try:
            async with means.upstreams[candidate.provider.id].call(call) as answer:
                member.content_type, member.headers = answer.content_type, answer.headers
                text = await self._read(answer, member, attempt)
        except UpstreamError as error:
            member.chunks.clear()
            means.router.failed(candidate, error, progress.request.api)
            raise
        means.router.succeeded(candidate, progress.request.api, began)
        if not text:  # a filter's doing: where one model is asked that is its answer
            member.chunks.clear()
            raise EmptyCompletion(f"{candidate.label} answered without words")
        return text

    async def _read(self, answer: Answer, member: Member, attempt: Attempt) -> str:
        request = self.state.progress.request
        reading = Reading(request.api, member.candidate.label, stream=request.stream)
        async for chunk in answer.chunks:
            attempt.saw(chunk)
            member.chunks.append(chunk)
            reading.add(chunk.data)
        return reading.text()
