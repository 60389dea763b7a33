"""One upstream call's holds: money at its candidate's price, and the provider's limits."""

import math
from collections.abc import Sequence
from types import TracebackType
from typing import Final, Self

from penstock_config.budget import Budget
from penstock_config.tier import Tier
from penstock_sidecar.errors import PriceUnbounded, UpstreamError, UpstreamLimited
from penstock_sidecar.limits.away import Away
from penstock_sidecar.limits.binding import Asker, CandidateBounds
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.caller_hold import CallerHold
from penstock_sidecar.limits.charge import NOTHING, Charge, Meter, Seen
from penstock_sidecar.limits.desk import Desk
from penstock_sidecar.limits.holds import End, Standing
from penstock_sidecar.limits.refusals import amount, too_large
from penstock_sidecar.limits.taking import Taking
from penstock_sidecar.limits.waiting import Turn
from penstock_sidecar.limits.wants import Held, Late, Side, Wants
from penstock_sidecar.metering.estimate import OUTPUT_TOKENS, Quote, output_cap
from penstock_sidecar.metering.features import unbounded_feature
from penstock_sidecar.metering.terms import asks_to_think
from penstock_sidecar.model import Chunk, Usage
from penstock_sidecar.store import StoreUnavailable
from penstock_sidecar.values import dataclass


@dataclass(frozen=True, slots=True)
class Most:
    """What nothing of one request may exceed. `until` is on the loop's clock; `output_tokens` of
    `None` is: as long as caller and model say."""

    until: float = math.inf
    output_tokens: int | None = None


NO_BOUND: Final = Most()


