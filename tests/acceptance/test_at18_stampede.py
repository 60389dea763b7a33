"""AT18: who asks what another one is asking already, waits for that answer, at whichever sidecar;
and whoever asks for all may fail, be refused, leave or die: somebody else does it then."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from statistics import median

import pytest

from penstock_cli.stub import Ok, Status, StubProvider, Tokens
from penstock_config.budget import Amounts, Budget
from penstock_config.cache import Cache, ExactCache
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from penstock_config.queue import Queue
from penstock_sidecar.cache.flight.times import AS_SHIPPED
from tests.acceptance.caller import Caller, Reply
from tests.acceptance.crowd import PLAIN, STREAM, cached, crowd
from tests.acceptance.fleet import Fleet, fleet
from tests.acceptance.registry import Case
from tests.conftest import running_redis
from tests.planes.plane import NAMESPACE
from tests.servers.binaries import any_server

SIDECARS = 4
ALIKE = 100
PATIENT = {"REDIS_DEADLINE_SECONDS": "5"}
"""A busy machine is no Redis that is away: of that there are other tests."""
DAILY = 100_000
"""Micro-USD; an answer may cost a tenth, and costs next to nothing."""
AHEAD = SIDECARS
"""Requests before those that count: `crowd` warms each sidecar."""


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("four")
    with (
        running_redis(any_server(), folder) as url,
        fleet(folder, url, SIDECARS, **PATIENT) as running,
    ):
        yield running


@pytest.fixture
async def fake() -> AsyncIterator[StubProvider]:
    async with StubProvider() as running:
        yield running


def levels(replies: list[Reply]) -> Counter[str]:
    return Counter(reply.headers["x-penstock-cache"] for reply in replies)


def served(replies: list[Reply]) -> list[Reply]:
    return [reply for reply in replies if reply.status == 200]


@pytest.mark.parametrize(
    "cases", [(PLAIN,), (STREAM,), (PLAIN, STREAM)], ids=["plain", "streams", "both"]
)
async def test_at18_a_hundred_alike_at_four_sidecars_are_one_call(
    cases: tuple[Case, ...],
    four: Fleet,
    fake: StubProvider,
    application: Caller,
    request: pytest.FixtureRequest,
) -> None:
    """Plain, streams, and both: all are there before the answer is, which takes longer than a
    leader may be silent."""
    answer = asyncio.Event()
    name = f"at18-{request.node.callspec.id}"
    asking = await crowd(four, application, cached(fake, name))
    fake.always(Ok("one for all", first=answer))
    replies = asking.all_ask(ALIKE, "the same", *cases)
    await asking.are_there(ALIKE)
    await asyncio.sleep(2 * AS_SHIPPED.lease)
    answer.set()
    found = await asyncio.gather(*replies)
    assert {reply.answer.text for reply in found} == {"one for all"}
    assert all(reply.answer.complete for reply in found)
    assert levels(found) == {"miss": 1, "hit-exact": ALIKE - 1}
    assert len(fake.requests) == AHEAD + 1
    assert await asking.flights() == {"followed": ALIKE - 1}
    hits = [reply for reply in found if reply.headers["x-penstock-cache"] != "miss"]
    assert {reply.headers["x-penstock-cost-usd"] for reply in hits} == {"0.000000"}


@pytest.mark.slow
async def test_at18_also_when_the_answer_takes_twenty_seconds(
    four: Fleet, fake: StubProvider, application: Caller
) -> None:
    asking = await crowd(four, application, cached(fake, "at18-slow"))
    fake.always(Ok("at last", first=20.0))
    found = await asyncio.gather(*asking.all_ask(ALIKE, "the same", PLAIN, STREAM))
    assert {reply.answer.text for reply in found} == {"at last"}
    assert levels(found) == {"miss": 1, "hit-exact": ALIKE - 1}
    assert len(fake.requests) == AHEAD + 1


@pytest.mark.alone
async def test_at18_a_killed_leader_is_replaced_within_a_second(
    tmp_path: Path, redis_url: str, fake: StubProvider, application: Caller
) -> None:
    """Each sidecar but the last leads, and is killed; from SIGKILL to the successor's call."""
    with fleet(tmp_path, redis_url, SIDECARS, **PATIENT) as running:
        asking = await crowd(running, application, cached(fake, "at18-killed"))
        fake.always(Ok("never", first=asyncio.Event()))
        loop, took = asyncio.get_running_loop(), []
        replies = [asyncio.create_task(asking.ask(running.sidecars[0], "the same"))]
        for number, leader in enumerate(running.sidecars[:-1], start=1):
            await fake.request(AHEAD + number)
            successor = running.sidecars[number]
            replies.append(asyncio.create_task(asking.ask(successor, "the same")))
            await asking.are_there(1, successor)
            if successor is running.sidecars[-1]:
                fake.always(Ok("from the last"))
            await asyncio.sleep(AS_SHIPPED.lease)  # it is the beats that keep him
            assert len(fake.requests) == AHEAD + number
            killed_at = loop.time()
            leader.kill_dash_nine()
            took.append((await fake.request(AHEAD + number + 1)).at - killed_at)
        *broken, last = await asyncio.gather(*replies, return_exceptions=True)
    assert isinstance(last, Reply)
    assert last.answer.text == "from the last"
    assert not [end for end in broken if isinstance(end, Reply)]
    assert median(took) < 1, took


