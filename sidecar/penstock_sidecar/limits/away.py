"""Taking without Redis: by the policy for the caller, always by share for the provider."""

from dataclasses import dataclass

from penstock_sidecar.errors import BudgetUnknown, LimiterUnavailable
from penstock_sidecar.limits.allowances import Drawn
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.caller_hold import CallerHold
from penstock_sidecar.limits.desk import Desk
from penstock_sidecar.limits.holds import Hold, Place, Sum
from penstock_sidecar.limits.wants import Held, Side, Wants
from penstock_sidecar.store import StoreUnavailable


@dataclass(frozen=True, slots=True)
class Away:
    """What is taken here is counted here, and told to Redis when it is back."""

    desk: Desk
    caller: CallerHold
    wants: Wants

    def take(self, cause: StoreUnavailable) -> Held:
        """Raises what refuses."""
        drawn = self._admit_caller(cause)
        wants, shares = self.wants, self.desk.shares
        counted = wants.counted()
        known = self.desk.memory.books(wants.place.group.tag).processes
        refusal = shares.take(counted, wants.tokens, max(wants.bounds.sidecars, known))
        if refusal:
            _put_back(drawn)
            raise self.desk.refusals.of_provider(refusal) from cause
        utc = self.desk.memory.clock.utc()
        return Held(
            of_caller=_side(wants.caller_place, wants.money(), wants.bounds.budgets, utc),
            of_provider=_side(wants.place, wants.of_provider(), wants.bounds.provider_budgets, utc),
            counted=counted,
            drawn=drawn,
            micro_usd=wants.micro_usd if drawn else None,
        )

    def _admit_caller(self, cause: StoreUnavailable) -> list[Drawn]:
        hard = self.wants.bounds.hard
        match self.desk.policy.on_redis_loss:
            case "Closed" if self.caller.bounds or hard:
                text = "limits cannot be checked at the moment, and the policy is to refuse then"
                raise LimiterUnavailable(text, retry_after_seconds=1) from cause
            case "LocalShare":
                return self._take_share(hard, cause)
            case _:
                self.caller.take_freely(self.wants.tokens)
                return []

    def _take_share(self, hard: Bound | None, cause: StoreUnavailable) -> list[Drawn]:
        drawn = self._drawn() if hard and self.wants.micro_usd else []
        if drawn is None and hard:
            text = f"{hard.name} cannot be checked at the moment: its spending is not known here"
            raise BudgetUnknown(text, retry_after_seconds=1) from cause
        if refusal := self.caller.take_share(self.wants.tokens):
            _put_back(drawn or [])
            raise self.desk.refusals.of_caller(refusal) from cause
        return drawn or []

    def _drawn(self) -> list[Drawn] | None:
        """Of what was put aside of every budget that refuses; `None` where that is not enough."""
        wants = self.wants
        drawn: list[Drawn] = []
        bounds = wants.bounds
        sides = ((wants.caller_place, bounds.budgets), (wants.place, bounds.provider_budgets))
        for place, budgets in sides:
            if any(bound.enforced for bound in budgets):
                part = self.desk.allowances.draw(place, budgets, wants.micro_usd)
                if part is None:
                    _put_back(drawn)
                    return None
                drawn.append(part)
        return drawn


def _put_back(drawn: list[Drawn]) -> None:
    for each in drawn:
        each.spent(0)


def _side(place: Place, hold: Hold | None, budgets: tuple[Bound, ...], utc: float) -> Side | None:
    """What Redis would have held, it is told when it is back; what is spent as well. Which period
    it is, this clock says."""
    if hold is None:
        return None
    dated = [(bound, bound.calendar) for bound in budgets if bound.calendar]
    sums: list[Sum] = [place.sum(b, b.key, f"{b.field}:{c.label(utc)}") for b, c in dated]
    return Side(place, hold, tuple(sums) if hold.want_micro_usd else ())
