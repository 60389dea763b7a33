"""What an answer from the cache takes of its caller's limits, where a policy counts it: a request
and no tokens, no money, and nothing of any provider's."""

from dataclasses import dataclass
from typing import Final

from penstock_sidecar.errors import LimiterUnavailable
from penstock_sidecar.limits.caller_hold import CallerHold
from penstock_sidecar.limits.charge import Charge
from penstock_sidecar.limits.desk import Call, Desk
from penstock_sidecar.limits.holds import Refusal
from penstock_sidecar.limits.waiting import Refused, Turn
from penstock_sidecar.store import StoreUnavailable

TOKENS: Final = 0
GIVEN: Final = Charge(1, TOKENS, 0)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """Taken once, before the answer is given."""

    desk: Desk
    caller: CallerHold

    async def take(self, until: float) -> None:
        """Returns when the caller's limits admit it, and raises what refuses; waits, as a call
        would, until `until` of the loop's clock at most."""
        if self.caller.bounds and not self.caller.admitted:
            try:
                await Turn(self.desk, self.caller.line, self.desk.queue(), until).have(self._take)
            except StoreUnavailable as error:
                self._take_without(error)
        self.caller.attempt_ended(GIVEN, served=True)

    async def _take(self) -> Refused | None:
        caller, desk = self.caller, self.desk
        if refusal := desk.recall(caller.counted(), TOKENS, high=caller.place.high):
            return self._by(refusal)
        if not (holds := caller.wanted(TOKENS)):
            return None
        (answer,) = await desk.acquire([Call(caller.place, holds)])
        if isinstance(answer, Refusal):
            if caller.one_may_fit():
                return await self._take()
            caller.refused(answer, TOKENS)
            return self._by(answer)
        caller.granted(answer.standings, TOKENS)
        return None

    def _take_without(self, cause: StoreUnavailable) -> None:
        """Redis is away: by the policy."""
        match self.desk.policy.on_redis_loss:
            case "Closed":
                text = "limits cannot be checked at the moment, and the policy is to refuse then"
                raise LimiterUnavailable(text, retry_after_seconds=1) from cause
            case "Open":
                self.caller.take_freely(TOKENS)
            case "LocalShare":
                if refusal := self.caller.take_share(TOKENS):
                    raise self.desk.refusals.of_caller(refusal) from cause

    def _by(self, refusal: Refusal) -> Refused:
        return Refused(refusal, refusal.bound.queue, self.desk.refusals.of_caller)
