"""Limits and budgets for each user: who is told apart, who shares, and what is forgotten."""

from typing import Any, cast

import pytest

from penstock_config.budget import Amounts
from penstock_config.policy import CallerLimit, Identity
from penstock_config.provider import RateLimits
from penstock_sidecar.errors import BudgetExceeded, RateLimited
from penstock_sidecar.limits.limiter import Limiter
from tests.sidecar.limits import world
from tests.sidecar.limits.books import NAMESPACE, PROVIDER
from tests.sidecar.limits.world_in_time import SECOND, InTime

WORST = 50
"""Micro-dollars that `world.request()` may cost."""
SPENT = 17


def per_user(**limits: int) -> CallerLimit:
    return world.per_app(RateLimits(**limits), name="per-user", per="User")


def limiter_of(time: InTime, most: int, *limits: CallerLimit, **options: Any) -> Limiter:
    budgets = options.pop("budgets", ())
    identity = Identity(max_subjects=most)
    settings = world.config(limits=limits, budgets=budgets, identity=identity)
    return time.limiter(settings, **options)


async def test_header_values_have_counters_of_their_own(time: InTime) -> None:
    rates = RateLimits(requests_per_minute=1)
    mine = world.per_app(rates, name="teams", per="Header", header="x-team")
    limiter = limiter_of(time, 9, mine)
    for team, admitted in [("a", True), ("a", False), ("b", True), ("\udcff", True), ("b", False)]:
        answer = await time.served(limiter, headers={"x-team": team})
        assert (answer is None) == admitted
    assert await time.served(limiter) is None
    assert isinstance(await time.served(limiter), RateLimited)


async def test_users_beyond_the_most_share_one_bucket(time: InTime) -> None:
    heard: list[tuple[str, int]] = []

    class Observer:
        def limit_exceeded(self, name: str, what: str, *, enforced: bool) -> None: ...

        def subjects_shared(self, policy: str, count: int) -> None:
            heard.append((policy, count))

    limiter = limiter_of(time, 2, per_user(requests_per_minute=2), observer=Observer())
    assert await time.served(limiter, caller=world.user("ann")) is None
    assert await time.served(limiter, caller=world.user("bob")) is None
    assert heard == []
    assert await time.served(limiter, caller=world.user("cy")) is None
    assert await time.served(limiter, caller=world.user("di")) is None
    assert heard == [("shop/all", 1), ("shop/all", 1)]
    assert isinstance(await time.served(limiter, caller=world.user("ed")), RateLimited)
    assert await time.served(limiter, caller=world.user("ann")) is None
    assert await time.served(limiter, caller=world.user("bob")) is None
    assert isinstance(await time.served(limiter, caller=world.user("ann")), RateLimited)


async def test_users_beyond_the_most_share_slots(time: InTime) -> None:
    limiter = limiter_of(time, 1, per_user(concurrent_requests=1))
    for name, admitted in [("ann", True), ("bob", True), ("cy", False), ("ann", False)]:
        assert (await time.begin(limiter, caller=world.user(name)) is None) == admitted
    await time.end_all()
    assert await time.begin(limiter, caller=world.user("cy")) is None


async def test_users_beyond_the_most_share_money(time: InTime) -> None:
    budget = world.budget(limits=Amounts(), per_user=Amounts(daily=2 * WORST))
    limiter = limiter_of(time, 1, budgets=(budget,))
    names = ["ann", "bob", "cy", "di", "ann", "ann"]
    answers = [await time.begin(limiter, caller=world.user(name)) for name in names]
    assert [answer is None for answer in answers] == [True, True, True, False, True, False]
    assert isinstance(answers[3], BudgetExceeded)
    assert answers[3].metadata
    assert answers[3].metadata["period"] == "daily, per user"


async def test_who_was_told_apart_stays_so_while_he_comes(time: InTime) -> None:
    """For twice the window; then his place is free."""
    limiter = limiter_of(time, 1, per_user(requests_per_minute=1))
    for _ in range(3):
        assert await time.served(limiter, caller=world.user("ann")) is None
        time.passes(62 * SECOND)
    assert await time.served(limiter, caller=world.user("bob")) is None
    assert isinstance(await time.served(limiter, caller=world.user("cy")), RateLimited)
    time.passes(62 * SECOND)
    assert await time.served(limiter, caller=world.user("cy")) is None
    assert await time.served(limiter, caller=world.user("bob")) is None


