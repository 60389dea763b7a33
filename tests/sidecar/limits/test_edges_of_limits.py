"""Limits that cannot be met, were lowered, or are asked for nothing."""

from typing import cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock_config.budget import Amounts
from penstock_config.layout import Group
from penstock_config.provider import RateLimits
from penstock_sidecar.errors import ConcurrencyLimited, RateLimited, TooLargeForLimit
from penstock_sidecar.limits.binding import Asker, caller_bounds, candidate_bounds
from penstock_sidecar.limits.holds import End, Grant, Hold, Place, Refusal
from penstock_sidecar.limits.ledger import Ledger
from penstock_sidecar.metering.estimate import estimate_input
from tests.sidecar.limits import world
from tests.sidecar.limits.virtual import run
from tests.sidecar.limits.world_in_time import SECOND, InTime

GROUP = Group.of_namespace("test", "shop")


async def test_a_request_larger_than_its_limit_is_refused_for_good(time: InTime) -> None:
    limits = (world.per_app(RateLimits(tokens_per_minute=10)),)
    limiter = time.limiter(world.config(limits=limits))
    assert isinstance(await time.served(limiter, size=60), TooLargeForLimit)
    assert time.store.calls["acquire"] == 0


async def test_a_longer_answer_than_the_limit_is_admitted_where_there_is_room(time: InTime) -> None:
    limits = (world.per_app(RateLimits(tokens_per_minute=100)),)
    limiter = time.limiter(world.config(limits=limits))
    assert await time.begin(limiter, max_output_tokens=900) is None
    assert await time.begin(limiter, max_output_tokens=900) is None
    assert await time.begin(limiter, max_output_tokens=900) is not None


async def test_a_limit_lowered_below_its_use_frees_as_it_is_used_less(time: InTime) -> None:
    memory = world.memory(time.clock)
    old_limit = (world.per_app(RateLimits(requests_per_minute=5)),)
    old = time.limiter(world.config(limits=old_limit), memory=memory)
    for _ in range(5):
        assert await time.served(old) is None
        time.passes(10 * SECOND)
    new_limit = (world.per_app(RateLimits(requests_per_minute=2)),)
    new = time.limiter(world.config(limits=new_limit), memory=memory)
    refused = await time.served(new)
    assert isinstance(refused, RateLimited)
    assert refused.retry_after_seconds
    time.passes(41 * SECOND)
    assert await time.served(new) is None
    assert await time.served(new) is not None


async def test_slots_lowered_below_their_use_are_refused_until_they_are_free(time: InTime) -> None:
    memory = world.memory(time.clock)
    three = (world.per_app(RateLimits(concurrent_requests=3)),)
    old = time.limiter(world.config(limits=three), memory=memory)
    for _ in range(3):
        assert await time.begin(old) is None
    one = (world.per_app(RateLimits(concurrent_requests=1)),)
    new = time.limiter(world.config(limits=one), memory=memory)
    assert isinstance(await time.begin(new), ConcurrencyLimited)
    await time.end_all()
    assert await time.begin(new) is None


async def test_no_tokens_fit_always(time: InTime) -> None:
    """What costs nothing does not wait for room, and takes none."""
    limits = (world.per_app(RateLimits(tokens_per_minute=20)),)
    limiter = time.limiter(world.config(limits=limits))
    assert await time.begin(limiter, size=30) is None
    assert await time.begin(limiter, size=30) is None
    assert await time.begin(limiter, size=30) is not None
    assert await time.begin(limiter, size=0, max_output_tokens=0) is None


RATES = RateLimits(
    requests_per_minute=6, tokens_per_minute=60, requests_per_day=40, concurrent_requests=3
)
LIMITS = (
    world.per_app(RATES, reserved_percent=20),
    world.per_app(RateLimits(requests_per_minute=300, pacing="Smooth"), name="smooth"),
    world.per_app(RateLimits(requests_per_minute=2, concurrent_requests=2), name="u", per="User"),
)
BUDGET = world.budget(limits=Amounts(daily=900), per_user=Amounts(daily=300, monthly=500))
STEP = st.tuples(
    st.sampled_from(["ann", "bob", "cy", "di"]),
    st.integers(0, 40),
    st.integers(0, 200),
    st.sampled_from([0, 1, SECOND // 5, SECOND, 31 * SECOND, 61 * SECOND]),
    st.booleans(),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(STEP, min_size=10, max_size=60))
def test_a_refusal_changes_no_key(
    time_now: InTime, steps: list[tuple[str, int, int, int, bool]]
) -> None:
    """Whatever refuses, in whatever mix of limits, users and budgets."""
    time = time_now
    time.client.flushall()
    time.clock.now_us += SECOND
    configured = world.config(limits=LIMITS, budgets=(BUDGET,), identity={"max_subjects": 2})
    caller = caller_bounds(configured, configured.policies[0], world.SCOPE_KEY)
    money = candidate_bounds(configured, caller, world.POD, world.candidate()).budgets
    ledger = Ledger(time.clock, world.memory(time.clock))
    run(ledger.settle(Place(GROUP), [End("opens the books")]))
    for number, (name, tokens, cost, step, ends) in enumerate(steps):
        time.passes(step)
        request = world.request()
        place = caller.place(Asker(world.user(name), request, estimate_input(request), "Normal"))
        holds = [
            Hold(f"a{number}", caller.bounds, tokens),
            Hold(f"b{number}", money, 0, cost, cost),
        ]
        before = content(time)
        answer = run(ledger.acquire(place, holds))
        if isinstance(answer, Refusal):
            assert content(time) == before
        else:
            assert isinstance(answer, Grant)
            if ends:
                ledger.spend(place, answer.sums, cost // 2)
                last = End(f"b{number}", 1, 0, sums=answer.sums)
                run(ledger.settle(place, [End(f"a{number}", 1, tokens // 2), last]))


def content(time: InTime) -> dict[bytes, object]:
    """Of every key. Not DUMP: a hash that is being rehashed is dumped in another order."""
    client = time.client
    found: dict[bytes, object] = {}
    for key in cast("list[bytes]", client.keys("{*")):
        name = key.decode()
        zset = client.type(key) == b"zset"
        found[key] = client.zrange(name, 0, -1, withscores=True) if zset else client.hgetall(name)
    return found
