"""From answers to the one that is given: what has to be asked of other models is asked here."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from penstock_sidecar.attempts import State
from penstock_sidecar.ensemble import judge, vectors
from penstock_sidecar.ensemble.consensus import Ballot, Decision, chosen_by, majority, nearest
from penstock_sidecar.ensemble.off_loop import off_the_loop
from penstock_sidecar.ensemble.plan import Ensembles, Plan
from penstock_sidecar.ensemble.reading import Reading
from penstock_sidecar.ensemble.similarity import Matrix, lexical, of_vectors
from penstock_sidecar.errors import SidecarError, UpstreamError
from penstock_sidecar.limits.limiter import Attempt
from penstock_sidecar.model import Api, Candidate, Request
from penstock_sidecar.upstream.base import Call

T = TypeVar("T")

EMBEDDERS_TRIED: Final = 2


@dataclass(slots=True, repr=False)
class Deliberation:
    """Of one request. `attempts` holds what was asked beside the members, for its bill."""

    plan: Plan
    ensembles: Ensembles
    state: State
    until: float
    """On the loop's clock."""
    attempts: list[tuple[Candidate, Attempt]] = field(default_factory=list)
    _time: asyncio.Timeout | None = None
    """Of what is asked at the moment."""

    async def decide(self, ballots: Sequence[Ballot]) -> Decision:
        """There is at least one. What models do not answer in time is decided without them."""
        consensus = self.plan.ensemble.consensus
        if consensus == "Majority" or len(ballots) == 1:
            return majority(ballots)
        texts = [each.text for each in ballots]
        if consensus == "Judge":
            verdict = await self._in_time(self._verdict(texts))
            near = await _near(texts)
            return nearest(ballots, near) if verdict is None else chosen_by(near, verdict)
        by_meaning = await self._in_time(self._by_meaning(texts))
        return nearest(ballots, by_meaning or await _near(texts))

    async def _in_time(self, asking: Coroutine[None, None, T | None]) -> T | None:
        try:
            async with asyncio.timeout_at(self.until) as self._time:
                return await asking
        except TimeoutError:
            return None

    async def _verdict(self, texts: Sequence[str]) -> int | None:
        """Counted from 0. The judge sees the answers in an order of chance: what comes first has an
        advantage with some."""
        candidate = self.plan.judge
        if candidate is None or not self._may_be_asked(candidate, "openai-chat"):
            return None
        order = self.state.means.random.sample(range(len(texts)), len(texts))
        shown = [texts[index] for index in order]
        request = judge.asking(self.state.progress.request, candidate.model.name, shown)
        body = await self._asked(candidate, request, judge.VERDICT_TOKENS) if request else None
        if request is None or body is None:
            return None
        reading = Reading(request.api, candidate.label, stream=False)
        try:
            reading.add(body)
            chosen = judge.chosen(reading.text(), len(texts))
        except UpstreamError:
            return None
        return None if chosen is None else order[chosen]

    async def _by_meaning(self, texts: Sequence[str]) -> Matrix | None:
        embedders = self.plan.embedders
        usable = [each for each in embedders if self._may_be_asked(each, "openai-embeddings")]
        for candidate in usable[:EMBEDDERS_TRIED]:
            request = vectors.asking(self.state.progress.request, candidate.model.name, texts)
            body = await self._asked(candidate, request, None)
            if body is None:
                continue
            try:
                found = vectors.vectors(body, len(texts), candidate.label)
            except UpstreamError as error:
                self.state.means.router.failed(candidate, error, request.api)
                continue
            return await asyncio.to_thread(of_vectors, found)
        return None

    def _may_be_asked(self, candidate: Candidate, api: Api) -> bool:
        """It may be told of the request, and does not keep failing."""
        told = self.ensembles.may_get(candidate, self.state.progress.request)
        return told and not self.state.means.router.out(candidate, api)

    async def _asked(
        self, candidate: Candidate, request: Request, most: int | None
    ) -> bytes | None:
        """The whole answer; None where limits, budgets or the provider say no."""
        attempt = self.state.ticket.aside(candidate, request)
        began = self.state.progress.clock.monotonic()
        try:
            async with attempt:
                self.attempts.append((candidate, attempt))
                call = Call(request, candidate, attempt.max_output_tokens or most)
                data = await self._answer(call, attempt)
        except UpstreamError as error:
            self.state.means.router.failed(candidate, error, request.api)
            return None
        except SidecarError:
            return None
        self.state.means.router.succeeded(candidate, request.api, began)
        return data

    async def _answer(self, call: Call, attempt: Attempt) -> bytes:
        data = []
        attempt.sent()
        try:
            async with self.state.means.upstreams[call.candidate.provider.id].call(call) as answer:
                async for chunk in answer.chunks:
                    attempt.saw(chunk)
                    data.append(chunk.data)
        except asyncio.CancelledError:
            if self._time and self._time.expired():  # else it is the caller who has left
                attempt.overtaken()
            raise
        return b"".join(data)


async def _near(texts: Sequence[str]) -> Matrix:
    return await off_the_loop(texts, lambda: lexical(texts))