class Attempt:
    """Enter to take everything or nothing; leave to settle, exactly once, off the caller's path."""

    def __init__(
        self,
        desk: Desk,
        caller: CallerHold,
        asker: Asker,
        bounds: CandidateBounds,
        wait_for: Tier | None = None,
        most: Most = NO_BOUND,
    ) -> None:
        self.id = desk.new_id()
        self.max_output_tokens: int | None = None
        """What to send upstream; `None` leaves the request as it is."""
        self.cost_micro_usd = 0
        """What was settled; 0 before."""
        self.cost_known = True
        """Whether that is what it cost: without a price nobody knows, which is not free."""
        self.not_before = 0.0
        """On the loop's clock; for who waits in a tier's queue alone."""
        self._desk = desk
        self._caller = caller
        self._bounds = bounds
        self._wait_for = wait_for
        self._request, self._input = asker.request, asker.given
        self._until = most.until
        self._cap = _lower(output_cap(asker.request, bounds.model), most.output_tokens)
        self._wants = self._worked_out(asker)
        self._held = Held()
        self._seen = Seen()

    def _worked_out(self, asker: Asker) -> Wants:
        given, choices = asker.given, asker.request.choices
        output_tokens = OUTPUT_TOKENS if self._cap is None else self._cap
        price = self._bounds.price
        return Wants(
            id=self.id,
            caller_place=self._caller.place,
            place=self._bounds.place(asker, waits=self._wait_for is not None),
            bounds=self._bounds,
            quote=Quote.of(price, given, choices, output_tokens) if price else None,
            tokens=given.tokens + choices * output_tokens,
        )

    @property
    def standings(self) -> tuple[Standing, ...]:
        """Of the provider's limits, and of all budgets."""
        return self._held.standings

    @property
    def usage(self) -> Usage | None:
        return self._seen.usage

    def sent(self) -> None:
        """The request goes out to the provider now."""
        self._seen.sent = True

    def overtaken(self) -> None:
        """We cancel this attempt: another's answer is taken, or its time is over."""
        self._seen.overtaken = True

    def saw(self, chunk: Chunk) -> None:
        self._seen.add(chunk)

    async def __aenter__(self) -> Self:
        self._refuse_the_impossible()
        await self._caller.settled()
        taking = Taking(self._desk, self._caller, self._wants, self._wait_for)
        try:
            await self._turn().have(taking.take)
            self._held = taking.held
        except StoreUnavailable as error:
            self._held = Away(self._desk, self._caller, self._wants).take(error)
        for side in self._held.to_renew():
            self._desk.renewals.keep(side.place, side.hold)
        self._lower_output()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        meter = Meter(self._bounds.price, self._input, self._held.micro_usd, self._hidden)
        charge = meter.charge(self._seen, error)
        self.cost_micro_usd = charge.micro_usd or 0
        self.cost_known = self._bounds.price is not None or charge == NOTHING
        self._learn()
        self._settle(charge, served=error is None)
        self._caller.attempt_ended(charge, served=self._seen.content or self._left_to_itself(error))
        self._desk.shares.free_slots(self._held.counted)
        self._desk.memory.headroom.ended(self._held.counted, self._wants.tokens, charge.tokens)

    @property
    def _hidden(self) -> bool:
        """It may think unseen: what nobody asked to think does not."""
        return "reasoning" in self._bounds.model.capabilities or asks_to_think(self._request)

    def _turn(self) -> Turn:
        """Who waits for a provider has passed the caller's limits."""
        if tier := self._wait_for:
            return Turn(self._desk, f"tier:{tier.id}", tier.queue, self._until, self.not_before)
        line = None if self._caller.admitted else self._caller.line
        return Turn(self._desk, line, self._desk.queue(), self._until)

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
        if hard and hard.budget:
            self._refuse_the_unbounded(hard.budget)

    def _refuse_the_unbounded(self, budget: Budget) -> None:
        """What nobody can say the most it costs cannot be held against a budget."""
        if self._wants.quote is None:
            raise self._desk.refusals.price_unknown(budget, self._bounds.price_unknown)
        if not self._wants.micro_usd:
            return
        if field := unbounded_feature(self._request, self._bounds.provider_type):
            text = f"budget {budget.id} refuses `{field}`: nobody can say what it costs at most"
            raise PriceUnbounded(text, param=field)

    def _lower_output(self) -> None:
        """Never longer than the model can, nor than the budget affords; said only where it
        differs from what the caller asked."""
        if self._request.embeds:
            return
        most, quote = self._cap, self._wants.quote
        if quote and self._held.micro_usd is not None:
            most = quote.affordable_output_tokens(self._held.micro_usd)
        if most != self._request.max_output_tokens:
            self.max_output_tokens = most

    def _learn(self) -> None:
        if (usage := self._seen.usage) and self._seen.usage_is_final:
            ratios = self._desk.memory.ratios
            ratios.learn(self._bounds.label, self._input, usage.input_tokens)

    def _settle(self, charge: Charge, *, served: bool) -> None:
        held = self._held
        for late in held.late:
            self._settle_late(late, charge)
        if side := held.of_provider:
            self._desk.settlements.settle(side.place, [self._end(side, charge)])
        if side := held.of_caller:
            end = self._end(side, charge)
            if served:
                self._caller.settle_at_end(end)
            else:
                self._caller.settle_now([end])

    def _settle_late(self, late: Late, charge: Charge) -> None:
        if charge.micro_usd is None:
            self._desk.renewals.drop(late.side.place, late.side.hold.id)
            self._desk.arrears.owe(late)
            return
        self._desk.settlements.settle(late.side.place, [self._end(late.side, charge)])
        if late.drawn:
            late.drawn.spent(charge.micro_usd)

    def _end(self, side: Side, charge: Charge) -> End:
        self._desk.renewals.drop(side.place, side.hold.id)
        sums = side.sums if charge.micro_usd else ()
        if charge.micro_usd is not None:
            self._desk.memory.headroom.spent(side.place, side.hold, charge.micro_usd)
        if charge.micro_usd:
            self._desk.ledger.spend(side.place, sums, charge.micro_usd)
        known = charge.micro_usd is not None
        return End(side.hold.id, charge.requests, charge.tokens, known, sums)


def _lower(cap: int | None, most: int | None) -> int | None:
    """Nothing is generated for embeddings: their cap of 0 stays."""
    said = [tokens for tokens in (cap, most) if tokens is not None]
    return min(said, default=None)


def _smaller_than(tokens: int, bounds: Sequence[Bound]) -> Bound | None:
    """A token limit that can never hold so many."""
    return next(
        (b for b in bounds if b.what == "tokens" and b.enforced and b.amount < tokens), None
    )
