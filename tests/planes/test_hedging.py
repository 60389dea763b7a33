"""A second candidate beside the first: whose content comes first is heard, the other is cut."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import openai
import pytest

from penstock_cli.stub import EMPTY, Behaviour, Broken, Ok, Status, Tokens
from penstock_config.budget import Amounts, Budget
from penstock_config.layout import Group
from penstock_config.policy import CallerLimit
from penstock_config.provider import Health, RateLimits
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Hedge
from tests.planes.plane import NAMESPACE, Plane, chat, running_plane, within
from tests.sidecar.http.edge import Response
from tests.sidecar.limits.books import Books

streamed = pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
PATIENCE_SECONDS = 20
ROOMY = RateLimits(requests_per_minute=1000, tokens_per_minute=10_000_000, concurrent_requests=50)
BUDGET = Budget(id=f"{NAMESPACE}/team", limits=Amounts(total=10**12))
AT_ONCE = Hedge(when_headroom_below_percent=100, after_ms=600_000, max_extra_percent=100)
"""Something is always gone of limits that have just been asked."""
SOON = Hedge(after_ms=1, max_extra_percent=100)
GROUP = Group.of_namespace("test", NAMESPACE)


def hedged(plane: Plane, hedge: Hedge, **of_backup: Any) -> SidecarConfig:
    """Tier `fast` hedges; everything is limited and paid for. On a busy machine Redis may be late,
    which says nothing about hedges."""
    limits = (CallerLimit(name="all", per="App", limits=ROOMY),)
    config = plane.config(limits=limits, on_redis_loss="Open")
    changes = {"limits": ROOMY, "health": Health(failure_threshold=10**9)}
    main, backup = config.providers
    fast, solo = config.tiers
    return config.model_copy(
        update={
            "providers": (
                main.model_copy(update=changes),
                backup.model_copy(update={**changes, **of_backup}),
            ),
            "tiers": (fast.model_copy(update={"hedge": hedge}), solo),
            "budgets": (BUDGET,),
        }
    )


@pytest.fixture
def books(redis_url: str) -> Books:
    return Books(redis_url)


@pytest.fixture
async def plane(tmp_path: Path, redis_url: str) -> AsyncIterator[Plane]:
    async with running_plane(tmp_path, redis_url) as running:
        await running.publish(hedged(running, SOON))
        yield running


async def ask(plane: Plane, *, stream: bool) -> Response:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await plane.ask(chat(stream=stream))


async def all_given_back(plane: Plane, books: Books) -> dict[str, int]:
    """What was spent, once everything is settled: closing waits for that."""
    await plane.sidecar.close()
    money = books.money(GROUP, BUDGET.id)
    assert (money["R"], money["U"]) == (0, 0)
    assert books.slots() == 0
    return money


@streamed
async def test_the_seconds_content_is_heard_where_it_comes_first(
    plane: Plane, books: Books, stream: bool
) -> None:
    plane.main.always(Ok(first=asyncio.Event()))
    plane.backup.always(Ok(text="from the second", usage=Tokens(100, 10)))
    response = await ask(plane, stream=stream)
    assert response.status == 200
    assert b"second" in response.body
    assert response.headers["x-penstock-provider"] == f"{NAMESPACE}/backup"
    assert response.headers["x-penstock-hedge"] == "second"
    assert response.headers["x-penstock-attempted-fallbacks"] == "0"
    await within(PATIENCE_SECONDS, (await plane.main.request()).disconnected)
    spent = await all_given_back(plane, books)
    assert spent["S"] > 100 * 15 // 100 + 10 * 60 // 100, "the loser's input is paid for too"


@streamed
async def test_the_firsts_content_is_heard_where_it_comes_first(
    plane: Plane, books: Books, stream: bool
) -> None:
    first = asyncio.Event()
    plane.main.always(Ok(text="from the first", first=first))
    plane.backup.always(Ok(first=asyncio.Event()))
    asking = asyncio.create_task(ask(plane, stream=stream))
    second = await plane.backup.request()
    first.set()
    response = await asking
    assert b"first" in response.body
    assert response.headers["x-penstock-provider"] == f"{NAMESPACE}/main"
    assert response.headers["x-penstock-hedge"] == "first"
    await within(PATIENCE_SECONDS, second.disconnected)
    assert (await all_given_back(plane, books))["S"] > 0


async def test_the_cost_is_that_of_both(plane: Plane, books: Books) -> None:
    plane.main.always(Ok(first=asyncio.Event()))
    plane.backup.always(Ok(usage=Tokens(100_000, 1000)))
    response = await ask(plane, stream=False)
    told = round(float(response.headers["x-penstock-cost-usd"]) * 1_000_000)
    spent = await all_given_back(plane, books)
    assert told == spent["S"]
    assert told > 100_000 * 150_000 // 1_000_000 + 1000 * 600_000 // 1_000_000


async def test_both_count_at_their_providers_and_once_for_the_caller(
    plane: Plane, books: Books
) -> None:
    plane.main.always(Ok(first=asyncio.Event()))
    assert (await ask(plane, stream=True)).headers["x-penstock-hedge"] == "second"
    await all_given_back(plane, books)
    counts = [
        books.count("rpm60", Group.of_provider("test", f"{NAMESPACE}/{name}"))
        for name in ("main", "backup")
    ]
    subjects = cast("list[bytes]", books.client.keys(GROUP.subject("*")))
    callers = [cast("bytes", books.client.hget(key.decode(), "rpm60")) for key in subjects]
    assert (counts, callers) == ([1, 1], [b"1"])


@streamed
async def test_a_first_that_answers_before_the_delay_is_alone(plane: Plane, stream: bool) -> None:
    await plane.publish(hedged(plane, Hedge(after_ms=600_000)))
    response = await ask(plane, stream=stream)
    assert response.status == 200
    assert "x-penstock-hedge" not in response.headers
    assert plane.backup.requests == []


async def test_with_little_headroom_both_are_asked_at_once(plane: Plane) -> None:
    await plane.publish(hedged(plane, AT_ONCE))
    plane.main.always(Ok(first=asyncio.Event()))
    response = await ask(plane, stream=True)
    assert response.headers["x-penstock-hedge"] == "second"


FAILURES: dict[str, Behaviour] = {
    "500": Status(500),
    "429": Status(429, retry_after="1"),
    "empty": EMPTY,
    "cut": Broken("reset", after=1),
}


@streamed
@pytest.mark.parametrize("failure", FAILURES)
async def test_the_other_serves_where_one_of_the_two_fails(
    plane: Plane, books: Books, failure: str, stream: bool
) -> None:
    """Both are under way; the second then fails before the first has content."""
    first, fails = asyncio.Event(), asyncio.Event()
    plane.main.always(Ok(text="from the first", first=first))
    plane.backup.always(Ok(first=fails))
    plane.backup.queue(_late(FAILURES[failure], fails))
    asking = asyncio.create_task(ask(plane, stream=stream))
    second = await plane.backup.request()
    fails.set()
    await within(PATIENCE_SECONDS, second.ended)
    first.set()
    response = await asking
    assert b"first" in response.body
    assert response.headers["x-penstock-hedge"] == "first"
    await all_given_back_but_unsettled(plane, books)


def _late(behaviour: Behaviour, first: asyncio.Event) -> Behaviour:
    match behaviour:
        case Status(code=code, retry_after=after):
            return Status(code, retry_after=after, first=first)
        case Broken(how=how, after=pieces):
            return Broken(how, after=pieces, answer=Ok(first=first))
        case _:
            return Ok(text="", first=first)


async def all_given_back_but_unsettled(plane: Plane, books: Books) -> None:
    """Of a connection that was cut nobody knows what it cost: its money stays unsettled."""
    await plane.sidecar.close()
    assert books.money(GROUP, BUDGET.id)["R"] == 0
    assert books.slots() == 0


@streamed
async def test_where_both_fail_that_is_the_error(plane: Plane, books: Books, stream: bool) -> None:
    fails = asyncio.Event()
    plane.main.always(Status(500, first=fails))
    plane.backup.always(Status(500))
    asking = asyncio.create_task(ask(plane, stream=stream))
    await plane.backup.request()
    fails.set()
    response = await asking
    assert response.status == 502
    assert response.headers["x-penstock-hedge"] == "none"
    assert (await all_given_back(plane, books))["S"] == 0


@streamed
async def test_a_caller_that_leaves_ends_both(plane: Plane, books: Books, stream: bool) -> None:
    plane.main.always(Ok(first=asyncio.Event()))
    plane.backup.always(Ok(first=asyncio.Event()))
    async with plane.client(timeout=600) as client:
        asking = asyncio.create_task(client.chat.completions.create(**chat(stream=stream)))
        both = await plane.main.request(), await plane.backup.request()
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    for seen in both:
        await within(PATIENCE_SECONDS, seen.disconnected)
    await all_given_back_but_unsettled(plane, books)


@streamed
async def test_a_provider_that_is_read_on_for_its_bill_is_not_where_two_are_asked(
    plane: Plane, stream: bool
) -> None:
    config = hedged(plane, SOON)
    drains = (p.model_copy(update={"drain_seconds": 600.0}) for p in config.providers)
    await plane.publish(config.model_copy(update={"providers": tuple(drains)}))
    plane.main.always(Ok(first=asyncio.Event()))
    plane.backup.always(Ok(first=asyncio.Event()))
    asking = asyncio.create_task(ask(plane, stream=stream))
    both = await plane.main.request(), await plane.backup.request()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    for seen in both:
        await within(PATIENCE_SECONDS, seen.disconnected)


async def test_a_stream_that_breaks_after_its_first_content_is_not_replaced(plane: Plane) -> None:
    plane.main.always(Ok(first=asyncio.Event()))
    plane.backup.always(Broken("reset", after=3, answer=Ok(text="one two three four")))
    response = await ask(plane, stream=True)
    assert response.status == 200
    assert b"upstream_stream_broken" in response.body
    assert b"[DONE]" not in response.body
    assert len(plane.main.requests) == 1


async def test_a_second_that_its_limits_refuse_is_left_out(plane: Plane, books: Books) -> None:
    """Its only slot is taken."""
    await plane.publish(hedged(plane, SOON, limits=RateLimits(concurrent_requests=1)))
    first, busy = asyncio.Event(), asyncio.Event()
    plane.main.queue(Ok(first=asyncio.Event()), Ok(text="from the first", first=first))
    plane.backup.always(Ok(text="from the second", first=busy))
    holding = asyncio.create_task(ask(plane, stream=True))
    await plane.backup.request()
    asking = asyncio.create_task(ask(plane, stream=True))
    await plane.main.request(2)
    first.set()
    response = await asking
    assert b"first" in response.body
    assert "x-penstock-hedge" not in response.headers
    busy.set()
    assert (await holding).headers["x-penstock-hedge"] == "second"
    assert len(plane.backup.requests) == 1
    await all_given_back(plane, books)


async def test_a_second_that_its_limits_refused_can_be_fallen_back_to(
    plane: Plane, books: Books
) -> None:
    """Its only slot is free again when the first fails."""
    await plane.publish(hedged(plane, AT_ONCE, limits=RateLimits(concurrent_requests=1)))
    fails, busy = asyncio.Event(), asyncio.Event()
    plane.main.queue(Ok(first=asyncio.Event()), Status(500, first=fails))
    plane.backup.always(Ok(text="from the second", first=busy))
    holding = asyncio.create_task(ask(plane, stream=True))
    await plane.backup.request()
    asking = asyncio.create_task(ask(plane, stream=True))
    await plane.main.request(2)
    busy.set()
    assert (await holding).status == 200
    while books.slots() > 2:  # noqa: ASYNC110  # the app's and main's; Redis tells nobody
        await asyncio.sleep(0)
    fails.set()
    response = await asking
    assert (response.status, response.headers["x-penstock-provider"]) == (200, "team/backup")


async def refused_by_a_budget(plane: Plane) -> None:
    """Returns when the sidecar has counted one refusal."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            if b'limit="budget team/team"' in (await plane.probe("/metrics")).body:
                return


