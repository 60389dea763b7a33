"""Taking in Redis: everything that an attempt needs, of both groups at once, or nothing."""

from penstock_config.tier import Tier
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.caller_hold import CallerHold
from penstock_sidecar.limits.desk import Call, Desk
from penstock_sidecar.limits.holds import Grant, Hold, Place, Refusal, Standing
from penstock_sidecar.limits.waiting import Refused
from penstock_sidecar.limits.wants import Held, Side, Wants, side


class Taking:
    """`held` is set once all was taken."""

    def __init__(self, desk: Desk, caller: CallerHold, wants: Wants, wait_for: Tier | None) -> None:
        self.held = Held()
        self._desk = desk
        self._caller = caller
        self._wants = wants
        self._wait_for = wait_for

    async def take(self) -> Refused | None:
        """Returns why not."""
        money, hold = self._wants.money(), self._wants.of_provider()
        caller_holds = self._caller.wanted(self._wants.tokens) + ([money] if money else [])
        if refused := self._refused_before():
            return refused
        of_caller, of_provider = await self._ask(caller_holds, hold)
        if isinstance(of_caller, Refusal):
            if hold and isinstance(of_provider, Grant):
                self._desk.release(Call(self._wants.place, [hold]))
            if self._caller.one_may_fit():
                return await self.take()
            self._caller.refused(of_caller, self._wants.tokens)
            return self._by_caller(of_caller)
        if of_caller:
            self._caller.granted(of_caller.standings, self._wants.tokens)
        if isinstance(of_provider, Refusal):
            if money:
                self._caller.give_back([money])
            return self._by_provider(of_provider)
        self._keep(of_caller if money else None, of_provider)
        return None

    def _refused_before(self) -> Refused | None:
        """A moment ago, for the same."""
        desk, caller, tokens = self._desk, self._caller, self._wants.tokens
        if not caller.admitted:
            refusal = desk.recall(caller.counted(), tokens, high=caller.place.high)
            if refusal:
                return self._by_caller(refusal)
        if refusal := desk.recall(self._wants.counted(), tokens):
            return self._by_provider(refusal)
        return None

    async def _ask(
        self, caller_holds: list[Hold], hold: Hold | None
    ) -> tuple[Grant | Refusal | None, Grant | Refusal | None]:
        asked = [Call(self._wants.caller_place, caller_holds)] if caller_holds else []
        asked += [Call(self._wants.place, [hold])] if hold else []
        headroom, wants = self._desk.memory.headroom, self._wants
        counted = wants.counted() if hold else ()
        headroom.took(counted, wants.tokens)
        try:
            answers = await self._desk.acquire(asked) if asked else ()
        except BaseException:
            headroom.gave_back(counted, wants.tokens)
            raise
        for call, answer in zip(asked, answers, strict=True):
            headroom.heard(call.place, answer.standings, rates=call.place is wants.place)
        if any(isinstance(answer, Refusal) for answer in answers):
            headroom.let_go(counted)
        told = iter(answers)
        return next(told) if caller_holds else None, next(told) if hold else None

    def _by_caller(self, refusal: Refusal) -> Refused:
        return Refused(refusal, refusal.bound.queue, self._desk.refusals.of_caller)

    def _by_provider(self, refusal: Refusal) -> Refused:
        desk, wants = self._desk, self._wants
        desk.shares.refused(wants.counted(), refusal)
        desk.denials.remember(wants.counted(), refusal, wants.tokens)
        queue = self._wait_for.queue if self._wait_for and not refusal.bound.budget else None
        return Refused(refusal, queue, desk.refusals.of_provider)

    def _keep(self, of_caller: Grant | None, of_provider: Grant | None) -> None:
        wants, bounds = self._wants, self._wants.bounds
        money, hold = wants.money(), wants.of_provider()
        of_money = side(wants.caller_place, money, of_caller) if money and of_caller else None
        of_rates = side(wants.place, hold, of_provider) if hold and of_provider else None
        self.held = Held(
            of_caller=of_money,
            of_provider=of_rates,
            counted=wants.counted() if of_rates else (),
            standings=_standings(of_caller, of_provider),
            micro_usd=min(_money(of_money, of_rates), default=None) if bounds.hard else None,
        )
        self._desk.shares.granted(self.held.counted, wants.tokens)
        self._put_aside(wants.caller_place, bounds.budgets, of_caller)
        self._put_aside(wants.place, bounds.provider_budgets, of_provider)

    def _put_aside(self, place: Place, budgets: tuple[Bound, ...], grant: Grant | None) -> None:
        if grant and grant.sums and self._desk.policy.on_redis_loss == "LocalShare":
            self._desk.allowances.spent(place, budgets, grant.money[-1], grant.standings)


def _standings(of_money: Grant | None, of_provider: Grant | None) -> tuple[Standing, ...]:
    money = of_money.standings if of_money else ()
    return (
        *(s for s in money if s.bound.what == "money"),
        *(of_provider.standings if of_provider else ()),
    )


def _money(*sides: Side | None) -> list[int]:
    return [each.hold.want_micro_usd for each in sides if each and each.sums]
