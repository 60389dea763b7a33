"""One attempt: acquire, call, relay, settle."""

from dataclasses import dataclass
from typing import Protocol

from penstock_config.tier import Tier
from penstock_sidecar.attempts.state import LEFT, State
from penstock_sidecar.dialects.nudge import NUDGE_BYTES
from penstock_sidecar.errors import UpstreamError
from penstock_sidecar.limits.limiter import Attempt
from penstock_sidecar.model import Candidate, Chunk
from penstock_sidecar.upstream.base import Call


class Others(Protocol):
    """Who else may answer the same request at the same time."""

    @property
    def beaten(self) -> bool:
        """Another answers it."""

    @property
    def optional(self) -> bool:
        """Nobody was asked, and nobody need be: what refuses it is no failure."""

    def asking(self, candidate: Candidate, attempt: Attempt) -> None:
        """The request goes out now."""

    def first_content(self) -> None:
        """It is there: the others are cut. Raises `CancelledError` where another was first."""

    async def gone(self) -> None:
        """Returns when what the others cost is known."""


class Nobody:
    """A request's only lane."""

    beaten = False
    optional = False

    def asking(self, candidate: Candidate, attempt: Attempt) -> None:
        pass

    def first_content(self) -> None:
        pass

    async def gone(self) -> None:
        pass


@dataclass(slots=True)
class Single:
    """With `wait_for` it waits where the candidate's limits refuse, in the tier's queue."""

    state: State
    candidate: Candidate
    others: Others
    wait_for: Tier | None = None
    nudge: bool = False

    async def serve(self) -> None:
        """Returns when the caller has the whole answer."""
        state, progress = self.state, self.state.progress
        added_bytes = NUDGE_BYTES if self.nudge else 0
        attempt = state.ticket.attempt(self.candidate, self.wait_for, added_bytes=added_bytes)
        plain: list[Chunk] = []
        try:
            async with attempt:
                progress.candidate = self.candidate
                plain = await self._call(attempt)
        finally:
            progress.limit_headers = state.ticket.headers
            progress.cost_micro_usd += attempt.cost_micro_usd
            progress.cost_known = progress.cost_known and attempt.cost_known
            if not self.others.beaten:
                progress.usage = attempt.usage or progress.usage
        if state.relay.reply.left and not progress.answered:
            raise ConnectionResetError(LEFT)
        if plain:
            await self.others.gone()
            await state.relay.send_plain(plain)

    async def _call(self, attempt: Attempt) -> list[Chunk]:
        """Returns a plain answer; a stream has been relayed when this returns."""
        state, candidate = self.state, self.candidate
        router, reply = state.means.router, state.relay.reply
        call = Call(
            state.progress.request,
            candidate,
            attempt.max_output_tokens,
            self.nudge,
            state.progress.classification.task,
            state.deadline.at,
            state.deadline.said,
        )
        attempt.sent()
        reply.outlast(candidate.provider.drain_seconds)
        self.others.asking(candidate, attempt)
        state.progress.wait_begins()
        began = state.progress.clock.monotonic()
        try:
            async with state.means.upstreams[candidate.provider.id].call(call) as answer:
                self.others.first_content()
                state.answered_by(candidate, attempt, answer)
                plain = await state.relay.take(answer, candidate, attempt)
        except UpstreamError as error:
            router.failed(candidate, error, call.request.api)
            raise
        finally:
            if not self.others.beaten:
                reply.outlast(None)
            state.progress.wait_ends()
        router.succeeded(candidate, call.request.api, began)
        return plain
