"""What the scripts promise beyond the oracle (limits_cache.md, 1.8)."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import redis

from penstock_config.budget import Amounts
from penstock_config.layout import Group
from penstock_config.provider import RateLimits
from penstock_sidecar.errors import SidecarError
from penstock_sidecar.limits.bounds import Place as KeyPlace
from penstock_sidecar.limits.bounds import budget_bounds, rate_bounds, user_bounds
from penstock_sidecar.limits.holds import AS_HELD, End, Grant, Hold, Place, Refusal, Sum
from penstock_sidecar.limits.ledger import Ledger
from penstock_sidecar.store import Store, StoreUnavailable
from tests.sidecar.limits import world
from tests.sidecar.limits.books import Books
from tests.sidecar.limits.virtual import VirtualStore, run

GROUP = Group.of_namespace("test", "shop")
PLACE = Place(GROUP, (GROUP.subject("one"), GROUP.slots("one")))
KEYS = KeyPlace(4, 5)
SECOND = 1_000_000
DAY_MS = 86_400_000


class Desk:
    """Acquires and settles under a virtual clock."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url)
        self.store = VirtualStore(self.client)
        self._sums: dict[str, tuple[Sum, ...]] = {}
        self._ledger = Ledger(self.store, world.memory(self.store))

    def acquire(self, *holds: Hold) -> Grant | Refusal:
        answer = run(self._ledger.acquire(PLACE, holds))
        if isinstance(answer, Grant):
            self._sums |= {hold.id: answer.sums for hold in holds}
        return answer

    def settle_money(self, id_: str, micro_usd: int) -> None:
        """Of a hold on one budget."""
        self._ledger.spend(PLACE, self._sums[id_], micro_usd)
        self.settle(End(id_, 1, 0, sums=self._sums[id_]))

    def settle(self, *ends: End) -> None:
        run(self._ledger.settle(PLACE, ends))

    def renew(self, *ids: str) -> int:
        return run(self._ledger.renew(PLACE, ids))[0]


@pytest.fixture
def desk(each_redis_url: str) -> Iterator[Desk]:
    opened = Desk(each_redis_url)
    yield opened
    opened.client.close()


def rates(**limits: Any) -> tuple[Any, ...]:
    return tuple(rate_bounds("limit", RateLimits(**limits), KEYS, enforced=True))


def money(**amounts: int) -> tuple[Any, ...]:
    return tuple(budget_bounds(world.budget(limits=Amounts(**amounts))))


def test_a_refusal_changes_no_key(desk: Desk, books: Books) -> None:
    """One slot short, and everything else has room: nothing is taken, nothing is written."""
    bounds = rates(
        requests_per_minute=9, tokens_per_minute=90, requests_per_day=9, concurrent_requests=1
    )
    desk.acquire(Hold("a", bounds, 5), Hold("m", money(daily=100), 0, 10, 10))
    desk.store.now_us += 61 * SECOND + SECOND // 2  # there are buckets to drop, and a dead lease
    desk.acquire(Hold("b", bounds, 5))
    before = books.dump()
    refused = desk.acquire(Hold("c", bounds, 5), Hold("d", money(daily=100), 0, 10, 10))
    assert isinstance(refused, Refusal)
    assert refused.bound.what == "slots"
    assert books.dump() == before


def test_an_admission_comes_exactly_when_it_was_promised(desk: Desk) -> None:
    bounds = rates(tokens_per_minute=10)
    for i, step in enumerate((0, 700_001, 2 * SECOND)):
        desk.store.now_us += step
        assert isinstance(desk.acquire(Hold(f"h{i}", bounds, 3)), Grant)
    refused = desk.acquire(Hold("late", bounds, 5))
    assert isinstance(refused, Refusal)
    assert refused.wait_seconds is not None
    desk.store.now_us += round(refused.wait_seconds * SECOND) - 1
    assert isinstance(desk.acquire(Hold("late", bounds, 5)), Refusal)
    desk.store.now_us += 1
    assert isinstance(desk.acquire(Hold("late", bounds, 5)), Grant)


def test_what_can_never_be_granted_has_no_wait(desk: Desk) -> None:
    refused = desk.acquire(Hold("m", money(daily=100), 0, 200, 101))
    assert isinstance(refused, Refusal)
    assert refused.wait_seconds is None


