"""One upstream call's holds: money at its candidate's price, and the provider's limits."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from penstock_sidecar.errors import (
    BudgetUnknown,
    LimiterUnavailable,
    UpstreamError,
    UpstreamLimited,
)
from penstock_sidecar.limits.binding import CandidateBounds
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.caller_hold import CallerHold
from penstock_sidecar.limits.charge import Charge, Meter, Seen
from penstock_sidecar.limits.desk import Call, Desk
from penstock_sidecar.limits.ledger import End, Grant, Hold, Place, Refusal, Standing
from penstock_sidecar.limits.refusals import amount, too_large
from penstock_sidecar.limits.shares import Counted
from penstock_sidecar.metering.estimate import OUTPUT_TOKENS, Input, Quote, output_cap
from penstock_sidecar.model import Chunk, Request, Usage
from penstock_sidecar.store import StoreUnavailable


class Attempt:
    """Enter to take everything or nothing; leave to settle, exactly once, off the caller's path."""

    def __init__(
        self,
        desk: Desk,
        caller: CallerHold,
        bounds: CandidateBounds,
        request: Request,
        given: Input,
    ) -> None:
        self.id = desk.new_id()
        self.max_output_tokens: int | None = None
        """What to send upstream; `None` leaves the request as it is."""
        self.cost_micro_usd = 0
        """What was settled; 0 before."""
        self.standings: tuple[Standing, ...] = ()
        """Of the provider's limits, and of all budgets."""
        self._desk = desk
        self._caller = caller
        self._bounds = bounds
        self._asked = request.max_output_tokens
        self._input = given
        cap = output_cap(request, bounds.model)
        self._cap = cap
        output_tokens = OUTPUT_TOKENS if cap is None else cap
        self._tokens = given.tokens + request.choices * output_tokens
        self._quote = bounds.price and Quote.of(bounds.price, given, request.choices, output_tokens)
        self._seen = Seen()
        self._money = False
        self._places: list[Place] = []
        self._shared: Sequence[Counted] = ()
        self._held_micro_usd: int | None = None

    @property
    def usage(self) -> Usage | None:
        return self._seen.usage

    def sent(self) -> None:
        """The request goes out to the provider now."""
        self._seen.sent = True

    def saw(self, chunk: Chunk) -> None:
        self._seen.add(chunk)

    async def __aenter__(self) -> Self:
        self._refuse_the_impossible()
        await self._caller.settled()
        try:
            await self._take()
        except StoreUnavailable as error:
            self._take_share(error)
        self._lower_output()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        meter = Meter(self._bounds.price, self._input, self._held_micro_usd)
        charge = meter.charge(self._seen, error)
        self.cost_micro_usd = max(0, charge.micro_usd)
        self._settle(charge, served=error is None)
        self._caller.attempt_ended(charge, served=self._seen.content or self._left_to_itself(error))
        self._desk.shares.free_slots(self._shared)

    def _left_to_itself(self, error: BaseException | None) -> bool:
        """The provider was asked and has not failed: whoever left, it was not the provider. Who
        hangs up in time would else pass every limit."""
        return self._seen.sent and not isinstance(error, UpstreamError)

    def _refuse_the_impossible(self) -> None:
        """What no waiting mends, before anybody is asked."""
        tokens = self._input.tokens
        if bound := _smaller_than(tokens, self._caller.bounds):
            raise too_large(bound, tokens)
        if bound := _smaller_than(tokens, self._bounds.rates):
            text = f"{bound.name} grants {amount(bound)}; this input has about {tokens}"
            raise UpstreamLimited(text)
        hard = self._bounds.hard
        if hard and hard.budget and self._quote is None:
            raise self._desk.refusals.price_unknown(hard.budget, self._bounds.price_unknown)

    async def _take(self) -> None:
        money = self._money_hold(self._bounds.budgets)
        caller_holds = self._caller.wanted(self._tokens) + money
        provider_holds = self._provider_holds()
        asked = [
            Call(place, holds)
            for place, holds in (
                (self._caller.place, caller_holds),
                (self._bounds.place, provider_holds),
            )
            if holds
        ]
        answers = iter(await self._desk.acquire(asked)) if asked else iter(())
        of_caller = next(answers) if caller_holds else None
        of_provider = next(answers) if provider_holds else None
        if isinstance(of_caller, Refusal):
            if isinstance(of_provider, Grant):
                self._desk.release(asked[-1])
            self._caller.refused(of_caller)
            raise self._desk.refusals.of_caller(of_caller)
        if of_caller:
            self._caller.granted(of_caller.standings, self._tokens)
        if isinstance(of_provider, Refusal):
            self._desk.shares.refused(self._counted(), of_provider)
            if money:
                self._caller.give_back(money)
            raise self._desk.refusals.of_provider(of_provider)
        self._keep(of_caller if money else None, of_provider)

    def _money_hold(self, budgets: tuple[Bound, ...]) -> list[Hold]:
        quote = self._quote
        if not budgets or not quote or not quote.most_micro_usd:
            return []
        return [Hold(self.id, budgets, 0, quote.most_micro_usd, quote.least_micro_usd)]

    def _provider_holds(self) -> list[Hold]:
        """Rates and provider-wide budgets of one attempt are one hold."""
        for money in self._money_hold(self._bounds.provider_budgets):
            bounds = self._bounds.rates + self._bounds.provider_budgets
            return [
                Hold(self.id, bounds, self._tokens, money.want_micro_usd, money.least_micro_usd)
            ]
        return [Hold(self.id, self._bounds.rates, self._tokens)] if self._bounds.rates else []

    def _keep(self, money: Grant | None, provider: Grant | None) -> None:
        granted = []
        if money:
            self._money = True
            self.standings += tuple(s for s in money.standings if s.bound.what == "money")
            granted.append(money.money[-1])
            self._desk.renewals.keep(self._caller.place, self.id)
        if provider:
            self.standings += provider.standings
            self._places.append(self._bounds.place)
            self._desk.renewals.keep(self._bounds.place, self.id)
            self._shared = self._counted()
            self._desk.shares.granted(self._shared, self._tokens)
            granted += provider.money if self._money_hold(self._bounds.provider_budgets) else ()
        if self._bounds.hard:
            self._held_micro_usd = min(granted, default=None)

    def _take_share(self, cause: StoreUnavailable) -> None:
        """Redis is away: by the policy for the caller, always by share for the provider."""
        match self._desk.policy.on_redis_loss:
            case "Closed" if self._caller.bounds or self._bounds.hard:
                text = "limits cannot be checked at the moment, and the policy is to refuse then"
                raise LimiterUnavailable(text, retry_after_seconds=1) from cause
            case "LocalShare":
                self._take_local_share(cause)
            case _:
                pass
        wanted = self._counted()
        refusal = self._desk.shares.take(wanted, self._tokens, self._bounds.sidecars)
        if refusal:
            raise self._desk.refusals.of_provider(refusal) from cause
        self._shared = wanted

    def _counted(self) -> Sequence[Counted]:
        return [(self._bounds.place.group.tag, bound) for bound in self._bounds.rates]

    def _take_local_share(self, cause: StoreUnavailable) -> None:
        hard = self._bounds.hard
        if hard and self._quote and self._quote.most_micro_usd:
            text = f"{hard.name} cannot be checked at the moment: its spending is not known here"
            raise BudgetUnknown(text, retry_after_seconds=1) from cause
        refusal = self._caller.take_share(self._tokens)
        if refusal:
            raise self._desk.refusals.of_caller(refusal) from cause

    def _lower_output(self) -> None:
        """Never longer than the model can, nor than the budget affords; said only where it
        differs from what the caller asked."""
        most = self._cap
        if self._quote and self._held_micro_usd is not None:
            most = self._quote.affordable_output_tokens(self._held_micro_usd)
        if most != self._asked:
            self.max_output_tokens = most

    def _settle(self, charge: Charge, *, served: bool) -> None:
        end = End(self.id, charge.requests, charge.tokens, charge.micro_usd)
        for place in self._places:
            self._desk.renewals.drop(place, self.id)
            self._desk.settlements.settle(place, [end])
        if self._money:
            self._desk.renewals.drop(self._caller.place, self.id)
            if served:
                self._caller.settle_at_end(end)
            else:
                self._caller.settle_now([end])


def _smaller_than(tokens: int, bounds: Sequence[Bound]) -> Bound | None:
    """A token limit that can never hold so many."""
    return next(
        (b for b in bounds if b.what == "tokens" and b.enforced and b.amount < tokens), None
    )