async def test_a_second_that_the_budget_does_not_hold_is_left_out(
    plane: Plane, books: Books
) -> None:
    config = hedged(plane, AT_ONCE)
    tight = BUDGET.model_copy(update={"limits": Amounts(total=250)})  # one may cost about 170
    await plane.publish(config.model_copy(update={"budgets": (tight,)}))
    first = asyncio.Event()
    plane.main.always(Ok(text="from the first", first=first))
    asking = asyncio.create_task(ask(plane, stream=False))
    await plane.main.request()
    await refused_by_a_budget(plane)
    first.set()
    response = await asking
    assert b"first" in response.body
    assert "x-penstock-hedge" not in response.headers
    assert plane.backup.requests == []
    assert (await all_given_back(plane, books))["S"] > 0


async def test_who_fails_all_the_time_is_no_second(plane: Plane) -> None:
    """His breaker is open: he is asked where nobody else can be."""
    await plane.publish(hedged(plane, SOON, health=Health(failure_threshold=1)))
    plane.main.queue(Status(500), Ok(text="from the first", first=0.05))
    plane.backup.always(Status(500))
    assert (await ask(plane, stream=True)).status == 502
    response = await ask(plane, stream=True)
    assert b"first" in response.body
    assert "x-penstock-hedge" not in response.headers
    assert len(plane.backup.requests) == 1


