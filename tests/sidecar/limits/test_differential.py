"""The scripts against the oracle: any sequence of calls, any passing of time, exact answers."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import redis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.errors import FlakyFailure
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from penstock_config.layout import Group
from penstock_config.periods import Arguments, Calendar
from penstock_sidecar.limits.bounds import Bound
from penstock_sidecar.limits.ledger import AS_HELD, End, Grant, Hold, Ledger, Place, Refusal
from penstock_sidecar.store import StoreUnavailable
from tests.sidecar.limits.oracle import Charge, Day, Money, Slots, Window
from tests.sidecar.limits.virtual import VirtualStore, run

SECOND = 1_000_000
LIFE = 30 * SECOND
PERIOD = 400 * SECOND
GROUP = Group.of_namespace("test", "diff")
PLACE = Place(GROUP, (GROUP.subject("one"), GROUP.slots("one")), keep_ms=10_000_000)
REQUESTS, TOKENS, PER_DAY, SLOTS, BUDGET = 6, 100, 25, 4, 500


class ShortPeriods(Calendar):
    """Days of 400 seconds."""

    def arguments(self, utc: float) -> Arguments:
        this = round(utc * SECOND) // PERIOD
        labels = (str(this + offset) for offset in (-2, -1, 0, 1))
        return (this * PERIOD, (this + 1) * PERIOD, (this + 2) * PERIOD, *labels)


def bound(kind: str, unit: str, key: int, field_name: str, limit: int) -> Bound:
    calendar = ShortPeriods("daily") if kind in "dm" else None
    what = {"r": "requests", "t": "tokens", "c": "slots", "m": "money"}[unit]
    return Bound(
        field_name,
        what,  # type: ignore[arg-type]  # one of the four
        "",
        limit,
        enforced=True,
        key=key,
        field=field_name,
        head=(kind, unit, key, field_name, limit, 1),
        window_seconds=60 if kind == "w" else 0,
        calendar=calendar,
    )


BOUNDS = (
    bound("w", "r", 4, "rpm", REQUESTS),
    bound("w", "t", 1, "tpm", TOKENS),
    bound("d", "r", 4, "rpd", PER_DAY),
    bound("c", "c", 5, "", SLOTS),
    bound("m", "m", 1, "money", BUDGET),
)


@dataclass
class Held:
    """What the oracle knows of a hold."""

    expires: int
    tokens: int
    money: int
    request_charge: Charge
    token_charge: Charge
    day: int
    period: int
    ended: int | None = None
    unsettled: bool = False
    """Ended, but for its money."""


class Differential(RuleBasedStateMachine):
    """Every call is made to both; every answer must be equal."""

    client: ClassVar["redis.Redis"]
    mutate: ClassVar[tuple[str, str] | None] = None

    @initialize()
    def begin(self) -> None:
        self.client.flushall()
        self.store = VirtualStore(self.client, self.mutate)
        self.ledger = Ledger(self.store, self.store)
        self.requests = Window(REQUESTS, SECOND)
        self.tokens = Window(TOKENS, SECOND)
        self.day = Day(PER_DAY, PERIOD)
        self.slots = Slots(SLOTS)
        self.money = Money(BUDGET, PERIOD)
        self.holds: dict[str, Held] = {}

    @property
    def now(self) -> int:
        return self.store.now_us

    @rule(
        step=st.one_of(
            st.integers(0, 3 * SECOND), st.sampled_from([1, SECOND, 59 * SECOND, 60 * SECOND, LIFE])
        )
    )
    def time_passes(self, step: int) -> None:
        self.store.now_us += step

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), offset=st.sampled_from([-1, 0, 1]))
    def an_edge_comes(self, data: st.DataObject, offset: int) -> None:
        """Just before, at, or just after something expires."""
        edges = {(h.request_charge.bucket + 61) * SECOND for h in self.holds.values()}
        edges |= {h.expires for h in self.holds.values()} | {(self.now // PERIOD + 1) * PERIOD}
        later = sorted(edge + offset for edge in edges if edge + offset >= self.now)
        if later:
            self.store.now_us = data.draw(st.sampled_from(later))

    @rule(skew=st.sampled_from([-300.0, 0.0, 300.0]))
    def the_sidecars_clock_is_off(self, skew: float) -> None:
        self.store.sidecar_skew_seconds = skew

    @rule(tokens=st.integers(0, 50), want=st.integers(0, 120), share=st.integers(0, 4))
    def acquire(self, tokens: int, want: int, share: int) -> None:
        least = want * share // 4
        id_ = f"h{len(self.holds)}"
        answer = run(self.ledger.acquire(PLACE, [Hold(id_, BOUNDS, tokens, want, least)]))
        granted = min(want, self.money.room(self.now))
        waits = self._waits(tokens, granted, least)
        rooms = self._rooms()
        if waits:
            assert isinstance(answer, Refusal)
            worst = max(waits, key=lambda pair: pair[1])
            assert (BOUNDS.index(answer.bound), answer.wait_seconds) == (worst[0], worst[1] / 1e6)
        else:
            assert isinstance(answer, Grant)
            assert answer.money == (granted,)
            rooms = [r - c for r, c in zip(rooms, (1, tokens, 1, 1, granted), strict=True)]
            self.holds[id_] = self._take(id_, tokens, granted)
        assert [s.remaining for s in answer.standings] == rooms

    def _rooms(self) -> list[int]:
        parts = (self.requests, self.tokens, self.day, self.slots, self.money)
        return [part.room(self.now) for part in parts]

    def _waits(self, tokens: int, granted: int, least: int) -> list[tuple[int, int]]:
        now, rooms = self.now, self._rooms()
        waits = []
        if rooms[0] < 1:
            waits.append((0, self.requests.wait(now, 1)))
        if rooms[1] < tokens:
            waits.append((1, self.tokens.wait(now, tokens)))
        if rooms[2] < 1:
            waits.append((2, self.day.wait(now)))
        if rooms[3] < 1:
            waits.append((3, SECOND))
        if granted < least:
            waits.append((4, self.money.wait(now)))
        return waits

    def _take(self, id_: str, tokens: int, granted: int) -> Held:
        now = self.now
        self.slots.leases[id_] = now + LIFE
        return Held(
            now + LIFE,
            tokens,
            granted,
            self.requests.take(now, 1),
            self.tokens.take(now, tokens),
            self.day.take(now, 1),
            self.money.take(now, granted),
        )

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def acquire_again(self, data: st.DataObject) -> None:
        """A retry with the same id charges nothing; after the end it takes nothing."""
        id_ = data.draw(st.sampled_from(sorted(self._remembered()) or ["none"]))
        if id_ == "none":
            return
        hold = self.holds[id_]
        call = self.ledger.acquire(PLACE, [Hold(id_, BOUNDS, hold.tokens, 120, 0)])
        if hold.ended is None or hold.unsettled:
            again = run(call)
            assert isinstance(again, Grant)
            assert again.money == (hold.money,)
        else:
            with pytest.raises(StoreUnavailable):
                run(call)

    def _remembered(self) -> list[str]:
        return [
            i
            for i, h in self.holds.items()
            if h.ended is None or h.unsettled or h.ended + LIFE > self.now
        ]

    @precondition(lambda self: self.holds)
    @rule(
        data=st.data(),
        requests=st.sampled_from([0, 1]),
        tokens=st.one_of(st.just(AS_HELD), st.integers(0, 70)),
        spent=st.one_of(st.just(AS_HELD), st.integers(0, 130)),
    )
    def settle(self, data: st.DataObject, requests: int, tokens: int, spent: int) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.holds)))
        hold = self.holds[id_]
        run(self.ledger.settle(PLACE, [End(id_, requests, tokens, spent)]))
        if hold.ended is None:
            self.slots.leases.pop(id_, None)
            self.requests.settle(self.now, hold.request_charge, requests)
            self.day.settle(hold.day, 1, requests)
            if tokens != AS_HELD:
                self.tokens.settle(self.now, hold.token_charge, tokens)
        if hold.ended is None or hold.unsettled:
            hold.ended = self.now
            hold.unsettled = spent == AS_HELD
            if spent != AS_HELD:
                self.money.settle(hold.period, hold.money, spent)

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        live = sorted(i for i, h in self.holds.items() if h.ended is None)
        if not live:
            return
        id_ = data.draw(st.sampled_from(live))
        overruns = run(self.ledger.renew(PLACE, [id_]))
        assert overruns == (not self.slots.renew(self.now, LIFE, id_))
        self.holds[id_].expires = self.now + LIFE

    @invariant()
    def no_window_is_overfull_by_admissions(self) -> None:
        if hasattr(self, "requests"):
            assert self.requests.room(self.now) >= 0

    def teardown(self) -> None:
        """The books hold the oracle's sums."""
        if not hasattr(self, "holds"):
            return
        values = self.client.hgetall(GROUP.keys[0])
        assert isinstance(values, dict)
        for period, amount in self.money.open.items():
            parts = [int(values.get(f"money:{period}:{p}".encode(), 0)) for p in "RU"]
            assert sum(parts) == amount
            assert int(values.get(f"money:{period}:S".encode(), 0)) == self.money.settled.get(
                period, 0
            )


