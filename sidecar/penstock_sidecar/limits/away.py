"""Taking without Redis: by the policy for the caller, always by share for the provider."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from penstock_sidecar.errors import BudgetUnknown, LimiterUnavailable
from penstock_sidecar.limits.allowances import Drawn
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.caller_hold import CallerHold
from penstock_sidecar.limits.desk import Desk
from penstock_sidecar.limits.holds import Hold, Place, Sum
from penstock_sidecar.limits.wants import Held, Late, Side, Wants
from penstock_sidecar.store import StoreUnavailable

Drawings = Mapping[str, Drawn]
"""By group."""


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
        self.desk.memory.headroom.took(counted, wants.tokens)
        rates = wants.rates()
        return Held(
            of_provider=Side(wants.place, self._renamed(rates), ()) if rates else None,
            counted=counted,
            late=tuple(self._late(drawn)),
            micro_usd=wants.micro_usd if drawn else None,
        )

    def _late(self, drawn: Drawings) -> Iterator[Late]:
        wants, utc = self.wants, self.desk.memory.clock.utc()
        bounds = wants.bounds
        if money := wants.money():
            side = _side(wants.caller_place, self._renamed(money), bounds.budgets, utc)
            yield Late(side, drawn.get(wants.caller_place.group.tag))
        if money := wants.provider_money():
            side = _side(wants.place, self._renamed(money), bounds.provider_budgets, utc)
            yield Late(side, drawn.get(wants.place.group.tag))

    def _renamed(self, hold: Hold) -> Hold:
        """Who asked in vain has given the former one up: it stays so."""
        return replace(hold, id=self.desk.new_id())

    def _admit_caller(self, cause: StoreUnavailable) -> Drawings:
        hard = self.wants.bounds.hard
        match self.desk.policy.on_redis_loss:
            case "Closed" if self.caller.bounds or hard:
                text = "limits cannot be checked at the moment, and the policy is to refuse then"
                raise LimiterUnavailable(text, retry_after_seconds=1) from cause
            case "LocalShare":
                return self._take_share(hard, cause)
            case _:
                self.caller.take_freely(self.wants.tokens)
                return {}

    def _take_share(self, hard: Bound | None, cause: StoreUnavailable) -> Drawings:
        drawn = self._drawn() if hard and self.wants.micro_usd else {}
        if drawn is None and hard:
            text = f"{hard.name} cannot be checked at the moment: its spending is not known here"
            raise BudgetUnknown(text, retry_after_seconds=1) from cause
        if refusal := self.caller.take_share(self.wants.tokens):
            _put_back(drawn or {})
            raise self.desk.refusals.of_caller(refusal) from cause
        return drawn or {}

    def _drawn(self) -> Drawings | None:
        """Of what was put aside of every budget that refuses; `None` where that is not enough."""
        wants = self.wants
        drawn: dict[str, Drawn] = {}
        bounds = wants.bounds
        sides = ((wants.caller_place, bounds.budgets), (wants.place, bounds.provider_budgets))
        for place, budgets in sides:
            if any(bound.enforced for bound in budgets):
                part = self.desk.allowances.draw(place, budgets, wants.micro_usd)
                if part is None:
                    _put_back(drawn)
                    return None
                drawn[place.group.tag] = part
        return drawn


def _put_back(drawn: Drawings) -> None:
    for each in drawn.values():
        each.spent(0)


def _side(place: Place, hold: Hold, budgets: tuple[Bound, ...], utc: float) -> Side:
    """What was spent, Redis is told when it is back. Which period it is, this clock says."""
    dated = [(bound, bound.calendar) for bound in budgets if bound.calendar]
    sums: list[Sum] = [place.sum(b, b.key, f"{b.field}:{c.label(utc)}") for b, c in dated]
    return Side(place, hold, tuple(sums))