async def test_extra_load_is_bounded(plane: Plane) -> None:
    """Every request would have a second; one in ten may, and the very first."""
    await plane.publish(hedged(plane, AT_ONCE.model_copy(update={"max_extra_percent": 10})))
    plane.main.always(Ok(first=0.01))
    answers = [await ask(plane, stream=True) for _ in range(40)]
    hedges = [answer for answer in answers if "x-penstock-hedge" in answer.headers]
    assert {answer.status for answer in answers} == {200}
    assert 1 <= len(hedges) <= 1 + 4
    assert len(plane.backup.requests) <= 1 + 4


async def test_the_delay_is_learnt_where_it_is_a_percentile(plane: Plane) -> None:
    await plane.publish(hedged(plane, Hedge(after_percentile=99, max_extra_percent=100)))
    for _ in range(25):
        assert "x-penstock-hedge" not in (await ask(plane, stream=True)).headers
    plane.main.always(Ok(first=asyncio.Event()))
    assert (await ask(plane, stream=True)).headers["x-penstock-hedge"] == "second"


async def test_metrics_count_hedges_by_who_won(plane: Plane) -> None:
    plane.main.always(Ok(first=asyncio.Event()))
    await ask(plane, stream=True)
    text = (await plane.probe("/metrics")).body.decode()
    assert f'penstock_hedges_total{{policy="{NAMESPACE}/shop",winner="second"}} 1.0' in text


async def test_what_the_request_itself_is_refused_for_is_told(plane: Plane, books: Books) -> None:
    refuses = asyncio.Event()
    plane.main.always(Status(400, error_code="bad_value", first=refuses))
    plane.backup.always(Ok(first=asyncio.Event()))
    async with plane.client() as client:
        asking = asyncio.create_task(client.chat.completions.create(**chat()))
        second = await plane.backup.request()
        refuses.set()
        with pytest.raises(openai.BadRequestError):
            await asking
    await within(PATIENCE_SECONDS, second.disconnected)
    assert (await all_given_back(plane, books))["S"] > 0, "the second's input is paid for"


@streamed
async def test_whenever_the_caller_leaves_nothing_is_left_behind(
    plane: Plane, books: Books, stream: bool
) -> None:
    """At many moments of a race that is decided by chance."""
    plane.main.always(Ok(text="one two", first=0.004))
    plane.backup.always(Ok(text="one two"))
    for turns in range(0, 300, 6):
        asking = asyncio.create_task(ask(plane, stream=stream))
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    await all_given_back_but_unsettled(plane, books)
