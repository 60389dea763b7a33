"""One upstream call's holds: money at its candidate's price, and the provider's limits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

from penstock_config.tier import Tier
from penstock_sidecar.errors import (
    BudgetUnknown,
    LimiterUnavailable,
    UpstreamError,
    UpstreamLimited,
)
from penstock_sidecar.limits.binding import Asker, CandidateBounds
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.caller_hold import CallerHold
from penstock_sidecar.limits.charge import Charge, Meter, Seen
from penstock_sidecar.limits.desk import Call, Desk
from penstock_sidecar.limits.holds import End, Grant, Hold, Place, Refusal, Standing, Sum
from penstock_sidecar.limits.refusals import amount, too_large
from penstock_sidecar.limits.shares import Counted
from penstock_sidecar.limits.waiting import Refused, Turn
from penstock_sidecar.metering.estimate import OUTPUT_TOKENS, Quote, output_cap
from penstock_sidecar.model import Chunk, Usage
from penstock_sidecar.store import StoreUnavailable


@dataclass(frozen=True, slots=True)
class _Side:
    """A hold of this attempt's in one group, and where its money is added up."""

    place: Place
    hold: Hold
    sums: tuple[Sum, ...]


class Attempt:
    """Enter to take everything or nothing; leave to settle, exactly once, off the caller's path."""

    def __init__(
        self,
        desk: Desk,
        caller: CallerHold,
        asker: Asker,
        bounds: CandidateBounds,
        wait_for: Tier | None = None,
    ) -> None:
        request, given = asker.request, asker.given
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
        self._place = bounds.place(asker)
        self._wait_for = wait_for
        self._request = request
        self._input = given
        cap = output_cap(request, bounds.model)
        self._cap = cap
        output_tokens = OUTPUT_TOKENS if cap is None else cap
        self._tokens = given.tokens + request.choices * output_tokens
        self._quote = bounds.price and Quote.of(bounds.price, given, request.choices, output_tokens)
        self._seen = Seen()
        self._of_caller: _Side | None = None
        self._of_provider: _Side | None = None
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
            await self._turn().have(self._take)
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
        self.cost_micro_usd = charge.micro_usd or 0
        self._settle(charge, served=error is None)
        self._caller.attempt_ended(charge, served=self._seen.content or self._left_to_itself(error))
        self._desk.shares.free_slots(self._shared)

    def _turn(self) -> Turn:
        """Who waits for a provider has passed the caller's limits."""
        if tier := self._wait_for:
            return Turn(self._desk, f"tier:{tier.id}", tier.queue, self._request)
        line = None if self._caller.admitted else self._caller.line
        return Turn(self._desk, line, self._desk.queue(), self._request)

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

    async def _take(self) -> Refused | None:
        """Everything or nothing; returns why not."""
        desk, caller = self._desk, self._caller
        caller_holds, provider_hold = self._wanted()
        refusal = None if caller.admitted else desk.recall(caller.counted(), self._tokens)
        if refusal:
            return Refused(refusal, refusal.bound.queue, desk.refusals.of_caller)
        if refusal := desk.recall(self._counted(), self._tokens):
            return self._refused_by_provider(refusal)
        asked = [Call(caller.place, caller_holds)] if caller_holds else []
        asked += [Call(self._place, [provider_hold])] if provider_hold else []
        answers = iter(await desk.acquire(asked)) if asked else iter(())
        of_caller = next(answers) if caller_holds else None
        of_provider = next(answers) if provider_hold else None
        if isinstance(of_caller, Refusal):
            if isinstance(of_provider, Grant):
                desk.release(asked[-1])
            caller.refused(of_caller, self._tokens)
            return Refused(of_caller, of_caller.bound.queue, desk.refusals.of_caller)
        if of_caller:
            caller.granted(of_caller.standings, self._tokens)
        if isinstance(of_provider, Refusal):
            desk.shares.refused(self._counted(), of_provider)
            desk.denials.remember(self._counted(), of_provider, self._tokens)
            if money := self._money_hold(self._bounds.budgets):
                caller.give_back([money])
            return self._refused_by_provider(of_provider)
        self._keep(of_caller, of_provider)
        return None

    def _refused_by_provider(self, refusal: Refusal) -> Refused:
        queue = self._wait_for.queue if self._wait_for and not refusal.bound.budget else None
        return Refused(refusal, queue, self._desk.refusals.of_provider)

    def _wanted(self) -> tuple[list[Hold], Hold | None]:
        """For the namespace's books, and for the provider's."""
        money = self._money_hold(self._bounds.budgets)
        caller_holds = self._caller.wanted(self._tokens)
        return caller_holds + ([money] if money else []), self._provider_hold()

    def _money_hold(self, budgets: tuple[Bound, ...]) -> Hold | None:
        quote = self._quote
        if not budgets or not quote or not quote.most_micro_usd:
            return None
        return Hold(self.id, budgets, 0, quote.most_micro_usd, quote.least_micro_usd)

    def _provider_hold(self) -> Hold | None:
        """Rates and provider-wide budgets of one attempt are one hold."""
        money = self._money_hold(self._bounds.provider_budgets)
        if money:
            bounds = self._bounds.rates + self._bounds.provider_budgets
            return replace(money, bounds=bounds, tokens=self._tokens)
        return Hold(self.id, self._bounds.rates, self._tokens) if self._bounds.rates else None

    def _keep(self, of_caller: Grant | None, of_provider: Grant | None) -> None:
        granted = []
        if of_caller and (money := self._money_hold(self._bounds.budgets)):
            self.standings += tuple(s for s in of_caller.standings if s.bound.what == "money")
            held = replace(money, want_micro_usd=of_caller.money[-1])
            self._of_caller = self._side(self._caller.place, held, of_caller.sums)
            granted.append(of_caller.money[-1])
        if of_provider and (hold := self._provider_hold()):
            self.standings += of_provider.standings
            if of_provider.sums:
                granted.append(of_provider.money[0])
                hold = replace(hold, want_micro_usd=of_provider.money[0])
            self._of_provider = self._side(self._place, hold, of_provider.sums)
            self._shared = self._counted()
            self._desk.shares.granted(self._shared, self._tokens)
        if self._bounds.hard:
            self._held_micro_usd = min(granted, default=None)

    def _side(self, place: Place, hold: Hold, sums: tuple[Sum, ...]) -> _Side:
        self._desk.renewals.keep(place, hold)
        return _Side(place, hold, sums)

    def _take_share(self, cause: StoreUnavailable) -> None:
        """Redis is away: by the policy for the caller, always by share for the provider."""
        match self._desk.policy.on_redis_loss:
            case "Closed" if self._caller.bounds or self._bounds.hard:
                text = "limits cannot be checked at the moment, and the policy is to refuse then"
                raise LimiterUnavailable(text, retry_after_seconds=1) from cause
            case "LocalShare":
                self._take_local_share(cause)
            case _:
                self._caller.take_freely(self._tokens)
        wanted = self._counted()
        known = self._desk.memory.books(self._place.group.tag).processes
        sidecars = max(self._bounds.sidecars, known)
        refusal = self._desk.shares.take(wanted, self._tokens, sidecars)
        if refusal:
            raise self._desk.refusals.of_provider(refusal) from cause
        self._shared = wanted
        self._keep_for_later()

    def _keep_for_later(self) -> None:
        """What Redis would have held, it is told when it is back; what is spent as well."""
        utc = self._desk.memory.clock.utc()
        if money := self._money_hold(self._bounds.budgets):
            sums = _sums_now(self._caller.place, self._bounds.budgets, utc)
            self._of_caller = self._side(self._caller.place, money, sums)
        if hold := self._provider_hold():
            sums = _sums_now(self._place, self._bounds.provider_budgets, utc)
            self._of_provider = self._side(self._place, hold, sums)

    def _counted(self) -> Sequence[Counted]:
        place = self._place
        return [Counted(place.group, place.name(b.key), b) for b in self._bounds.rates]

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
        if most != self._request.max_output_tokens:
            self.max_output_tokens = most

    def _settle(self, charge: Charge, *, served: bool) -> None:
        if side := self._of_provider:
            self._desk.settlements.settle(side.place, [self._end(side, charge)])
        if side := self._of_caller:
            end = self._end(side, charge)
            if served:
                self._caller.settle_at_end(end)
            else:
                self._caller.settle_now([end])

    def _end(self, side: _Side, charge: Charge) -> End:
        self._desk.renewals.drop(side.place, self.id)
        sums = side.sums if charge.micro_usd else ()
        if charge.micro_usd:
            self._desk.ledger.spend(side.place, sums, charge.micro_usd)
        known = charge.micro_usd is not None
        return End(self.id, charge.requests, charge.tokens, known, sums)


def _sums_now(place: Place, bounds: tuple[Bound, ...], utc: float) -> tuple[Sum, ...]:
    """By this clock, where Redis could not say which period it is."""
    return tuple(
        place.sum(b, b.key, f"{b.field}:{b.calendar.label(utc)}") for b in bounds if b.calendar
    )


def _smaller_than(tokens: int, bounds: Sequence[Bound]) -> Bound | None:
    """A token limit that can never hold so many."""
    return next(
        (b for b in bounds if b.what == "tokens" and b.enforced and b.amount < tokens), None
    )
