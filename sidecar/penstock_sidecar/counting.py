"""How many tokens a request has: its provider's word where that counts, else our estimate.

The request goes the way that its answer would go, candidate after candidate. Nothing is reserved
and nothing booked: counting costs nothing, and providers limit it apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from penstock_sidecar.attempts.deadline import Deadline
from penstock_sidecar.errors import UpstreamError, UpstreamTooLate
from penstock_sidecar.limits.limiter import Ticket
from penstock_sidecar.model import Candidate, Reply
from penstock_sidecar.progress import Progress
from penstock_sidecar.upstream.base import Call, Upstream
from penstock_sidecar.upstream.plans import COUNTING_TYPES
from penstock_sidecar.verdict import Failure, verdict


@dataclass(frozen=True, slots=True)
class Counting:
    """Counts one request."""

    upstreams: Mapping[str, Upstream]
    ticket: Ticket
    reply: Reply
    progress: Progress
    deadline: Deadline

    async def serve(self, candidates: Sequence[Candidate]) -> None:
        """Answer by the first candidate that can, or raise why none could."""
        failures: list[Failure] = []
        for candidate in candidates:
            self.progress.candidates_tried += 1
            self.progress.candidate = candidate
            try:
                return await self._say(await self._counted(candidate))
            except UpstreamError as error:
                if not error.next_candidate:
                    raise
                if isinstance(error, UpstreamTooLate):
                    raise self.deadline.error([*failures, Failure(candidate, error)]) from error
                failures.append(Failure(candidate, error))
        raise verdict(failures)

    async def _counted(self, candidate: Candidate) -> bytes:
        if candidate.provider.type not in COUNTING_TYPES:
            return orjson.dumps({"input_tokens": self.ticket.tokens_at(candidate)})
        self.progress.wait_begins()
        until, said = self.deadline.at, self.deadline.said
        call = Call(self.progress.request, candidate, None, until=until, tells_time=said)
        try:
            async with self.upstreams[candidate.provider.id].call(call) as answer:
                self.progress.provider_headers = answer.headers
                return b"".join([chunk.data async for chunk in answer.chunks])
        finally:
            self.progress.wait_ends()

    async def _say(self, data: bytes) -> None:
        await self.reply.start("application/json", self.progress.headers())
        await self.reply.send(data)
        await self.reply.end()
        self.progress.answered = True
