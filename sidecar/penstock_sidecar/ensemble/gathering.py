"""Asks members beside each other until there are answers enough, or no time is left.

A member that fails is replaced while fewer than the plan's least could still answer: first by the
tier's own further models, then by those of its fallback tiers. Who has not answered in the end is
cancelled at its provider, and charged for what had been seen.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from penstock_config.tier import Tier
from penstock_sidecar.ensemble.consensus import Ballot, decided
from penstock_sidecar.ensemble.member import Asking, Member
from penstock_sidecar.ensemble.plan import Plan
from penstock_sidecar.errors import SidecarError, UpstreamError
from penstock_sidecar.model import Candidate
from penstock_sidecar.verdict import Failure, saturated

Tasks = dict["asyncio.Task[None]", Member]


@dataclass(slots=True, repr=False)
class Gathering:
    """Of one request. `members` is everybody who was asked, in that order."""

    plan: Plan
    asking: Asking
    until: float
    """On the loop's clock."""
    members: list[Member] = field(default_factory=list)
    voters: list[Member] = field(default_factory=list)
    """Who answered, in the order of their answers."""
    ballots: list[Ballot] = field(default_factory=list)
    """Theirs."""
    out_of_time: bool = False
    _reserve: deque[Candidate] = field(default_factory=deque)
    _last: deque[Candidate] = field(default_factory=deque)
    """Whose breaker is open, or whom another request tries: asked where nobody else can be."""
    _quorum: int = 1
    _spared: int = 0
    """Who was asked and not waited for, because there was enough without."""
    _stopped: Exception | None = None

    async def gather(self, candidates: Sequence[Candidate]) -> None:
        """`candidates` as they are ordered, those of fallback tiers last. Raises what no further
        member would mend, such as the caller's own limits."""
        first = await self._first(candidates)
        self._quorum = self.plan.quorum(len(first))
        await self._round(first)

    async def any_of(self, candidates: Iterable[Candidate]) -> None:
        """One after the other until one answers, for those of whom nobody did."""
        for candidate in candidates:
            if self.voters:
                return
            await self._round([candidate])

    async def waited_for(self, tier: Tier) -> None:
        """Whoever of the tier has room first, in its queue."""
        own = [each for each in self.failures if each.candidate.tier_id == tier.id]
        if candidate := self.asking.state.waits_for(own, tier, self.until):
            await self._round([candidate], tier)

    @property
    def failures(self) -> list[Failure]:
        return [Failure(m.candidate, m.error) for m in self.members if m.error]

    @property
    def degraded(self) -> bool:
        """Fewer answered than a quorum, or others than the tier's own. Whose answer could not
        have changed the result is not missed."""
        own = all(each.candidate.tier_id == self.plan.tier.id for each in self.voters)
        return not own or len(self.voters) < max(self._quorum - self._spared, 2)

    async def _first(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        """The tier's own, up to its most; others only fill up."""
        self._line_up(candidates)
        size, first = self.plan.size, list[Candidate]()
        while queue := self._queue:
            own = queue is self._reserve and queue[0].tier_id == self.plan.tier.id
            if len(first) >= (max(size.min, size.max) if own else size.min):
                break
            if candidate := await self._next():
                first.append(candidate)
        return first

    def _line_up(self, candidates: Sequence[Candidate]) -> None:
        usable: list[Candidate] = []
        for each in candidates:
            (self._last if self.asking.out(each) else usable).append(each)
        self._reserve.extend(sorted(usable, key=lambda c: c.tier_id != self.plan.tier.id))

    @property
    def _queue(self) -> deque[Candidate]:
        return self._reserve or self._last

    async def _next(self) -> Candidate | None:
        """None where it has to wait for all others."""
        if not self._reserve:
            return self._last.popleft()
        candidate = self._reserve.popleft()
        if await self.asking.take(candidate):
            return candidate
        self._last.append(candidate)
        return None

    async def _round(self, first: Sequence[Candidate], wait_for: Tier | None = None) -> None:
        async with asyncio.TaskGroup() as group:
            tasks: Tasks = {}
            for candidate in first:
                self._ask(candidate, group, tasks, wait_for)
            await self._until_enough(group, tasks)
            for task, member in tasks.items():
                member.overtaken()
                task.cancel()
        if self._stopped:
            raise self._stopped

    def _ask(
        self,
        candidate: Candidate,
        group: asyncio.TaskGroup,
        tasks: Tasks,
        wait_for: Tier | None = None,
    ) -> None:
        member = Member(candidate)
        self.members.append(member)
        tasks[group.create_task(self.asking.ask(member, wait_for))] = member

    async def _until_enough(self, group: asyncio.TaskGroup, tasks: Tasks) -> None:
        loop = asyncio.get_running_loop()
        while tasks and not self._enough(len(tasks)):
            left_seconds = max(0.0, self.until - loop.time())
            done, _ = await asyncio.wait(
                tasks, timeout=left_seconds, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                self.out_of_time = True
                return
            for task in done:
                self._heard(tasks.pop(task))
            while self._too_few(len(tasks)):
                if candidate := await self._next():
                    self._ask(candidate, group, tasks)
        self._spared = 0 if self._stopped else len(tasks)

    def _heard(self, member: Member) -> None:
        if member.text:
            self.voters.append(member)
            self.ballots.append(Ballot(member.candidate, member.text, member.says))
        elif member.error is None or not _anothers_turn(member.error):
            self._stopped = member.defect or member.error

    def _enough(self, outstanding: int) -> bool:
        if self._stopped or len(self.voters) >= self._quorum:
            return True
        return self.plan.counts and decided(self.ballots, outstanding)

    def _too_few(self, outstanding: int) -> bool:
        """And somebody is left to ask. Where limits of providers alone stand in the way, other
        tiers help only if the tier says so."""
        tier = self.plan.tier
        if self._stopped or not self._queue:
            return False
        if len(self.voters) + outstanding >= self.plan.size.min:
            return False
        own = self._queue[0].tier_id == tier.id
        return own or tier.when_saturated == "Fallback" or not saturated(self.failures)


def _anothers_turn(error: SidecarError) -> bool:
    """It is this model's failure alone; a provider may refuse what the next one takes."""
    return error.next_candidate or isinstance(error, UpstreamError)