def test_a_release_that_overtakes_its_acquire_wins(desk: Desk, books: Books) -> None:
    """The caller gave up on a frozen Redis; later both calls arrive, over two connections."""
    desk.settle(End("a"))
    with pytest.raises(StoreUnavailable):
        desk.acquire(Hold("a", rates(requests_per_minute=1, concurrent_requests=1)))
    assert books.slots() == 0
    assert isinstance(desk.acquire(Hold("b", rates(requests_per_minute=1))), Grant)


def test_use_beyond_the_hold_is_a_debt_also_when_it_comes_late(desk: Desk) -> None:
    bounds = rates(tokens_per_minute=100)
    desk.acquire(Hold("a", bounds, 10))
    desk.store.now_us += 200 * SECOND
    desk.settle(End("a", 1, 95))
    refused = desk.acquire(Hold("b", bounds, 16))
    assert isinstance(refused, Refusal)
    assert refused.standing.remaining == 100 - 85


@pytest.mark.parametrize("back_seconds", [1, 30, 61, 86_400])
def test_a_clock_that_jumps_back_neither_admits_too_much_nor_locks(
    desk: Desk, back_seconds: int
) -> None:
    """At most the jump within a window, else one window, is waited; nothing is admitted twice."""
    bounds = rates(requests_per_minute=3)
    for i in range(3):
        assert isinstance(desk.acquire(Hold(f"h{i}", bounds)), Grant)
    desk.store.now_us -= back_seconds * SECOND
    refused = desk.acquire(Hold("more", bounds))
    assert isinstance(refused, Refusal)
    assert refused.wait_seconds is not None
    assert refused.wait_seconds <= 61 + (back_seconds if back_seconds <= 60 else 0)
    desk.store.now_us += round(refused.wait_seconds * SECOND)
    assert isinstance(desk.acquire(Hold("more", bounds)), Grant)


def test_the_dead_are_swept_a_few_at_a_time(desk: Desk, books: Books) -> None:
    """Expired money goes from R to U, at most sixteen holds a call, and is never lost."""
    budget = money(daily=1000)
    for i in range(40):
        desk.acquire(Hold(f"h{i}", budget, 0, 10, 10))
    desk.store.now_us += 30 * SECOND
    for swept in (16, 32, 40):
        desk.renew()
        assert books.money() == {"S": 0, "R": 400 - 10 * swept, "U": 10 * swept}
    desk.settle_money("h7", 4)
    assert books.money() == {"S": 4, "R": 0, "U": 390}


def test_a_hold_that_woke_up_is_taken_up_again(desk: Desk, books: Books) -> None:
    """A sidecar that was frozen for longer than its holds live goes on as if nothing was."""
    slots = rates(concurrent_requests=1)
    desk.acquire(Hold("a", slots), Hold("m", money(daily=100), 0, 10, 10))
    desk.store.now_us += 31 * SECOND
    desk.renew()
    assert books.money() == {"S": 0, "R": 0, "U": 10}
    assert desk.renew("a", "m") == 0
    assert books.money() == {"S": 0, "R": 10, "U": 0}
    assert isinstance(desk.acquire(Hold("b", slots)), Refusal)


def test_a_slot_that_went_to_another_is_an_overrun(desk: Desk) -> None:
    slots = rates(concurrent_requests=1)
    desk.acquire(Hold("a", slots))
    desk.store.now_us += 30 * SECOND
    assert isinstance(desk.acquire(Hold("b", slots)), Grant)
    assert desk.renew("a") == 1


def test_unsettled_money_can_be_settled_late_and_only_once(desk: Desk, books: Books) -> None:
    desk.acquire(Hold("m", money(daily=100) + rates(requests_per_minute=5), 0, 10, 10))
    desk.settle(End("m", 1, AS_HELD, spent_known=False))
    assert books.money() == {"S": 0, "R": 0, "U": 10}
    desk.settle_money("m", 7)
    for _ in range(2):
        desk.settle(End("m"))
        assert books.money() == {"S": 7, "R": 0, "U": 0}
    assert books.subject_counts("rpm60") == [1]


def test_the_ended_are_forgotten_and_subjects_expire(desk: Desk, books: Books) -> None:
    """What a million users leave behind goes by itself."""
    bounds = rates(requests_per_minute=100, concurrent_requests=100)
    for i in range(10):
        desk.acquire(Hold(f"h{i}", bounds))
        desk.settle(End(f"h{i}", 1, 0))
    ttl = books.client.pttl(PLACE.keys[0])
    assert 0 < ttl <= 122_000
    assert not books.client.exists(PLACE.keys[1])
    desk.store.now_us += 31 * SECOND
    desk.renew()
    assert not books.client.exists(GROUP.keys[1])
    assert not books.client.exists(GROUP.keys[2])