async def test_at18_a_leader_over_his_budget_hands_over_to_one_who_may(
    four: Fleet, fake: StubProvider, application: Caller
) -> None:
    """Who may not asks first at each sidecar, with a new question until he has led: whoever may is
    served, by one call."""
    budget = Budget(id=f"{NAMESPACE}/at18", per_user=Amounts(daily=DAILY))
    published = cached(fake, "at18-budget").model_copy(update={"budgets": (budget,)})
    asking = await crowd(four, application, published)
    fake.queue(Ok("dear", usage=Tokens(10, 2 * DAILY)))
    assert (await asking.ask(asking.sidecars[0], "all he has", user="poor")).status == 200
    fake.always(Ok("one for all"))
    question = 0
    while not (await asking.flights())["took-over"]:
        question += 1
        calls = len(fake.requests)
        poor = asking.all_ask(SIDECARS, f"question {question}", user="poor")
        rich = asking.all_ask(5 * SIDECARS, f"question {question}", user="rich")
        refused = [reply for reply in await asyncio.gather(*poor) if reply.status != 200]
        found = await asyncio.gather(*rich)
        assert {reply.answer.text for reply in found} == {"one for all"}
        assert len(fake.requests) == calls + 1
        assert {reply.error["code"] for reply in refused} <= {"insufficient_quota"}


@pytest.mark.alone
async def test_at18_a_leader_refused_by_his_own_limit_hands_over(
    four: Fleet, fake: StubProvider, application: Caller
) -> None:
    """He leads while he queues for his one slot, in vain, and others gather behind him."""
    one = CallerLimit(
        name="one",
        per="User",
        limits=RateLimits(concurrent_requests=1),
        on_exceeded="Queue",
        queue=Queue(max_wait_seconds=2),
    )
    published = cached(fake, "at18-queue", limits=(one,))
    asking = await crowd(four, application, published)
    held = asyncio.Event()
    fake.queue(Ok("later", first=held))
    slot = asyncio.create_task(asking.ask(asking.sidecars[0], "other", user="busy"))
    await fake.request(AHEAD + 1)
    busy = asyncio.create_task(asking.ask(asking.sidecars[0], "the same", user="busy"))
    await asking.are_there(2)
    others = asking.all_ask(ALIKE, "the same", user="free")
    await asking.are_there(2 + ALIKE)
    assert len(fake.requests) == AHEAD + 1
    assert (await busy).status == 429
    found = await asyncio.gather(*others)
    held.set()
    assert (await slot).status == 200
    assert levels(found) == {"miss": 1, "hit-exact": ALIKE - 1}
    assert len(fake.requests) == AHEAD + 2
    assert await asking.flights() == {"took-over": 1, "followed": ALIKE - 1}


