"""When a candidate counts as failing, for how long, and who may try it again (AT24)."""

import asyncio
from collections.abc import Sequence

import pytest

from penstock_config.breaker import Record, Standing
from penstock_sidecar.errors import (
    EmptyCompletion,
    StreamBroken,
    UpstreamConnectTimeout,
    UpstreamCredentials,
    UpstreamError,
    UpstreamLimited,
    UpstreamMisconfigured,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from penstock_sidecar.health.breaker import CLOSED, Breaker, Terms
from penstock_sidecar.health.breakers import Breakers
from penstock_sidecar.model import Candidate
from tests.sidecar.health.world import DOWN, Changes, candidate
from tests.sidecar.routing.builders import ManualClock


class World:
    """Breakers by a clock that goes when it is told to."""

    def __init__(self, max_remembered: int = 4096) -> None:
        self.clock = ManualClock()
        self.changes = Changes()
        self.breakers = Breakers(self.clock, "me", self.changes, max_remembered)

    def fail(self, one: Candidate, times: int = 1, error: UpstreamError = DOWN) -> None:
        for _ in range(times):
            self.breakers.failed(one, error, "openai-chat")

    def succeed(self, one: Candidate, began: float | None = None) -> None:
        self.breakers.succeeded(one, "openai-chat", self.clock.now if began is None else began)

    def phase(self, one: Candidate) -> str:
        return self.breakers.state(one, "openai-chat").phase

    async def order(self, *candidates: Candidate) -> Sequence[Candidate]:
        """What a request asks that ends without a result."""
        async with self.breakers.trial(candidates, "openai-chat") as found:
            return found


def test_it_takes_failures_in_a_row() -> None:
    world, one = World(), candidate()
    world.fail(one, 2)
    world.succeed(one)
    world.fail(one, 2)
    assert world.phase(one) == "closed"
    world.fail(one)
    assert world.phase(one) == "open"


def test_another_model_of_the_provider_is_not_blamed() -> None:
    world = World()
    world.fail(candidate("m", threshold=1))
    assert world.phase(candidate("other", threshold=1)) == "closed"


def test_another_endpoint_of_the_model_is_not_blamed() -> None:
    world, one = World(), candidate(threshold=1)
    world.breakers.failed(one, DOWN, "openai-responses")
    assert world.breakers.state(one, "openai-responses").phase == "open"
    assert world.breakers.state(one, "openai-embeddings") == CLOSED
    assert world.breakers.state(one, "anthropic-messages") == CLOSED


def test_what_goes_to_the_same_endpoint_shares_a_breaker() -> None:
    world, one = World(), candidate(threshold=1)
    world.breakers.failed(one, DOWN, "anthropic-messages")
    for api in ("openai-chat", "ollama-chat", "ollama-generate"):
        assert world.breakers.state(one, api).phase == "open"


def test_after_the_cooldown_it_is_half_open_and_one_more_failure_opens_it_again() -> None:
    world, one = World(), candidate(threshold=3, cooldown_seconds=60)
    world.fail(one, 3)
    world.clock.now += 60
    assert world.phase(one) == "half-open"
    world.fail(one)
    assert world.breakers.state(one, "openai-chat") == ("open", world.clock.now + 60)


def test_a_success_closes_it() -> None:
    world, one = World(), candidate(threshold=2)
    world.fail(one, 2)
    world.succeed(one)
    world.fail(one)
    assert world.phase(one) == "closed"


def test_an_answer_to_a_call_from_before_it_opened_does_not() -> None:
    world, one = World(), candidate(threshold=1)
    began = world.clock.now
    world.clock.now += 1
    world.fail(one)
    world.clock.now += 1
    world.succeed(one, began)
    assert world.phase(one) == "open"


@pytest.mark.parametrize(
    ("retry_after_seconds", "expected"), [(None, 60), (5, 60), (60, 60), (300, 300)]
)
def test_it_cools_for_the_longer_of_its_own_time_and_the_providers(
    retry_after_seconds: float | None, expected: float
) -> None:
    world, one = World(), candidate(threshold=1, cooldown_seconds=60)
    world.fail(one, error=UpstreamLimited("later", retry_after_seconds=retry_after_seconds))
    world.clock.now += expected - 1
    assert world.phase(one) == "open"
    world.clock.now += 1
    assert world.phase(one) == "half-open"


def test_a_shorter_hint_never_shortens_a_longer_one() -> None:
    world, one = World(), candidate(threshold=2, cooldown_seconds=60)
    world.fail(one, error=UpstreamLimited("later", retry_after_seconds=300))
    world.fail(one, error=UpstreamLimited("soon", retry_after_seconds=1))
    world.clock.now += 299
    assert world.phase(one) == "open"


def unavailable(status: int) -> UpstreamError:
    error = UpstreamUnavailable("x")
    error.provider_status = status
    return error


@pytest.mark.parametrize(
    "error",
    [
        DOWN,
        UpstreamLimited("x"),
        UpstreamTimeout("x"),
        UpstreamConnectTimeout("x"),
        EmptyCompletion("x"),
        StreamBroken("x"),
        unavailable(408),
        unavailable(500),
        unavailable(529),
    ],
    ids=lambda error: f"{type(error).__name__}-{error.provider_status}",
)
def test_errors_of_the_provider_count(error: UpstreamError) -> None:
    world, one = World(), candidate(threshold=1)
    world.fail(one, error=error)
    assert world.phase(one) == "open"


@pytest.mark.parametrize(
    "error",
    [
        UpstreamRefused("x"),
        UpstreamCredentials("x"),
        UpstreamMisconfigured("x"),
        unavailable(409),
        unavailable(425),
        unavailable(499),
    ],
    ids=lambda error: f"{type(error).__name__}-{error.provider_status}",
)
def test_errors_that_a_caller_or_a_setting_may_cause_do_not(error: UpstreamError) -> None:
    world, one = World(), candidate(threshold=1)
    world.fail(one, error=error)
    assert world.phase(one) == "closed"


def test_the_memory_is_bounded() -> None:
    world = World(max_remembered=2)
    several = [candidate(name, threshold=1) for name in "abc"]
    for one in several:
        world.fail(one)
    assert [world.phase(one) for one in several] == ["closed", "open", "open"]


async def test_one_request_tries_what_has_cooled_down_and_others_ask_who_works() -> None:
    world, bad, good = World(), candidate("bad", threshold=1), candidate("good")
    world.fail(bad)
    world.clock.now += 60
    async with world.breakers.trial((bad, good), "openai-chat") as first:
        assert first == (bad, good)
        assert world.phase(bad) == "open"
        async with world.breakers.trial((good, bad), "openai-chat") as second:
            assert second == (good, bad)
    assert world.phase(bad) == "half-open"


async def test_of_two_that_are_let_in_at_once_one_tries() -> None:
    """Both were ordered before either began."""
    world, bad, good = World(), candidate("bad", threshold=1), candidate("good")
    world.fail(bad)
    world.clock.now += 60
    deciding = asyncio.Event()

    class Slow:
        async def claim(self, breaker: Breaker) -> bool:
            await deciding.wait()
            return breaker.name == "chat/bad"

    world.breakers.claims = Slow()
    one = world.breakers.trial((bad, good), "openai-chat")
    asking = asyncio.create_task(one.__aenter__())
    await asyncio.sleep(0)
    assert world.phase(bad) == "open"
    deciding.set()
    assert await asking == (bad, good)


async def test_who_is_denied_the_trial_asks_the_next_that_works() -> None:
    world, bad, good = World(), candidate("bad", threshold=1), candidate("good")
    world.fail(bad)
    world.clock.now += 60

    class Denied:
        async def claim(self, breaker: Breaker) -> bool:
            return breaker.name != "chat/bad"

    world.breakers.claims = Denied()
    assert await world.order(bad, good) == (good, bad)
    assert await world.order(bad) == (bad,)


async def test_a_trial_that_ends_without_a_result_leaves_it_to_the_next() -> None:
    world, one = World(), candidate(threshold=1)
    world.fail(one)
    world.clock.now += 60
    with pytest.raises(ZeroDivisionError):
        async with world.breakers.trial((one,), "openai-chat"):
            raise ZeroDivisionError
    assert world.phase(one) == "half-open"


async def test_a_failed_trial_opens_it_and_a_good_one_closes_it() -> None:
    world, one = World(), candidate(threshold=1, cooldown_seconds=60)
    world.fail(one)
    world.clock.now += 60
    async with world.breakers.trial((one,), "openai-chat"):
        world.fail(one)
    assert world.phase(one) == "open"
    world.clock.now += 60
    async with world.breakers.trial((one,), "openai-chat"):
        world.succeed(one)
    assert world.phase(one) == "closed"


def test_a_providers_own_lapses_and_is_told_once() -> None:
    """Redis goes on saying that it was open."""
    world, one = World(), candidate()
    record = Record(until_ms=1000, opened_ms=0)
    for now_ms in (0.0, 500.0, 1500.0, 2000.0):
        world.clock.now = 1000 + now_ms / 1000
        standing = Standing(now=now_ms, records={"*": record})
        world.breakers.heard("shop/p", Terms(3, 60), standing)
        world.breakers.observe()
        assert world.phase(one) == ("open" if now_ms < 1000 else "closed")
    assert world.changes.seen == [("shop/p", "", "*", phase) for phase in ("open", "closed")]


def test_changes_are_told_once_each_the_end_of_a_cooldown_too() -> None:
    world, one = World(), candidate(threshold=2, cooldown_seconds=60)
    world.fail(one, 3)
    world.clock.now += 60
    for _ in range(2):
        world.breakers.observe()
    world.succeed(one)
    expected = [("shop/p", "m", "chat", phase) for phase in ("open", "half-open", "closed")]
    assert world.changes.seen == expected
