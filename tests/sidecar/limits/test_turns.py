"""Apps that wait for one provider take turns: shares, priorities, patience, under virtual time."""

import heapq
from collections import Counter
from dataclasses import dataclass
from itertools import count
from typing import Any, cast

import pytest
import redis

from penstock_config.layout import Group
from penstock_config.provider import RateLimits
from penstock_sidecar.limits.bounds import Place as KeyPlace
from penstock_sidecar.limits.bounds import rate_bounds
from penstock_sidecar.limits.holds import End, Grant, Hold, Place, Refusal, Turn
from penstock_sidecar.limits.ledger import Ledger
from penstock_sidecar.limits.priority import RANK, Priority
from penstock_sidecar.limits.waiting import ASK_AGAIN_SECONDS, SLOT_POLL_SECONDS
from tests.sidecar.limits import world
from tests.sidecar.limits.virtual import VirtualStore, run

GROUP = Group.of_provider("test", "shop/cloud")
KEYS = (GROUP.slots("provider"), GROUP.slots("model:small"), GROUP.waiting, GROUP.turns)
SECOND = 1_000_000
PATIENCE_US = 200_000
TURN_WAIT_US = 50_000
PRIORITIES: tuple[Priority, ...] = ("High", "Normal", "Low")


@dataclass(frozen=True)
class App:
    """`lines`: sidecars in which it waits; one line asks once at a time."""

    name: str
    weight: int = 1
    priority: Priority = "Normal"
    waits: bool = True
    lines: int = 1
    from_us: int = 0
    tokens: int = 0

    @property
    def place(self) -> Place:
        who = f"{RANK[self.priority]}:shop/{self.name}"
        return Place(GROUP, KEYS, (), Turn(6, 7, who, self.weight, self.waits))


class Fair:
    """A provider, and apps that want all of it."""

    def __init__(self, url: str, service_us: int = 0, **limits: Any) -> None:
        self.client = redis.Redis.from_url(url)
        self.store = VirtualStore(self.client)
        self.ledger = Ledger(self.store, world.memory(self.store))
        rates = RateLimits(**limits)
        self.bounds = tuple(rate_bounds("cloud", rates, KeyPlace(1, 4), enforced=True))
        self._service_us = service_us
        self._ids = count(1)

    def ask(self, app: App) -> Grant | Refusal:
        hold = Hold(f"{app.name}{next(self._ids)}", self.bounds, app.tokens)
        return run(self.ledger.acquire(app.place, [hold]))

    def end(self, id_: str) -> None:
        run(self.ledger.settle(Place(GROUP, KEYS), [End(id_, 1)]))

    def admitted(self, app: App) -> bool:
        return isinstance(self.ask(app), Grant)

    def passes(self, microseconds: int) -> None:
        self.store.now_us += microseconds

    def serve(self, apps: list[App], seconds: int, skip_seconds: int = 0) -> Counter[str]:
        """Let all lines of all apps ask until the time is over; returns who got how much after the
        first seconds were skipped."""
        began = self.store.now_us
        served: Counter[str] = Counter()
        order = count()
        events: list[tuple[int, int, App | str]] = []
        for app in apps:
            for _ in range(app.lines):
                heapq.heappush(events, (began + app.from_us, next(order), app))
        while events and events[0][0] < began + seconds * SECOND:
            at, _, what = heapq.heappop(events)
            self.store.now_us = max(at, self.store.now_us)
            if isinstance(what, str):
                self.end(what)
                continue
            answer = self.ask(what)
            again = at + 300
            if isinstance(answer, Grant):
                served[what.name] += at >= began + skip_seconds * SECOND
                if self._service_us:
                    id_ = f"{what.name}{next(self._ids) - 1}"
                    heapq.heappush(events, (at + self._service_us, next(order), id_))
            else:
                again = at + self._pause_us(answer)
            heapq.heappush(events, (again, next(order), what))
        return served

    @staticmethod
    def _pause_us(refusal: Refusal) -> int:
        """As waiting.py does it."""
        assert refusal.wait_seconds is not None
        most = SLOT_POLL_SECONDS if refusal.bound.what == "slots" else ASK_AGAIN_SECONDS
        return round(min(refusal.wait_seconds, most) * SECOND)