def check(url: str, examples: int, mutate: tuple[str, str] | None = None) -> None:
    """Mutants are always shown the same examples."""
    with redis.Redis.from_url(url) as client:
        machine = type("Machine", (Differential,), {"client": client, "mutate": mutate})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=examples,
                stateful_step_count=60,
                deadline=None,
                derandomize=mutate is not None,
                phases=[Phase.generate],  # shrinking against a server takes minutes
                report_multiple_bugs=False,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


def test_the_scripts_do_what_the_oracle_does(each_redis_url: str) -> None:
    check(each_redis_url, examples=100)


MUTANTS = {
    "half as much again": ("item.limit - item.window.sum", "item.limit * 1.5 - item.window.sum"),
    "a bucket expires a second early": ("local SPAN = 60 ", "local SPAN = 59 "),
    "a bucket expires a second late": ("local SPAN = 60 ", "local SPAN = 61 "),
    "the wait is a bucket short": ("(bucket + SPAN + 1)", "(bucket + SPAN)"),
    "refunded twice": ("known[key][field] + delta", "known[key][field] + 2 * delta"),
    "charged again by a retry": ("hold.taken[1] == ENDED", "true"),
    "a hold can be settled twice": (
        "return ENDED_RECORD, memory",
        "return cmsgpack.pack(record), memory",
    ),
    "the reservation stays": ("add(key, from, -amount)", "add(key, from, 0)"),
    "settled on top": ("or 0) + moved", "or 0) + moved + 1"),
    "a lease lives on at its end": ("'(%.0f'", "'%.0f'"),
    "a lease lives a microsecond longer": (
        "now + life, item.hold.id",
        "now + life + 1, item.hold.id",
    ),
    "a lease is renewed into a full house": (">= limit", ">= limit + 1"),
    "the sidecar's clock decides the period": ("if now < start then", "if false then"),
    "less than the least is granted": ("item.hold.least or item.cost", "0 or item.cost"),
    "rounded to fourteen digits": ("format('(%.0f', now)", "'(' .. now"),
    "shortest refusal wins": ("wait > longest)", "wait < longest)"),
    "refused by the edge": ("item.room < cost and", "item.room <= cost and"),
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_it_would_notice_if(mutant: tuple[str, str], redis_url: str) -> None:
    """The test of the test: each change to the scripts makes it fail."""
    with pytest.raises((AssertionError, StoreUnavailable, redis.ResponseError, FlakyFailure)):
        check(redis_url, examples=150, mutate=mutant)