def test_a_late_debt_does_not_forget_the_day(desk: Desk, books: Books) -> None:
    """They are in one key, which lives for as long as the longest of its counts."""
    desk.acquire(Hold("a", rates(tokens_per_minute=100, requests_per_day=9), 10))
    desk.store.now_us += 200 * SECOND
    desk.settle(End("a", 1, 20))
    assert books.client.pttl(PLACE.keys[0]) > DAY_MS


def test_a_call_for_the_day_does_not_forget_the_month(desk: Desk, books: Books) -> None:
    """Of one user under two budgets, of which the second call is bound by one alone."""
    for period in ("monthly", "daily"):
        budget = world.budget(id=f"shop/{period}", per_user=Amounts(**{period: 100}))
        desk.acquire(Hold(period, tuple(user_bounds(budget, KEYS.counters, 0)), 0, 10, 10))
    assert books.client.pttl(PLACE.keys[0]) > 28 * DAY_MS


def test_a_late_debt_of_a_smooth_limit_expires(desk: Desk, books: Books) -> None:
    desk.acquire(Hold("a", rates(tokens_per_minute=60, pacing="Smooth"), 10))
    books.client.delete(PLACE.keys[0])  # as when it was idle for so long
    desk.settle(End("a", 1, 20))
    assert 0 < books.client.pttl(PLACE.keys[0]) <= 10_000


def test_old_periods_are_dropped(desk: Desk, books: Books) -> None:
    for _ in range(5):
        id_ = f"m{desk.store.now_us}"
        desk.acquire(Hold(id_, money(daily=100), 0, 10, 10))
        desk.settle_money(id_, 10)
        desk.store.now_us += 86_400 * SECOND
    assert len([field for field in books.state(GROUP) if field.endswith(":S")]) == 2


async def test_no_script_touches_a_key_that_was_not_declared(
    store: Store, each_redis_url: str
) -> None:
    """Read off MONITOR: what each script did, against the KEYS that it was given."""
    limits = RateLimits(requests_per_minute=2, tokens_per_minute=999, requests_per_day=9,
                        tokens_per_day=9999, concurrent_requests=2)  # fmt: skip
    cloud = world.provider(limits=limits, model_limits=limits)
    mine = (world.per_app(limits), world.per_app(limits, name="per-user", per="User"))
    own = world.budget(id="shop/own", provider_wide=True, providers=("shop/cloud",))
    limiter = world.limiter(
        world.config((cloud,), mine, (world.budget(), own)), store, hold_seconds=0.2
    )

    async def ask() -> None:
        ticket = limiter.ticket(world.CALLER, world.request())
        with contextlib.suppress(SidecarError):
            async with ticket, ticket.attempt(world.candidate(cloud)):
                await asyncio.sleep(0.15)  # long enough to be renewed

    with Monitor(each_redis_url) as monitor:
        for _ in range(2):
            await asyncio.gather(*(ask() for _ in range(4)))
        await limiter.close()
    declared = monitor.declared_keys()
    touched = monitor.touched_keys()
    assert touched
    assert touched <= declared
    assert {key.partition("}")[0] for key in touched} == {"{test:n:shop", "{test:p:shop/cloud"}


class Monitor:
    """Everything Redis is told while it is open."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._commands: list[dict[str, Any]] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen)

    def __enter__(self) -> "Monitor":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.echo("monitor: stop")
        self._thread.join()
        self._client.close()

    def declared_keys(self) -> set[str]:
        keys = set()
        for command in self._commands:
            words = command["command"].split()
            if words[0] == "EVALSHA" and command["client_type"] != "lua":
                keys |= set(words[3 : 3 + int(words[2])])
        return keys

    def touched_keys(self) -> set[str]:
        words = [c["command"].split() for c in self._commands if c["client_type"] == "lua"]
        return {word[1] for word in words if word[0] != "TIME"}

    def _listen(self) -> None:
        monitor = redis.client.Monitor(self._client.connection_pool)  # type: ignore[no-untyped-call]
        with monitor:
            self._ready.set()
            for command in monitor.listen():  # type: ignore[no-untyped-call]
                self._commands.append(command)
                if "monitor: stop" in command["command"]:
                    return
