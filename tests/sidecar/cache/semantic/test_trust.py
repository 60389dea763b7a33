"""What is learnt of answers, in a real Redis of each kind."""

from collections.abc import AsyncIterator

import pytest

from penstock_config.cache_layout import Shelves
from penstock_config.credentials import RedisAccess
from penstock_sidecar.cache.semantic.trust import (
    BUDGET,
    MARGIN,
    MOST_WRONG,
    Tally,
    Trust,
    lower_bound,
)
from penstock_sidecar.redis_store import RedisStore
from tests.sidecar.cache.builders import AbsentStore

SHELVES = Shelves.of("test", "team", "shop", "app")
PARTITION, NAME, OTHER = "ab12", "t1:a", "t1:b"
LIFE_MS = 60_000


@pytest.fixture
async def store(each_redis_url: str) -> AsyncIterator[RedisStore]:
    """Patient: a busy machine is no test of the cache."""
    store = RedisStore(RedisAccess(url=each_redis_url), deadline_seconds=30)
    await store.first_try()
    yield store
    await store.close()


async def test_nothing_is_known_at_first(store: RedisStore) -> None:
    assert await Trust(store).tallies(SHELVES, PARTITION, (NAME,)) == [Tally(), Tally()]


async def test_an_answer_that_was_wrong_must_be_nearer_than_that(store: RedisStore) -> None:
    trust = Trust(store)
    assert not await trust.wrong(SHELVES, PARTITION, NAME, LIFE_MS, 0.961)
    partition, tally, other = await trust.tallies(SHELVES, PARTITION, (NAME, OTHER)) or []
    assert (tally.wrong, partition.wrong, other.wrong) == (1, 1, 0)
    assert tally.least == pytest.approx(0.961 + MARGIN)


async def test_what_it_must_reach_only_rises(store: RedisStore) -> None:
    trust = Trust(store)
    await trust.wrong(SHELVES, PARTITION, NAME, LIFE_MS, 0.98)
    await trust.right(SHELVES, PARTITION, NAME, LIFE_MS)
    await trust.wrong(SHELVES, PARTITION, NAME, LIFE_MS, 0.95)
    _, tally = await trust.tallies(SHELVES, PARTITION, (NAME,)) or []
    assert tally.least == pytest.approx(0.98 + MARGIN)
    assert (tally.right, tally.wrong) == (1, 2)


async def test_an_answer_that_is_wrong_again_is_to_go(store: RedisStore) -> None:
    trust = Trust(store)
    told = [await trust.wrong(SHELVES, PARTITION, NAME, LIFE_MS, 0.96) for _ in range(MOST_WRONG)]
    assert told == [False] * (MOST_WRONG - 1) + [True]


async def test_so_is_one_that_nothing_but_the_same_text_could_reach(store: RedisStore) -> None:
    assert await Trust(store).wrong(SHELVES, PARTITION, NAME, LIFE_MS, 0.9999)


async def test_what_is_learnt_is_forgotten_with_the_answer(store: RedisStore) -> None:
    await Trust(store).wrong(SHELVES, PARTITION, NAME, LIFE_MS, 0.96)
    left = await store.command("PTTL", SHELVES.trust(NAME))
    assert isinstance(left, int)
    assert 0 < left <= LIFE_MS


async def test_other_scopes_learn_nothing_of_it(store: RedisStore) -> None:
    await Trust(store).wrong(SHELVES, PARTITION, NAME, LIFE_MS, 0.96)
    theirs = Shelves.of("test", "team", "shop", "other-app")
    assert await Trust(store).tallies(theirs, PARTITION, (NAME,)) == [Tally(), Tally()]


async def test_without_redis_nothing_is_known_and_nothing_fails() -> None:
    trust = Trust(AbsentStore())
    assert await trust.tallies(SHELVES, PARTITION, (NAME,)) is None
    assert not await trust.wrong(SHELVES, PARTITION, NAME, LIFE_MS, 0.96)


@pytest.mark.parametrize(
    ("tally", "broken"),
    [
        (Tally(), False),
        (Tally(right=1000), False),
        (Tally(wrong=1), False),
        (Tally(right=5, wrong=2), True),
        (Tally(right=50, wrong=2), True),
        (Tally(right=200, wrong=2), False),
        (Tally(right=10_000, wrong=45), False),
        (Tally(right=10_000, wrong=80), True),
    ],
)
def test_a_partition_is_broken_when_it_is_certainly_over_the_budget(
    tally: Tally, broken: bool
) -> None:
    assert tally.broken is broken


def test_the_lower_bound_is_wilsons() -> None:
    """His figures for 10 of 100, as tables print them."""
    assert lower_bound(10, 100) == pytest.approx(0.0552, abs=1e-4)
    assert lower_bound(0, 600) == 0.0
    assert BUDGET == 0.005
