"""Serves one request by an ensemble: gather, decide, answer.

Nothing is sent before the decision: what the caller gets is one model's answer, byte by byte as
that model gave it, with headers that say how far the others agree and what all of them cost.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.attempts import Deadline, State
from penstock_sidecar.ensemble.consensus import Decision
from penstock_sidecar.ensemble.deliberation import Deliberation
from penstock_sidecar.ensemble.gathering import Gathering
from penstock_sidecar.ensemble.member import Asking, Member
from penstock_sidecar.ensemble.plan import Ensembles, Plan
from penstock_sidecar.ensemble.report import dissenters, headers_of, result_of
from penstock_sidecar.errors import AgreementTooLow
from penstock_sidecar.limits.limiter import Attempt
from penstock_sidecar.model import Candidate
from penstock_sidecar.verdict import downgrades, saturated, verdict

PIECE_BYTES: Final = 16 * 1024
"""Of a replayed stream: its events go out together up to this size."""


@dataclass(slots=True)
class Ensemble:
    """Serves one request."""

    plan: Plan
    state: State
    ensembles: Ensembles

    async def serve(self, candidates: Sequence[Candidate]) -> None:
        """Answer by the consensus of those that can, or raise why there is none."""
        state, now = self.state, asyncio.get_running_loop().time()
        state.means.retries.earn()
        deadline = self._deadline(now)
        trials = state.means.router.trials(state.progress.request.api)
        asking = Asking(state, self.ensembles.gpu, trials, counts=self.plan.counts)
        gathering = Gathering(self.plan, asking, self.plan.gathered_at(now, deadline.at))
        deliberation = Deliberation(self.plan, self.ensembles, state, deadline.at)
        decision: Decision | None = None
        state.progress.wait_begins()
        try:
            with trials:
                await self._gather(gathering, candidates, deadline)
            decision = await deliberation.decide(gathering.ballots)
        finally:
            state.progress.wait_ends()
            self._account(gathering, decision, deliberation.attempts)
        self._learn(gathering, decision)
        self._require_agreement(decision, len(gathering.voters))
        await self._answer(gathering.voters[decision.chosen], keep=not gathering.degraded)

    def _deadline(self, now: float) -> Deadline:
        """The request's own; where nobody set one, or only the caller, the plan's at the most."""
        plan, given = self.plan, self.state.deadline
        at = now + plan.seconds
        if given.source in {"rule", "tier"} or given.at < at:
            return given
        return Deadline(at, plan.seconds, "tier", plan.tier.id, plan.size.complexity)

    async def _gather(
        self, gathering: Gathering, candidates: Sequence[Candidate], deadline: Deadline
    ) -> None:
        """Returns with at least one answer."""
        tier, state = self.plan.tier, self.state
        await gathering.gather(candidates)
        failures = gathering.failures
        if not gathering.voters and tier.when_saturated == "Queue" and saturated(failures):
            await gathering.waited_for(tier)
        for tier_id in () if gathering.voters else downgrades(failures):
            asked = state.progress.request, state.ticket.input_tokens, state.progress.classification
            await gathering.any_of(state.means.router.downgraded(tier_id, *asked))
        if not gathering.voters:
            failures = gathering.failures
            raise deadline.error(failures) if gathering.out_of_time else verdict(failures)

    def _account(
        self,
        gathering: Gathering,
        decision: Decision | None,
        advisers: Sequence[tuple[Candidate, Attempt]],
    ) -> None:
        """What all of them cost, whoever is chosen."""
        progress = self.state.progress
        attempts = [each.attempt for each in gathering.members if each.attempt]
        for attempt in (*attempts, *(attempt for _, attempt in advisers)):
            progress.cost_micro_usd += attempt.cost_micro_usd
            progress.cost_known = progress.cost_known and attempt.cost_known
        progress.candidates_tried = 1
        progress.limit_headers = self.state.ticket.headers
        progress.ensemble = result_of(gathering, decision, advisers)
        progress.ensemble_headers = headers_of(progress.ensemble)

    def _learn(self, gathering: Gathering, decision: Decision) -> None:
        if votes := self.ensembles.votes:
            task = self.state.progress.classification.task
            for candidate in dissenters(gathering, decision):
                votes.feedback(candidate.label, task, "bad")

    def _require_agreement(self, decision: Decision, answered: int) -> None:
        least = self.plan.ensemble.min_agreement_percent
        if least is None or decision.agreement * 100 >= least:
            return
        raise AgreementTooLow(
            f"the models of tier {self.plan.tier.name} that answered ({answered}) agree by"
            f" {decision.agreement:.0%}, and the tier asks for {least:g}%: ask a single model, or"
            " word the question so that it has one answer"
        )

    async def _answer(self, chosen: Member, *, keep: bool) -> None:
        progress, relay = self.state.progress, self.state.relay
        progress.candidate = chosen.candidate
        progress.provider_headers = chosen.headers
        if chosen.attempt:
            self.state.ticket.answered_by(chosen.attempt)
            progress.usage = chosen.attempt.usage
        progress.limit_headers = self.state.ticket.headers
        progress.first_content = progress.clock.monotonic() - progress.started
        relay.collector = relay.collect(chosen.candidate) if keep else None
        relay.begun = True
        headers = {**progress.headers(), **progress.cost_headers()}
        await relay.reply.start(chosen.content_type, headers)
        for piece in _pieces(chosen):
            await relay.reply.send(piece)
        await relay.reply.end()
        progress.answered = True
        if relay.collector:  # last: the caller does not wait for it
            for chunk in chosen.chunks:
                relay.collector.add(chunk)


def _pieces(member: Member) -> Iterator[bytes]:
    """Whole events, together as far as they are small."""
    held: list[bytes] = []
    size_bytes = 0
    for chunk in member.chunks:
        if held and size_bytes + len(chunk.data) > PIECE_BYTES:
            yield b"".join(held)
            held, size_bytes = [], 0
        held.append(chunk.data)
        size_bytes += len(chunk.data)
    yield b"".join(held)