async def test_at18_a_leader_whose_caller_leaves_hands_over(
    four: Fleet, fake: StubProvider, application: Caller
) -> None:
    asking = await crowd(four, application, cached(fake, "at18-left"))
    fake.queue(Ok("nobody wants it", first=asyncio.Event()))
    leaver = asyncio.create_task(asking.ask(asking.sidecars[0], "the same"))
    await fake.request(AHEAD + 1)
    others = asking.all_ask(ALIKE, "the same")
    await asking.are_there(1 + ALIKE)
    leaver.cancel()
    found = await asyncio.gather(*others)
    assert levels(found) == {"miss": 1, "hit-exact": ALIKE - 1}
    assert len(fake.requests) == AHEAD + 2


async def test_at18_an_error_is_nobody_elses(
    four: Fleet, fake: StubProvider, application: Caller
) -> None:
    """The next one's call succeeds, and all others have that."""
    failing = asyncio.Event()
    asking = await crowd(four, application, cached(fake, "at18-error"))
    fake.queue(Status(500, first=failing))
    replies = asking.all_ask(ALIKE, "the same")
    await asking.are_there(ALIKE)
    failing.set()
    found = await asyncio.gather(*replies)
    assert Counter(reply.status for reply in found) == {200: ALIKE - 1, 502: 1}
    assert levels(served(found)) == {"miss": 1, "hit-exact": ALIKE - 2}
    assert len(fake.requests) == AHEAD + 2


@pytest.mark.parametrize("case", [PLAIN, STREAM], ids=str)
async def test_at18_nobody_waits_twice_for_what_is_not_kept(
    case: Case, four: Fleet, fake: StubProvider, application: Caller
) -> None:
    """When the first answer is cut off by its length, all others ask at once, side by side: no one
    waits for another's again."""
    first, rest = asyncio.Event(), asyncio.Event()
    asking = await crowd(four, application, cached(fake, f"at18-cut-{case}"))
    fake.queue(Ok("cut", finish="length", first=first))
    fake.always(Ok("cut", finish="length", first=rest))
    replies = asking.all_ask(ALIKE, "the same", case)
    await asking.are_there(ALIKE)
    assert len(fake.requests) == AHEAD + 1
    first.set()
    await fake.request(AHEAD + ALIKE)
    rest.set()
    found = await asyncio.gather(*replies)
    assert levels(found) == {"miss": ALIKE}
    assert await asking.flights() == {"alone": ALIKE - 1}


async def test_at18_a_stream_too_long_to_be_kept_lets_the_others_go_before_it_ends(
    four: Fleet, fake: StubProvider, application: Caller
) -> None:
    small = Cache(exact=ExactCache(), max_entry_bytes=500)
    steps = asyncio.Semaphore(0)
    asking = await crowd(four, application, cached(fake, "at18-large", cache=small))
    fake.queue(Ok("x" * 1000 + " and so on", each=steps))
    fake.always(Ok("for me alone"))
    replies = asking.all_ask(ALIKE, "the same", STREAM)
    await asking.are_there(ALIKE)
    steps.release()
    await asking.are_there(1)
    assert len(fake.requests) == AHEAD + ALIKE
    for _ in range(3):
        steps.release()
    found = await asyncio.gather(*replies)
    assert all(reply.answer.complete for reply in found)
    assert levels(found) == {"miss": ALIKE}


async def test_at18_two_users_wait_for_nothing_of_each_other(
    four: Fleet, fake: StubProvider, application: Caller
) -> None:
    """Where each has his own answers, each has his own call."""
    own = Cache(exact=ExactCache(), scope="User")
    both = asyncio.Event()
    asking = await crowd(four, application, cached(fake, "at18-users", cache=own))
    fake.always(Ok("his own", first=both))
    users = [asking.all_ask(SIDECARS, "the same", user=user) for user in ("one", "two")]
    await fake.request(AHEAD + len(users))
    both.set()
    for replies in users:
        assert levels(await asyncio.gather(*replies)) == {"miss": 1, "hit-exact": SIDECARS - 1}
    assert len(fake.requests) == AHEAD + len(users)
