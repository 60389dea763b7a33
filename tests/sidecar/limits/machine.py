"""A state machine of calls to the books: every one is made to the scripts and to the oracle."""

from dataclasses import dataclass
from typing import ClassVar

import pytest
import redis
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from penstock_config.layout import Group
from penstock_config.periods import Arguments, Calendar
from penstock_sidecar.limits.bounds import Bound, smooth
from penstock_sidecar.limits.holds import AS_HELD, End, Grant, Hold, Place, Refusal, Sum
from penstock_sidecar.limits.ledger import Ledger
from penstock_sidecar.store import StoreUnavailable
from tests.sidecar.limits.oracle import Charge, Day, Money, Slots, Smooth, Window
from tests.sidecar.limits.virtual import VirtualStore, run
from tests.sidecar.limits.world import memory

SECOND = 1_000_000
LIFE = 30 * SECOND
PERIOD = 400 * SECOND
GROUP = Group.of_namespace("test", "diff")
PLACE = Place(GROUP, (GROUP.subject("one"), GROUP.slots("one")))
REQUESTS, TOKENS, PACED, PER_DAY, SLOTS, BUDGET = 6, 100, 70, 25, 2, 500


class ShortPeriods(Calendar):
    """Days of 400 seconds."""

    def arguments(self, utc: float) -> Arguments:
        this = round(utc * SECOND) // PERIOD
        labels = (str(this + offset) for offset in (-2, -1, 0, 1))
        return (this * PERIOD, (this + 1) * PERIOD, (this + 2) * PERIOD, *labels)


def bound(kind: str, unit: str, key: int, field_name: str, limit: int) -> Bound:
    calendar = ShortPeriods("daily") if kind in "dm" else None
    what = {"r": "requests", "t": "tokens", "c": "slots", "m": "money"}[unit]
    pacing = {"w": (SECOND,), "g": smooth(limit, 60)}.get(kind, ())
    return Bound(
        field_name,
        what,  # type: ignore[arg-type]  # one of the four
        "",
        limit,
        enforced=True,
        key=key,
        field=field_name,
        head=(kind, unit, key, field_name),
        pacing=pacing,
        window_seconds=60 if kind == "w" else 0,
        calendar=calendar,
    )


