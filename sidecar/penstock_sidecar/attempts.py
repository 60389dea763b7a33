"""The attempts of one request: each candidate in order, each acquire, call, relay and settle.

```
for candidate in order:                       fallback
                                              a saturated tier's queue; a budget's downgrade
    until it serves or a retry is pointless:  retry
        async with ticket.attempt:            acquire ... settle
            async with upstream.call:         call, first content
                relay to the caller           from here on no other candidate can take over
```
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import attrgetter
from random import Random
from typing import Final

from penstock_config.policy import Retry
from penstock_config.tier import Tier
from penstock_sidecar.cache.exact import Collector
from penstock_sidecar.dialects.nudge import NUDGE_BYTES
from penstock_sidecar.errors import EmptyCompletion, SidecarError, UpstreamError
from penstock_sidecar.limits.limiter import Attempt, Ticket
from penstock_sidecar.model import Answer, Candidate, Chunk, Reply
from penstock_sidecar.progress import Progress
from penstock_sidecar.routing.router import Router
from penstock_sidecar.upstream.base import Call, Upstream
from penstock_sidecar.upstream.retry import backoff_seconds
from penstock_sidecar.verdict import Failure, downgrades, saturated, verdict, wait_seconds

LEFT: Final = "the caller has left"


@dataclass(slots=True)
class Attempts:
    """Serves one request; `collector` holds what the cache may keep once it has been served."""

    upstreams: Mapping[str, Upstream]
    router: Router
    retry: Retry
    random: Random
    ticket: Ticket
    reply: Reply
    progress: Progress
    collect: Callable[[Candidate], Collector | None]
    collector: Collector | None = field(default=None, init=False)
    _begun: bool = field(default=False, init=False)
    """The caller has seen bytes."""

    async def serve(self, candidates: Sequence[Candidate]) -> None:
        """Answer by the first candidate that can, or raise why none could."""
        failures: list[Failure] = []
        for tier_id, own in groupby(candidates, key=attrgetter("tier_id")):
            tier, first = self.router.tier(tier_id), len(failures)
            if await self._served_by_any(own, failures):
                return
            if tier.when_saturated != "Fallback" and saturated(failures[first:]):
                if tier.when_saturated == "Queue" and await self._waited_for(tier, failures):
                    return
                break
        for tier_id in downgrades(failures):
            if await self._served_by_any(self._downgraded(tier_id), failures):
                return
        raise verdict(failures)

    async def _served_by_any(
        self, candidates: Iterable[Candidate], failures: list[Failure]
    ) -> bool:
        for candidate in candidates:
            self.progress.candidates_tried += 1
            if await self._served_by(candidate, failures):
                return True
        return False

    async def _waited_for(self, tier: Tier, failures: list[Failure]) -> bool:
        """Whether the candidate that has room first served, after its queue."""
        soonest = min(failures, key=wait_seconds)
        return await self._served_by(soonest.candidate, failures, wait_for=tier)

    def _downgraded(self, tier_id: str) -> Sequence[Candidate]:
        request, tokens = self.progress.request, self.ticket.input_tokens
        return self.router.downgraded(tier_id, request, tokens)

    async def _served_by(
        self, candidate: Candidate, failures: list[Failure], wait_for: Tier | None = None
    ) -> bool:
        nudge = False
        tries = 0
        while True:
            tries += 1
            try:
                await self._attempt(candidate, wait_for, nudge=nudge)
            except SidecarError as error:
                if self.reply.left:
                    raise ConnectionResetError(LEFT) from error
                if self._begun or not error.next_candidate:
                    raise
                failures.append(Failure(candidate, error))
                nudge = isinstance(error, EmptyCompletion) and not self.progress.request.embeds
                delay_seconds = backoff_seconds(self.retry, tries, error, self.random)
            else:
                return True
            if delay_seconds is None:
                return False
            await asyncio.sleep(delay_seconds)
            self.progress.retries += 1

    async def _attempt(self, candidate: Candidate, wait_for: Tier | None, *, nudge: bool) -> None:
        added_bytes = NUDGE_BYTES if nudge else 0
        attempt = self.ticket.attempt(candidate, wait_for, added_bytes=added_bytes)
        plain: list[Chunk] = []
        try:
            async with attempt:
                self.progress.candidate = candidate
                task = self.progress.classification.task
                most = attempt.max_output_tokens
                call = Call(self.progress.request, candidate, most, nudge, task)
                plain = await self._call(call, attempt)
        finally:
            self.progress.limit_headers = self.ticket.headers
            self.progress.cost_micro_usd += attempt.cost_micro_usd
            self.progress.cost_known = self.progress.cost_known and attempt.cost_known
            self.progress.usage = attempt.usage or self.progress.usage
        if self.reply.left and not self.progress.answered:
            raise ConnectionResetError(LEFT)
        if plain:
            await self._send_plain(plain)

    async def _call(self, call: Call, attempt: Attempt) -> list[Chunk]:
        """Returns a plain answer; a stream has been relayed when this returns."""
        candidate, clock = call.candidate, self.progress.clock
        began = clock.monotonic()
        attempt.sent()
        self.reply.outlast(candidate.provider.drain_seconds)
        try:
            async with self.upstreams[candidate.provider.id].call(call) as answer:
                self.progress.first_content = clock.monotonic() - self.progress.started
                self.progress.provider_headers = answer.headers
                self.progress.limit_headers = self.ticket.headers
                self.collector = self.collect(candidate)
                plain = await self._relay(answer, attempt)
        except UpstreamError as error:
            self.router.failed(candidate, error)
            raise
        finally:
            self.reply.outlast(None)
            self.progress.waited_seconds += clock.monotonic() - began
        self.router.succeeded(candidate)
        return plain

    async def _relay(self, answer: Answer, attempt: Attempt) -> list[Chunk]:
        """A plain answer is held until its cost is known; a stream goes on chunk by chunk, and
        ends with its last: OpenAI's clients leave at `[DONE]`, whatever else the provider does."""
        plain: list[Chunk] = []
        streaming = self.progress.request.stream
        async for chunk in answer.chunks:
            attempt.saw(chunk)
            if not streaming:
                plain.append(chunk)
            elif not self.reply.left:
                await self._pass_on(chunk, answer.content_type)
            if self.collector:  # last: the caller does not wait for it
                self.collector.add(chunk)
        return plain

    async def _pass_on(self, chunk: Chunk, content_type: str) -> None:
        """Who cannot be reached has left, or will be taken to have, in a moment."""
        try:
            if chunk.data:
                if not self._begun:
                    await self._begin(content_type)
                await self.reply.send(chunk.data)
            if chunk.end:
                await self._end()
        except ConnectionResetError:
            if self._cut_when_left():
                raise

    def _cut_when_left(self) -> bool:
        candidate = self.progress.candidate
        return candidate is None or candidate.provider.drain_seconds is None

    async def _begin(self, content_type: str) -> None:
        self._begun = True
        await self.reply.start(content_type, self.progress.headers())

    async def _end(self) -> None:
        await self.reply.end()
        self.progress.answered = True

    async def _send_plain(self, chunks: Sequence[Chunk]) -> None:
        self._begun = True
        headers = {**self.progress.headers(), **self.progress.cost_headers()}
        await self.reply.start("application/json", headers)
        for chunk in chunks:
            await self.reply.send(chunk.data)
        await self._end()
