"""What outcomes have taught, and how several sidecars learn together over real Redis."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest
import redis

from penstock_config.credentials import RedisAccess
from penstock_config.layout import Group
from penstock_sidecar.clock import SystemClock
from penstock_sidecar.redis_store import RedisStore, connect
from penstock_sidecar.routing.score_sharing import BATCH, ScoreSharing
from penstock_sidecar.routing.scores import Learning, Scores, Tally
from penstock_sidecar.store import Argument, Script, StoreUnavailable
from tests.sidecar.routing.builders import ManualClock

GROUP = Group.of_namespace("test", "shop")
LABELS = ("shop/p/a", "shop/p/b")
A, B = LABELS
PATIENCE_SECONDS = 5
NEVER_SECONDS = 30


@pytest.fixture
async def store(each_redis_url: str) -> AsyncIterator[RedisStore]:
    opened = await connect(RedisAccess(url=each_redis_url), deadline_seconds=PATIENCE_SECONDS)
    yield opened
    await opened.close()


def one(store: RedisStore, learning: Learning | None = None) -> ScoreSharing:
    """What a sidecar has; it speaks when it is told to."""
    return ScoreSharing(Scores(SystemClock(), learning), store, GROUP, LABELS, NEVER_SECONDS)


def scores_of(sharing: ScoreSharing) -> Scores:
    return sharing._scores


async def test_what_one_learns_another_knows_after_both_have_spoken(store: RedisStore) -> None:
    teacher, pupil = one(store), one(store)
    scores_of(teacher).learn(A, "coding", Tally(3, 2, 1, 2, 900))
    await teacher.exchange()
    await pupil.exchange()
    found = scores_of(pupil).tally(A, "coding")
    assert (found.asked, found.served, found.signs) == pytest.approx((3, 2, 1), rel=0.01)
    assert (found.waits, found.wait_ms) == pytest.approx((2, 900), rel=0.01)
    assert scores_of(pupil).tally(A, "chat") == Tally()
    assert scores_of(pupil).tally(B, "coding") == Tally()


async def test_lessons_of_all_are_added_up_once(store: RedisStore) -> None:
    sidecars = [one(store) for _ in range(3)]
    for _ in range(4):
        for sidecar in sidecars:
            scores_of(sidecar).learn(B, "chat", Tally(1, 1))
        for sidecar in sidecars:
            await sidecar.exchange()
    for sidecar in sidecars:
        await sidecar.exchange()
        assert scores_of(sidecar).tally(B, "chat").asked == pytest.approx(12, rel=0.01)


async def test_good_answers_take_back_no_more_than_there_was(store: RedisStore) -> None:
    good, bad = one(store), one(store)
    for _ in range(20):
        scores_of(good).learn(A, "chat", Tally(1, 1, -0.2))
    await good.exchange()
    scores_of(bad).learn(A, "chat", Tally(1, 1, 1))
    await bad.exchange()
    await good.exchange()
    assert scores_of(good).weight(A, "chat") == pytest.approx(0.8, rel=0.01)


async def test_what_all_know_halves_with_time(store: RedisStore) -> None:
    quick = Learning(half_life_seconds=0.2)
    teacher, pupil = one(store, quick), one(store, quick)
    scores_of(teacher).learn(A, "chat", Tally(8, 8))
    await teacher.exchange()
    while scores_of(pupil).tally(A, "chat").asked == 0:
        await pupil.exchange()
    before = scores_of(pupil).tally(A, "chat").asked
    await asyncio.sleep(0.4)
    assert scores_of(pupil).tally(A, "chat").asked <= before / 3.9
    scores_of(teacher).learn(A, "chat", Tally())
    await teacher.exchange()
    await pupil.exchange()
    assert scores_of(pupil).tally(A, "chat").asked <= 8 / 3.9


async def test_nothing_is_read_again_that_nobody_has_changed(store: RedisStore) -> None:
    teacher, pupil = one(store), one(store)
    scores_of(teacher).learn(A, "chat", Tally(1, 1))
    await teacher.exchange()
    await pupil.exchange()
    known = scores_of(pupil).tally(A, "chat")
    await pupil.exchange()
    assert scores_of(pupil).tally(A, "chat") is known


async def test_more_candidates_than_one_call_takes_are_all_shared(store: RedisStore) -> None:
    labels = [f"shop/p/m{number}" for number in range(2 * BATCH + 1)]
    teacher, pupil = (
        ScoreSharing(Scores(SystemClock()), store, GROUP, labels, NEVER_SECONDS) for _ in range(2)
    )
    for label in labels:
        scores_of(teacher).learn(label, "chat", Tally(1, 1))
    await teacher.exchange()
    await pupil.exchange()
    assert all(scores_of(pupil).tally(label, "chat").served > 0.9 for label in labels)


async def test_keys_are_bounded_and_go_when_nobody_adds(
    store: RedisStore, each_redis_url: str
) -> None:
    sidecar = one(store)
    scores_of(sidecar).learn(A, "chat", Tally(1, 1))
    scores_of(sidecar).learn("shop/p/of-no-tier", "chat", Tally(1, 1))
    await sidecar.exchange()
    with redis.Redis.from_url(each_redis_url, decode_responses=True) as client:
        (teller,) = client.keys("*:teller:*")
        assert sorted(client.scan_iter()) == sorted([GROUP.scores(A), teller])
        assert client.ttl(teller) in range(1, 601)
        assert client.hkeys(GROUP.scores(A)) == ["chat"]
        assert client.ttl(GROUP.scores(A)) in range(86_000, 86_401)


@asynccontextmanager
async def learning_together(redis_url: str) -> AsyncIterator[tuple[Scores, Scores]]:
    """Two processes' worth, each with a connection of its own, exchanging as they do in pods."""
    async with AsyncExitStack() as stack:
        found = []
        for _ in range(2):
            store = await connect(RedisAccess(url=redis_url), deadline_seconds=PATIENCE_SECONDS)
            stack.push_async_callback(store.close)
            sharing = ScoreSharing(Scores(SystemClock()), store, GROUP, LABELS)
            stack.push_async_callback(sharing.close)
            sharing.start()
            found.append(scores_of(sharing))
        yield found[0], found[1]


