"""What all tickets of a sidecar share, and how several groups are asked at once."""

import asyncio
from collections.abc import Sequence
from itertools import count
from typing import Final, Protocol

from penstock_config.policy import Policy
from penstock_config.queue import Queue
from penstock_sidecar.limits.allowances import Allowances
from penstock_sidecar.limits.arrears import Arrears
from penstock_sidecar.limits.denials import Denials
from penstock_sidecar.limits.holds import End, Grant, Hold, Place, Refusal, Standing
from penstock_sidecar.limits.leases import Leases
from penstock_sidecar.limits.ledger import Ledger
from penstock_sidecar.limits.lines import Lines
from penstock_sidecar.limits.memory import Memory
from penstock_sidecar.limits.presence import Presence
from penstock_sidecar.limits.refusals import Refusals
from penstock_sidecar.limits.renewals import Renewals
from penstock_sidecar.limits.settlements import Settlements
from penstock_sidecar.limits.shares import Counted, Shares
from penstock_sidecar.limits.upkeep import Upkeep
from penstock_sidecar.store import StoreUnavailable
from penstock_sidecar.values import dataclass

NO_QUEUE: Final = Queue()
"""Bounds of waiting where no limit says any."""


class LimitObserver(Protocol):
    """Hears of every limit that was exceeded, also of those that only count."""

    def limit_exceeded(self, name: str, what: str, *, enforced: bool) -> None: ...

    def subjects_shared(self, policy: str, count: int) -> None:
        """Users or header values beyond `maxSubjects`."""


@dataclass(frozen=True, slots=True)
class Call:
    """One acquire in one group."""

    place: Place
    holds: Sequence[Hold]


@dataclass(frozen=True, slots=True)
class Desk:
    """Lives as long as its limiter."""

    policy: Policy
    ledger: Ledger
    settlements: Settlements
    renewals: Renewals
    presence: Presence
    refusals: Refusals
    denials: Denials
    lines: Lines
    upkeep: Upkeep
    allowances: Allowances
    arrears: Arrears
    leases: Leases | None
    incarnation: str
    numbers: "count[int]"
    observer: LimitObserver | None

    @property
    def memory(self) -> Memory:
        return self.ledger.memory

    @property
    def shares(self) -> Shares:
        return self.ledger.memory.shares

    def queue(self) -> Queue:
        """How long and with how many requests wait for the policy's limits."""
        queues = (each.queue for each in self.policy.limits if each.on_exceeded == "Queue")
        return next(queues, NO_QUEUE)

    def new_id(self) -> str:
        """Unique for ever. Never made of what a caller sends: who shares an id rides for free."""
        return f"{self.incarnation}-{next(self.numbers):x}"

    async def acquire(self, calls: Sequence[Call]) -> list[Grant | Refusal]:
        """Ask all groups at once. Where the answer is unknown, what may have been taken is given
        back, and `StoreUnavailable` (or the cancellation) goes on."""
        self.presence.start()
        self.upkeep.start()
        try:
            answers = await self._ask(calls)
        except asyncio.CancelledError:
            for call in calls:
                self.release(call)
            raise
        known = [answer for answer in answers if not isinstance(answer, StoreUnavailable)]
        if len(known) == len(calls):
            self._report(known)
            return known
        for call, answer in zip(calls, answers, strict=True):
            if isinstance(answer, Grant) or (isinstance(answer, StoreUnavailable) and answer.sent):
                self.release(call)
        raise next(answer for answer in answers if isinstance(answer, StoreUnavailable))

    def recall(
        self, counted: Sequence[Counted], tokens: int, *, high: bool = True
    ) -> Refusal | None:
        """What was refused a moment ago is so again."""
        refusal = self.denials.recall(counted, tokens, high=high)
        if refusal:
            self._report([refusal])
        return refusal

    def release(self, call: Call) -> "asyncio.Task[None]":
        return self.settlements.settle(call.place, [End(hold.id) for hold in call.holds])

    async def _ask(self, calls: Sequence[Call]) -> list[Grant | Refusal | StoreUnavailable]:
        if len(calls) == 1:
            return [await self._ask_one(calls[0])]
        return await asyncio.gather(*map(self._ask_one, calls))

    async def _ask_one(self, call: Call) -> Grant | Refusal | StoreUnavailable:
        try:
            return await self.ledger.acquire(call.place, call.holds)
        except StoreUnavailable as error:
            return error

    def _report(self, answers: Sequence[Grant | Refusal]) -> None:
        if self.observer:
            for answer in answers:
                for exceeded in _exceeded(answer):
                    bound = exceeded.bound
                    self.observer.limit_exceeded(bound.name, bound.what, enforced=bound.enforced)
                if isinstance(answer, Grant) and answer.shared_subjects:
                    self.observer.subjects_shared(self.policy.id, answer.shared_subjects)


def _exceeded(answer: Grant | Refusal) -> list[Standing]:
    """After a grant only those that merely count can be below zero."""
    if isinstance(answer, Refusal):
        return [s for s in answer.standings if s.bound is answer.bound]
    return [s for s in answer.standings if s.remaining < 0 and not s.bound.enforced]