def shares(served: Counter[str]) -> dict[str, float]:
    total = served.total()
    return {name: amount / total for name, amount in served.items()}


CASES: dict[str, tuple[dict[str, Any], int, float]] = {
    "a scarce window": ({"requests_per_minute": 30, "window_seconds": 30}, 120, 1),
    "a wide window": ({"requests_per_minute": 200, "window_seconds": 2}, 20, 100),
    "a smooth limit": ({"requests_per_minute": 120, "pacing": "Smooth"}, 60, 2),
    "slots": ({"concurrent_requests": 4, "service_us": 400_000}, 30, 10),
}
"""Limits, seconds to watch, and what the limit admits in one."""


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    "weights",
    [{"a": 1, "b": 1}, {"a": 1, "b": 3}, {"a": 1, "b": 1, "c": 1}, {"a": 1, "b": 2, "c": 3}],
    ids=str,
)
def test_shares_are_as_the_weights(weights: dict[str, int], case: str, redis_url: str) -> None:
    limits, seconds, per_second = CASES[case]
    fair = Fair(redis_url, **limits)
    apps = [App(name, weight) for name, weight in weights.items()]
    served = fair.serve(apps, seconds + 30, skip_seconds=30)
    for name, share in shares(served).items():
        assert share == pytest.approx(weights[name] / sum(weights.values()), rel=0.1), served
    assert served.total() >= (0.75 if case == "slots" else 0.95) * seconds * per_second


def test_an_app_that_waits_fifty_times_gets_no_more(redis_url: str) -> None:
    fair = Fair(redis_url, requests_per_minute=60)
    served = fair.serve([App("loud", lines=50), App("quiet")], 240, skip_seconds=60)
    assert shares(served)["quiet"] == pytest.approx(0.5, rel=0.1)


def test_newcomers_do_not_starve_who_was_there(redis_url: str) -> None:
    """What an app got before others came is not held against it."""
    fair = Fair(redis_url, requests_per_minute=60)
    old = [App("a"), App("b")]
    fair.serve(old, 300)
    young = [App("c"), App("d")]
    served = fair.serve(old + young, 121, skip_seconds=1)
    for share in shares(served).values():
        assert share == pytest.approx(0.25, rel=0.1), served


def test_who_comes_back_has_saved_no_turns(redis_url: str) -> None:
    fair = Fair(redis_url, requests_per_minute=60)
    fair.serve([App("a"), App("b")], 180)
    fair.serve([App("b"), App("c")], 600)
    served = fair.serve([App("a"), App("b"), App("c")], 121, skip_seconds=1)
    for share in shares(served).values():
        assert share == pytest.approx(1 / 3, rel=0.1), served


def test_higher_priorities_go_first(redis_url: str) -> None:
    fair = Fair(redis_url, requests_per_minute=60)
    high, normal, low = (App(p.lower(), priority=p) for p in PRIORITIES)
    served = fair.serve([low, normal, high], 240, skip_seconds=65)
    assert served["high"] == 120
    assert served["normal"] + served["low"] == 0
    served = fair.serve([low, normal], 120, skip_seconds=5)
    assert (served["low"], served["normal"]) == (0, 60)
    assert fair.serve([low], 65, skip_seconds=2)["low"] > 50


class Full(Fair):
    """One slot, taken: each further request waits for it."""

    def __init__(self, url: str) -> None:
        super().__init__(url, concurrent_requests=1)
        self.free_slot = "first1"
        assert self.admitted(App("first"))

    def frees(self) -> None:
        self.end(self.free_slot)


def test_who_stops_waiting_blocks_others_no_longer_than_stated(redis_url: str) -> None:
    full = Full(redis_url)
    here, gone = App("here"), App("gone")
    tags = {"1:shop/here": 5000, "1:shop/gone": 0}
    full.client.zadd(GROUP.turns, tags)
    assert not full.admitted(gone)
    full.passes(round(ASK_AGAIN_SECONDS * SECOND) - 1)
    full.frees()
    refused = full.ask(here)
    assert isinstance(refused, Refusal)
    assert (refused.others_turn, refused.wait_seconds) == (True, TURN_WAIT_US / SECOND)
    full.passes(PATIENCE_US)
    assert not full.admitted(here)
    full.passes(1)
    assert full.admitted(here)