def knows(pupil: Scores, signs: float) -> bool:
    return pupil.tally(A, "chat").signs > signs


async def seconds_until(true: Callable[[], bool]) -> float:
    """Of the loop's own time."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not true():  # noqa: ASYNC110  # what others know has no event
        await asyncio.sleep(0.01)
    return loop.time() - began


async def test_a_second_sidecar_knows_within_a_second(redis_url: str) -> None:
    async with learning_together(redis_url) as (teacher, pupil):
        took = []
        for number in range(4):
            teacher.learn(A, "chat", Tally(1, 1, 1))
            took.append(await seconds_until(partial(knows, pupil, number + 0.5)))
        assert min(took) < 1.0, took


class Late:
    """A Redis whose answers are lost, or that is away, as often as it is told."""

    def __init__(self, inner: RedisStore, *, lost: int = 0, away: int = 0) -> None:
        self._inner = inner
        self._lost, self._away = lost, away

    async def command(self, *arguments: Argument) -> object:
        return await self._inner.command(*arguments)

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        if self._away:
            self._away -= 1
            raise StoreUnavailable("away", sent=False)
        reply = await self._inner.script(script, keys, arguments)
        if self._lost:
            self._lost -= 1
            raise StoreUnavailable("too late")
        return reply


@pytest.mark.parametrize(("lost", "away"), [(2, 0), (0, 2), (1, 1)])
async def test_what_redis_may_not_have_heard_is_told_again_and_counts_once(
    store: RedisStore, lost: int, away: int
) -> None:
    scores = Scores(SystemClock())
    teacher = ScoreSharing(scores, Late(store, lost=lost, away=away), GROUP, LABELS, NEVER_SECONDS)
    pupil = one(store)
    for told in range(1, 6):
        scores.learn(A, "chat", Tally(1, 1))
        await teacher.exchange()
        assert scores.tally(A, "chat").asked == pytest.approx(told, rel=0.01)
    await teacher.exchange()
    await pupil.exchange()
    assert scores_of(pupil).tally(A, "chat").asked == pytest.approx(5, rel=0.01)
    assert scores.tally(A, "chat").asked == pytest.approx(5, rel=0.01)


async def test_who_shares_only_the_former_candidates_leaves_news_of_new_ones(
    store: RedisStore,
) -> None:
    """The sharing of a configuration that a long stream keeps, beside that of the next one."""
    scores = Scores(SystemClock())
    former = ScoreSharing(scores, store, GROUP, [A], NEVER_SECONDS)
    present = ScoreSharing(scores, store, GROUP, LABELS, NEVER_SECONDS)
    pupil = one(store)
    scores.learn(B, "chat", Tally(1, 1))
    for sharing in (former, present, pupil):
        await sharing.exchange()
    assert scores_of(pupil).tally(B, "chat").asked == pytest.approx(1, rel=0.01)
    assert scores.tally(B, "chat").asked == pytest.approx(1, rel=0.01)


class Counting(Late):
    """Its `calls` are those that it was asked for."""

    calls = 0

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        self.calls += 1
        return await super().script(script, keys, arguments)


async def test_who_is_idle_reads_nothing_until_there_is_news(store: RedisStore) -> None:
    scores, counting = Scores(SystemClock()), Counting(store, away=8)
    scores.learn(A, "chat", Tally(1, 1))
    sharing, pupil = ScoreSharing(scores, counting, GROUP, LABELS, 0.01, 0.05), one(store)
    sharing.start()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await silence(counting)
        await pupil.exchange()
        assert knows_of(pupil, 1), "Redis was away for longer than that, and was told all the same"
        scores.learn(A, "chat", Tally(1, 1))
        while not knows_of(pupil, 2):
            await pupil.exchange()
    await sharing.close()


async def silence(counting: Counting) -> None:
    """Returns when nobody has asked for a while."""
    heard = -1
    while heard != counting.calls:
        heard = counting.calls
        await asyncio.sleep(0.2)


def knows_of(pupil: ScoreSharing, asked: int) -> bool:
    return scores_of(pupil).tally(A, "chat").asked > asked - 0.5


def test_cells_are_bounded() -> None:
    scores = Scores(ManualClock(), max_cells=10)
    for number in range(50):
        scores.learn(f"m{number}", "chat", Tally(1, 1))
    assert len(scores.weights()) == 10
    assert ("m49", "chat") in scores.weights()
