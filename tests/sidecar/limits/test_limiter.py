"""Requests through the whole stage, against real servers."""

import asyncio
import contextlib
from contextlib import AsyncExitStack
from typing import Any

import pytest

from penstock_config.budget import Amounts
from penstock_config.provider import RateLimits
from penstock_sidecar.errors import (
    BudgetExceeded,
    BudgetExceeded402,
    ConcurrencyLimited,
    RateLimited,
    StreamBroken,
    TokensLimited,
    TooLargeForLimit,
    UpstreamError,
    UpstreamLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from penstock_sidecar.limits.limiter import Attempt, Limiter, Ticket
from penstock_sidecar.model import Caller, Candidate, Chunk, Usage
from penstock_sidecar.store import Store
from tests.sidecar.limits import world
from tests.sidecar.limits.books import PROVIDER, Books

DONE = Chunk(b"", content=True, text_bytes=9, usage=Usage(7, 5), end=True)
WORST = 30 * 1 + 10 * 2
"""Micro-dollars that `world.request()` may cost: bytes in, maximum out."""


async def serve(limiter: Limiter, candidate: Candidate | None = None, **request: Any) -> Attempt:
    """One request that is answered."""
    async with limiter.ticket(world.CALLER, world.request(**request)) as ticket:
        attempt = ticket.attempt(candidate or world.candidate())
        async with attempt:
            attempt.sent()
            attempt.saw(DONE)
    return attempt


async def fail(
    limiter: Limiter, candidate: Candidate, error: UpstreamError, *seen: Chunk
) -> Attempt:
    """One request whose only candidate fails, after these chunks."""
    attempts = []
    with contextlib.suppress(type(error)):
        async with limiter.ticket(world.CALLER, world.request()) as ticket:
            attempts.append(ticket.attempt(candidate))
            async with attempts[0] as attempt:
                attempt.sent()
                for chunk in seen:
                    attempt.saw(chunk)
                raise error
    return attempts[0]


async def test_a_served_request_settles_its_real_usage_everywhere(
    store: Store, books: Books
) -> None:
    limits = RateLimits(requests_per_minute=9, tokens_per_minute=1000, concurrent_requests=2)
    cloud = world.provider(limits=limits)
    settings = world.config((cloud,), (world.per_app(limits),), (world.budget(),))
    limiter = world.limiter(settings, store)
    attempt = await serve(limiter, world.candidate(cloud))
    await limiter.close()
    assert attempt.usage == Usage(7, 5)
    assert attempt.cost_micro_usd == 7 * 1 + 5 * 2
    assert books.money() == {"S": 17, "R": 0, "U": 0}
    assert (books.count("rpm60"), books.count("tpm60")) == (1, 12)
    assert (books.subject_counts("rpm60"), books.subject_counts("tpm60")) == ([1], [12])
    assert books.slots() == 0


async def test_the_caller_is_told_the_tightest_limits(store: Store) -> None:
    mine = world.per_app(RateLimits(requests_per_minute=9, tokens_per_minute=1000))
    cloud = world.provider(limits=RateLimits(requests_per_minute=5))
    limiter = world.limiter(world.config((cloud,), (mine,)), store)
    async with limiter.ticket(world.CALLER, world.request()) as ticket:
        assert ticket.headers == {}
        async with ticket.attempt(world.candidate(cloud)):
            headers = ticket.headers
    assert headers["x-ratelimit-limit-requests"] == "5"
    assert headers["x-ratelimit-remaining-requests"] == "4"
    assert headers["x-ratelimit-limit-tokens"] == "1000"
    assert headers["x-ratelimit-remaining-tokens"] == str(1000 - 10 - 10)
    assert headers["x-ratelimit-reset-tokens"].startswith("1m")
    await limiter.close()


async def test_one_too_many_is_refused_with_the_true_wait(store: Store) -> None:
    limiter = world.limiter(
        world.config(limits=(world.per_app(RateLimits(requests_per_minute=1)),)), store
    )
    await serve(limiter)
    with pytest.raises(RateLimited, match="limit per-app allows 1 requests a minute") as refused:
        await serve(limiter)
    wait = refused.value.retry_after_seconds
    assert wait is not None
    assert 55 < wait <= 61 * 1.15
    assert refused.value.headers["x-ratelimit-remaining-requests"] == "0"
    await limiter.close()


async def test_tokens_are_reserved_before_they_are_used(store: Store) -> None:
    """AT2 in small: of many at once, as many as fit."""
    limiter = world.limiter(
        world.config(limits=(world.per_app(RateLimits(tokens_per_minute=200)),)), store
    )

    async def ask(stack: AsyncExitStack) -> bool:
        ticket = await stack.enter_async_context(limiter.ticket(world.CALLER, world.request()))
        try:
            await stack.enter_async_context(ticket.attempt(world.candidate()))
        except TokensLimited:
            return False
        return True

    async with AsyncExitStack() as stack:
        admitted = await asyncio.gather(*(ask(stack) for _ in range(40)))
        assert sum(admitted) == 10
    await limiter.close()


async def test_input_beyond_a_limit_is_refused_for_good(store: Store) -> None:
    limiter = world.limiter(
        world.config(limits=(world.per_app(RateLimits(tokens_per_minute=10)),)), store
    )
    with pytest.raises(TooLargeForLimit):
        await serve(limiter, size=300)
    await limiter.close()


async def test_slots_are_free_again_when_their_request_ends(store: Store) -> None:
    limiter = world.limiter(
        world.config(limits=(world.per_app(RateLimits(concurrent_requests=1)),)), store
    )
    async with (
        limiter.ticket(world.CALLER, world.request()) as ticket,
        ticket.attempt(world.candidate()),
    ):
        with pytest.raises(ConcurrencyLimited) as refused:
            await serve(limiter)
    assert refused.value.retry_after_seconds
    await serve(limiter)
    await limiter.close()


async def test_users_have_counters_of_their_own(store: Store) -> None:
    mine = world.per_app(RateLimits(requests_per_minute=1), per="User")
    limiter = world.limiter(world.config(limits=(mine,)), store)
    await serve(limiter)
    bob = Caller("shop", "web", "web-1", "bob")
    async with limiter.ticket(bob, world.request()) as ticket, ticket.attempt(world.candidate()):
        pass
    with pytest.raises(RateLimited):
        await serve(limiter)
    await limiter.close()


async def test_a_shadow_limit_counts_and_denies_nothing(store: Store, books: Books) -> None:
    seen: list[tuple[str, str, bool]] = []

    class Observer:
        def limit_exceeded(self, name: str, what: str, *, enforced: bool) -> None:
            seen.append((name, what, enforced))

    mine = world.per_app(RateLimits(requests_per_minute=1), shadow=True)
    limiter = world.limiter(world.config(limits=(mine,)), store, observer=Observer())
    await serve(limiter)
    await serve(limiter)
    await limiter.close()
    assert books.subject_counts("rpm60") == [2]
    assert seen == [("limit per-app", "requests", False)]


async def test_a_full_provider_keeps_the_callers_hold_for_the_next_candidate(
    store: Store, books: Books
) -> None:
    full = world.provider(id="shop/full", limits=RateLimits(requests_per_minute=1))
    cloud = world.provider()
    mine = world.per_app(RateLimits(requests_per_minute=9))
    settings = world.config((full, cloud), (mine,), (world.budget(),))
    limiter = world.limiter(settings, store)
    await serve(limiter, world.candidate(full))
    async with limiter.ticket(world.CALLER, world.request()) as ticket:
        with pytest.raises(UpstreamLimited) as refused:
            await ticket.attempt(world.candidate(full)).__aenter__()
        async with ticket.attempt(world.candidate(cloud)) as attempt:
            assert books.subject_counts("rpm60") == [2]
            assert books.money() == {"S": 17, "R": WORST, "U": 0}
            attempt.saw(DONE)
    await limiter.close()
    assert refused.value.retry_after_seconds
    assert books.money() == {"S": 34, "R": 0, "U": 0}
    assert books.subject_counts("rpm60") == [2]


async def test_an_unserved_request_leaves_nothing_behind(store: Store, books: Books) -> None:
    limits = RateLimits(requests_per_minute=9, tokens_per_minute=1000, concurrent_requests=2)
    cloud = world.provider(limits=limits)
    settings = world.config((cloud,), (world.per_app(limits),), (world.budget(),))
    limiter = world.limiter(settings, store)
    await fail(limiter, world.candidate(cloud), UpstreamUnavailable("refused"))
    await limiter.close()
    assert books.money() == {"S": 0, "R": 0, "U": 0}
    assert books.subject_counts("rpm60") == [0]
    assert books.subject_counts("tpm60") == [0]
    assert (books.count("rpm60"), books.count("tpm60"), books.slots()) == (0, 0, 0)


async def test_tokens_that_nobody_can_know_stay_held(store: Store, books: Books) -> None:
    """The first candidate refused, which costs nothing; with the second the caller hung up."""
    mine = world.per_app(RateLimits(tokens_per_minute=1000, tokens_per_day=1000))
    limiter = world.limiter(world.config(limits=(mine,)), store)
    async with limiter.ticket(world.CALLER, world.request()) as ticket:
        for error in (UpstreamUnavailable("refused"), asyncio.CancelledError()):
            with contextlib.suppress(type(error)):
                async with ticket.attempt(world.candidate()) as attempt:
                    attempt.sent()
                    raise error
    await limiter.close()
    assert books.subject_counts("tpm60") == [10 + 10]


async def test_what_nobody_can_know_stays_unsettled(store: Store, books: Books) -> None:
    limiter = world.limiter(world.config(budgets=(world.budget(),)), store)
    attempt = await fail(limiter, world.candidate(), UpstreamTimeout("no answer"))
    await limiter.close()
    assert books.money() == {"S": 0, "R": 0, "U": WORST}
    assert attempt.cost_micro_usd == 0


async def test_a_broken_answer_is_charged_by_what_was_seen(store: Store, books: Books) -> None:
    limiter = world.limiter(world.config(budgets=(world.budget(),)), store)
    seen = Chunk(b"", content=True, text_bytes=4)
    await fail(limiter, world.candidate(), StreamBroken("cut"), seen)
    await limiter.close()
    assert books.money() == {"S": 30 + 5 * 2, "R": 0, "U": 0}


async def test_a_budget_stops_before_it_is_exceeded(store: Store, books: Books) -> None:
    bound = world.budget(limits=Amounts(daily=5 * WORST), status_on_reject=402)
    limiter = world.limiter(world.config(budgets=(bound,)), store)
    async with AsyncExitStack() as stack:
        tickets: list[Ticket] = []
        for _ in range(5):
            ticket = await stack.enter_async_context(limiter.ticket(world.CALLER, world.request()))
            await stack.enter_async_context(ticket.attempt(world.candidate()))
            tickets.append(ticket)
        with pytest.raises(BudgetExceeded402) as refused:
            await serve(limiter)
        assert books.money()["R"] == 5 * WORST
    await limiter.close()
    metadata = refused.value.metadata or {}
    assert metadata["budget"] == "shop/team"
    assert metadata["period"] == "daily"
    assert metadata["limit"] == metadata["spent"] == "0.00025"
    assert str(metadata["resets_at"]).endswith("T00:00:00Z")
    assert refused.value.retry_after_seconds
    assert refused.value.should_retry is False


async def test_an_answer_is_made_as_short_as_the_budget_affords(store: Store) -> None:
    bound = world.budget(limits=Amounts(total=30 + 300 * 2 + 1))
    limiter = world.limiter(world.config(budgets=(bound,)), store)
    async with (
        limiter.ticket(world.CALLER, world.request(max_output_tokens=900)) as ticket,
        ticket.attempt(world.candidate()) as attempt,
    ):
        assert attempt.max_output_tokens == 300
    await limiter.close()


async def test_an_answer_is_not_made_shorter_than_the_floor(store: Store) -> None:
    bound = world.budget(limits=Amounts(total=30 + 255 * 2))
    limiter = world.limiter(world.config(budgets=(bound,)), store)
    with pytest.raises(BudgetExceeded) as refused:
        await serve(limiter, max_output_tokens=900)
    assert refused.value.retry_after_seconds is None
    assert (refused.value.metadata or {})["resets_at"] is None
    await limiter.close()


@pytest.mark.parametrize(
    ("asked", "model_maximum", "with_budget", "sent"),
    [
        (10, 1000, True, None),
        (None, 1000, True, 1000),
        (None, None, True, 4096),
        (None, None, False, None),
        (2000, 1000, False, 1000),
    ],
)
async def test_a_maximum_is_sent_only_where_it_differs_and_matters(
    store: Store, asked: int | None, model_maximum: int | None, with_budget: bool, sent: int | None
) -> None:
    budgets = (world.budget(limits=Amounts(daily=1_000_000)),) if with_budget else ()
    cloud = world.provider(max_output_tokens=model_maximum)
    limiter = world.limiter(world.config((cloud,), budgets=budgets), store)
    async with (
        limiter.ticket(world.CALLER, world.request(max_output_tokens=asked)) as ticket,
        ticket.attempt(world.candidate(cloud)) as attempt,
    ):
        assert attempt.max_output_tokens == sent
    await limiter.close()


async def test_a_model_without_a_price_is_refused_under_a_budget(store: Store) -> None:
    cloud = world.provider(price=None)
    limiter = world.limiter(world.config((cloud,), budgets=(world.budget(),)), store)
    with pytest.raises(BudgetExceeded, match="shop/cloud/small has no price"):
        await serve(limiter, world.candidate(cloud))
    await limiter.close()


async def test_a_budget_that_warns_denies_nothing(store: Store, books: Books) -> None:
    bound = world.budget(limits=Amounts(daily=1), on_exceeded="Warn")
    limiter = world.limiter(world.config(budgets=(bound,)), store)
    await serve(limiter)
    await limiter.close()
    assert books.money() == {"S": 17, "R": 0, "U": 0}


async def test_a_budget_of_other_pods_or_tiers_does_not_bind(store: Store, books: Books) -> None:
    others = world.budget(selector={"match_labels": {"app": "other"}}, limits=Amounts(daily=1))
    tiers = world.budget(id="shop/tiers", tiers=("shop/quality",), limits=Amounts(daily=1))
    limiter = world.limiter(world.config(budgets=(others, tiers)), store)
    await serve(limiter)
    await limiter.close()
    assert books.money() == {"S": 0, "R": 0, "U": 0}


async def test_a_providers_own_budget_is_counted_in_its_group(store: Store, books: Books) -> None:
    bound = world.budget(provider_wide=True, providers=("shop/cloud",))
    limiter = world.limiter(world.config(budgets=(bound,)), store)
    await serve(limiter)
    await limiter.close()
    assert books.money(PROVIDER) == {"S": 17, "R": 0, "U": 0}
    assert books.money() == {"S": 0, "R": 0, "U": 0}


async def test_a_cancelled_request_gives_back_or_settles(store: Store, books: Books) -> None:
    """Wherever the caller leaves, no slot and no reservation stays."""
    limits = RateLimits(requests_per_minute=10_000, concurrent_requests=1000)
    settings = world.config(limits=(world.per_app(limits),), budgets=(world.budget(),))
    limiter = world.limiter(settings, store)

    async def ask(steps: int) -> None:
        task = asyncio.ensure_future(serve(limiter))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    for steps in range(40):
        await ask(steps)
    await limiter.close()
    assert books.slots() == 0
    money = books.money()
    assert (money["R"], money["U"]) == (0, 0)
    assert money["S"] % 17 == 0