def test_who_was_served_blocks_others_no_longer_than_patience(redis_url: str) -> None:
    full = Full(redis_url)
    here, served = App("here"), App("served", weight=1000)
    full.client.zadd(GROUP.turns, {"1:shop/here": 5000})
    assert not full.admitted(served)
    full.frees()
    answer = full.ask(served)
    assert isinstance(answer, Grant)
    full.end("served3")
    full.passes(PATIENCE_US - 1)
    assert not full.admitted(here)
    full.passes(1)
    assert full.admitted(here)


def test_who_does_not_wait_cannot_overtake(redis_url: str) -> None:
    full = Full(redis_url)
    patient, pushy = App("patient"), App("pushy", waits=False)
    full.client.zadd(GROUP.turns, {"1:shop/pushy": 5000})
    assert not full.admitted(patient)
    full.frees()
    refused = full.ask(pushy)
    assert isinstance(refused, Refusal)
    assert refused.others_turn
    assert full.admitted(patient)


def test_who_does_not_wait_is_not_waited_for(redis_url: str) -> None:
    full = Full(redis_url)
    assert not full.admitted(App("pushy", waits=False))
    assert full.client.exists(GROUP.waiting) == 0
    full.frees()
    assert full.admitted(App("patient"))


def test_nobody_waits_when_there_is_room(redis_url: str) -> None:
    """Somebody waits for more than there is; others of his kind need not, within their share."""
    fair = Fair(redis_url, tokens_per_minute=10_000)
    assert all(fair.admitted(App("first", tokens=3000)) for _ in range(3))
    assert not fair.admitted(App("large", tokens=5000))
    assert all(fair.admitted(App("small", tokens=1)) for _ in range(100))


def test_a_small_request_does_not_starve_a_large_one_for_ever(redis_url: str) -> None:
    fair = Fair(redis_url, tokens_per_minute=1000)
    apps = [App("large", tokens=400), App("small", tokens=10, lines=3)]
    served = fair.serve(apps, 300, skip_seconds=60)
    assert served["large"] >= 4


def test_room_is_not_kept_from_a_retry_nor_from_what_is_in_flight(redis_url: str) -> None:
    """A hold that is taken already, and one that is taken again after a loss, ask for no turn."""
    fair = Fair(redis_url, concurrent_requests=2)
    hold = Hold("a", fair.bounds, 0)
    app, other = App("app"), App("other")
    assert isinstance(run(fair.ledger.acquire(app.place, [hold])), Grant)
    fair.client.zadd(GROUP.waiting, {"2:shop/high": fair.store.now_us + SECOND})
    assert not fair.admitted(other)
    assert isinstance(run(fair.ledger.acquire(app.place, [hold])), Grant)
    forced = run(fair.ledger.acquire(other.place, [Hold("b", fair.bounds, 0)], forced=True))
    assert isinstance(forced, Grant)


def test_a_refusal_writes_only_who_waits(redis_url: str) -> None:
    full = Full(redis_url)
    before = dump(full.client)
    assert not full.admitted(App("patient"))
    full.frees()
    before = {**dump(full.client)}
    assert not full.admitted(App("low", priority="Low"))
    assert {key for key, value in dump(full.client).items() if before.get(key) != value} == {
        GROUP.waiting.encode()
    }


def test_turns_and_those_who_wait_are_forgotten(redis_url: str) -> None:
    fair = Fair(redis_url, requests_per_minute=60)
    fair.serve([App("a"), App("b")], 90)
    assert 0 < ttl_ms(fair.client, GROUP.waiting) <= 1_200
    assert 0 < ttl_ms(fair.client, GROUP.turns) <= 60_000


def dump(client: "redis.Redis") -> dict[bytes, object]:
    keys = cast("list[bytes]", client.keys("{*"))
    return {key: client.dump(key) for key in keys}


def ttl_ms(client: "redis.Redis", key: str) -> int:
    return client.pttl(key)