BOUNDS = (
    bound("w", "r", 4, "rpm", REQUESTS),
    bound("w", "t", 1, "tpm", TOKENS),
    bound("g", "t", 4, "tps", PACED),
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
    sums: tuple[Sum, ...]
    request_charge: Charge
    token_charge: Charge
    paced: int
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
        self.ledger = Ledger(self.store, memory(self.store))
        self.requests = Window(REQUESTS, SECOND)
        self.tokens = Window(TOKENS, SECOND)
        self.paced = Smooth(PACED, *smooth(PACED, 60))
        self.day = Day(PER_DAY, PERIOD)
        self.slots = Slots(SLOTS)
        self.money = Money(BUDGET, PERIOD)
        self.holds: dict[str, Held] = {}
        self.unheard: dict[int, int] = {}
        """Spent in a period, and not told to Redis yet."""
        self.latest = self.now

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
        self.latest = max(self.latest, self.now)

    @rule(step=st.one_of(st.integers(1, 3 * SECOND), st.integers(1, 200 * SECOND)))
    def the_clock_falls_back(self, step: int) -> None:
        """As after a failover to a server whose clock is behind."""
        self.store.now_us -= step

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), offset=st.sampled_from([-1, 0, 1]))
    def an_edge_comes(self, data: st.DataObject, offset: int) -> None:
        """Just before, at, or just after something expires."""
        edges = {(h.request_charge.bucket + 61) * SECOND for h in self.holds.values()}
        edges |= {h.expires for h in self.holds.values()} | {(self.now // PERIOD + 1) * PERIOD}
        edges.add(self.now + self.paced.wait(self.now))
        later = sorted(edge + offset for edge in edges if edge + offset >= self.now)
        if later:
            self.store.now_us = data.draw(st.sampled_from(later))
            self.latest = max(self.latest, self.now)

    @rule(skew=st.sampled_from([-300.0, 0.0, 300.0]))
    def the_sidecars_clock_is_off(self, skew: float) -> None:
        self.store.sidecar_skew_seconds = skew

    @rule(tokens=st.integers(0, 50), want=st.integers(0, 120), share=st.integers(0, 4))
    def acquire(self, tokens: int, want: int, share: int) -> None:
        least = want * share // 4
        id_ = f"h{len(self.holds)}"
        answer = run(self.ledger.acquire(PLACE, [Hold(id_, BOUNDS, tokens, want, least)]))
        granted = min(want, self.money.room(self.now))
        paced = min(tokens, PACED // 2)
        waits = self._waits(tokens, paced, granted, least)
        rooms = self._rooms(paced)
        if waits:
            assert isinstance(answer, Refusal)
            worst = max(waits, key=lambda pair: pair[1])
            assert (BOUNDS.index(answer.bound), answer.wait_seconds) == (worst[0], worst[1] / 1e6)
        else:
            assert isinstance(answer, Grant)
            assert answer.money == (granted,)
            costs = (1, tokens, paced, 1, 1, granted)
            rooms = [r - c for r, c in zip(rooms, costs, strict=True)]
            self.holds[id_] = self._take(id_, tokens, granted, answer.sums)
        remaining = [s.remaining for s in answer.standings]
        assert remaining == rooms, f"{remaining} are left instead of {rooms}"

    def _rooms(self, paced: int) -> list[int]:
        now = self.now
        rooms = [self.requests.room(now), self.tokens.room(now), self.paced.room(now, paced)]
        return [*rooms, self.day.room(now), self.slots.room(now), self.money.room(now)]

    def _waits(self, tokens: int, paced: int, granted: int, least: int) -> list[tuple[int, int]]:
        now, rooms = self.now, self._rooms(paced)
        waits = []
        if rooms[0] < 1:
            waits.append((0, self.requests.wait(now, 1)))
        if rooms[1] < tokens:
            waits.append((1, self.tokens.wait(now, tokens)))
        if rooms[2] < paced:
            waits.append((2, self.paced.wait(now)))
        if rooms[3] < 1:
            waits.append((3, self.day.wait(now)))
        if rooms[4] < 1:
            waits.append((4, SECOND))
        if granted < least:
            waits.append((5, self.money.wait(now)))
        return waits

    def _take(self, id_: str, tokens: int, granted: int, sums: tuple[Sum, ...]) -> Held:
        now = self.now
        paced = min(tokens, PACED // 2)
        self.slots.take(now, LIFE, id_)
        self.paced.take(now, paced)
        return Held(
            now + LIFE,
            tokens,
            granted,
            sums,
            self.requests.take(now, 1),
            self.tokens.take(now, tokens),
            paced,
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
            self._look()
            assert isinstance(again, Grant)
            assert (again.money, again.sums) == ((hold.money,), hold.sums)
        else:
            with pytest.raises(StoreUnavailable):
                run(call)

    def _look(self) -> None:
        """As every call does that judges."""
        self.requests.look(self.now)
        self.tokens.look(self.now)

    def _remembered(self) -> list[str]:
        return [
            i
            for i, h in self.holds.items()
            if h.ended is None or h.unsettled or min(h.expires, h.ended + LIFE) > self.latest
        ]

    @precondition(lambda self: self.holds)
    @rule(
        data=st.data(),
        requests=st.sampled_from([0, 1]),
        tokens=st.one_of(st.just(AS_HELD), st.integers(0, 70)),
        spent=st.one_of(st.none(), st.integers(0, 130)),
    )
    def settle(self, data: st.DataObject, requests: int, tokens: int, spent: int | None) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.holds)))
        hold = self.holds[id_]
        if (hold.ended is None or hold.unsettled) and spent is not None:
            self._spend(hold, spent)
        run(self.ledger.settle(PLACE, [End(id_, requests, tokens, spent is not None, hold.sums)]))
        self._tell(hold.period)
        self._end(hold, id_, requests, tokens, spent)

    def _spend(self, hold: Held, spent: int) -> None:
        self.ledger.spend(PLACE, hold.sums, spent)
        self.unheard[hold.period] = self.unheard.get(hold.period, 0) + spent

    def _tell(self, period: int) -> None:
        self.money.hear(period, self.unheard.pop(period, 0))

    def _end(self, hold: Held, id_: str, requests: int, tokens: int, spent: int | None) -> None:
        if hold.ended is None:
            self.slots.leases.pop(id_, None)
            self.requests.settle(self.now, hold.request_charge, requests)
            self.day.settle(hold.day, 1, requests)
            if tokens != AS_HELD:
                self.tokens.settle(self.now, hold.token_charge, tokens)
                self.paced.settle(self.now, hold.paced, tokens)
        if hold.ended is None or hold.unsettled:
            hold.ended = self.now
            hold.unsettled = spent is None
            if spent is not None:
                self.money.release(hold.period, hold.money)

    @precondition(lambda self: self.holds)
    @rule(data=st.data(), spent=st.integers(0, 130))
    def a_settlement_is_lost(self, data: st.DataObject, spent: int) -> None:
        """On its way: the hold stays, and what it spent is told with the next sum of its period."""
        live = sorted(i for i, h in self.holds.items() if h.ended is None or h.unsettled)
        if live:
            self._spend(self.holds[data.draw(st.sampled_from(live))], spent)

    @rule()
    def all_is_published(self) -> None:
        place = Place(GROUP, (GROUP.members,))
        totals = [(1, total) for total in self.ledger.memory.totals.within(GROUP.tag)]
        run(self.ledger.publish(place, totals, ()))
        for period in list(self.unheard):
            self._tell(period)

    @precondition(lambda self: self.holds)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        live = sorted(i for i, h in self.holds.items() if h.ended is None)
        if not live:
            return
        id_ = data.draw(st.sampled_from(live))
        overruns, gone = run(self.ledger.renew(PLACE, [id_]))
        assert not gone
        assert overruns == (not self.slots.renew(self.now, LIFE, id_))
        self.holds[id_].expires = self.now + LIFE

    @invariant()
    def no_window_is_overfull_by_admissions(self) -> None:
        """Without a look at the clock, which only calls have."""
        if hasattr(self, "requests"):
            assert sum(charge.amount for charge in self.requests.live(self.now)) <= REQUESTS

    def teardown(self) -> None:
        """The books hold the oracle's sums."""
        if not hasattr(self, "holds"):
            return
        values = self.client.hgetall(GROUP.state)
        assert isinstance(values, dict)
        for period, amount in self.money.open.items():
            parts = [int(values.get(f"money:{period}:{p}".encode(), 0)) for p in "RU"]
            assert sum(parts) == amount
        for period in self.money.settled.keys() - self.money.dropped:
            amount = self.money.settled[period]
            assert int(values.get(f"money:{period}:S".encode(), 0)) == amount