async def test_any_number_of_users_takes_the_same_memory(time: InTime) -> None:
    budget = world.budget(limits=Amounts(), per_user=Amounts(daily=10**9))
    limits = per_user(requests_per_minute=10**6, concurrent_requests=9)
    limiter = limiter_of(time, 20, limits, budgets=(budget,))
    keys = []
    for first in (0, 200, 1200):
        for number in range(first, first + 200):
            assert await time.served(limiter, caller=world.user(f"u{number}")) is None
        keys.append(time.client.dbsize())
    assert keys[0] == keys[1] == keys[2]
    assert time.client.zcard(NAMESPACE.spenders(budget.id)) == 21


async def test_spenders_are_listed_by_the_longest_period(time: InTime) -> None:
    amounts = Amounts(daily=10**6, monthly=10**7)
    budget = world.budget(limits=Amounts(), per_user=amounts)
    limiter = limiter_of(time, 2, budgets=(budget,))
    for name, times in {"ann": 3, "bob": 1, "cy": 2, "di": 2}.items():
        for _ in range(times):
            assert await time.served(limiter, caller=world.user(name)) is None
    listed = time.client.zrange(NAMESPACE.spenders(budget.id), 0, -1, withscores=True)
    assert listed == [
        (b"202611:bob", SPENT),
        (b"202611:ann", 3 * SPENT),
        (b"202611:others", 4 * SPENT),
    ]


async def test_money_of_a_dead_sidecar_stays_counted_for_its_user(time: InTime) -> None:
    budget = world.budget(limits=Amounts(), per_user=Amounts(daily=WORST + SPENT))
    dead = limiter_of(time, 9, budgets=(budget,))
    ann, bob = world.user("ann"), world.user("bob")
    assert await time.begin(dead, caller=ann) is None
    alive = limiter_of(time, 9, budgets=(budget,))
    for _ in range(3):
        time.passes(31 * SECOND)
        assert await time.served(alive, caller=world.user(f"u{time.clock.now_us}")) is None
        assert isinstance(await time.served(alive, caller=ann), BudgetExceeded)
    assert await time.served(alive, caller=bob) is None


async def test_all_but_a_groups_own_keys_expire(time: InTime) -> None:
    """Each with what it is for, and no sooner than that."""
    rates = RateLimits(requests_per_minute=9, tokens_per_minute=10**4, concurrent_requests=2)
    daily = world.per_app(RateLimits(requests_per_day=9), name="daily", per="Pod")
    smooth = world.per_app(RateLimits(requests_per_minute=600, pacing="Smooth"), name="smooth")
    user = world.per_app(rates, name="per-user", per="User")
    budget = world.budget(per_user=Amounts(daily=10**6, monthly=10**7))
    cloud = world.provider(limits=rates)
    settings = world.config((cloud,), (user, daily, smooth), (budget,))
    limiter = time.limiter(settings)
    assert await time.served(limiter, world.candidate(cloud)) is None
    assert await time.begin(limiter, world.candidate(cloud)) is None
    names = [key.decode() for key in cast("list[bytes]", time.client.keys("{*"))]
    lives = {name: time.client.pttl(name) for name in names}
    forever = {key for key, ms in lives.items() if ms == -1}
    own = {*NAMESPACE.keys, *PROVIDER.keys}
    assert forever == own
    day_ms = 86_400_000
    bounds = {
        ":subject:": (60_000, 3 * day_ms),
        ":slots:": (29_000, 30_000),
        ":subjects:per": (60_000, 122_000),
        ":subjects:shop": (60_000, 122_000),
        ":subjects:budgets": (31 * day_ms, 64 * day_ms),
        ":user:": (9 * day_ms, 64 * day_ms),
        ":spenders:": (64 * day_ms, 400 * day_ms),
        ":members": (1_000, 3_600_000),
    }
    for key, ms in lives.items():
        if key not in own:
            least, most = next(b for part, b in bounds.items() if part in key)
            assert least <= ms <= most, key


@pytest.mark.parametrize("per", ["User", "App"])
async def test_no_name_shows_who_it_is(time: InTime, per: str) -> None:
    """A user's name is only in the list of spenders, for his namespace's operator."""
    mine = world.per_app(RateLimits(requests_per_minute=9), per=per)
    limiter = limiter_of(time, 9, mine)
    assert await time.served(limiter, caller=world.user("annabel")) is None
    assert not [key for key in time.client.keys("*") if b"annabel" in key]
