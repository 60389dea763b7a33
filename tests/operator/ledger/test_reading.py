"""Sums and spenders out of a real Redis, in few round trips."""

from collections.abc import Sequence
from typing import Any

import redis.asyncio

from penstock_config.budget import Amounts
from penstock_operator.ledger.account import PERIODS
from penstock_operator.ledger.housekeeping import trim_spenders
from penstock_operator.ledger.reading import MAX_SUM, Sums, read
from penstock_operator.ledger.store import Command, Script, Store
from tests.operator.ledger.accounts import (
    DAY,
    MONTH,
    NOON,
    USD,
    YESTERDAY,
    account,
    provider_wide,
)


async def test_every_period_is_read_as_it_runs_and_as_it_was_last(
    store: Store, books: redis.asyncio.Redis
) -> None:
    who = account(limits=Amounts(**dict.fromkeys(PERIODS, USD)))
    (book,) = who.books
    labels = {"daily": DAY, "weekly": "2026W46", "monthly": MONTH, "total": "all"}
    for number, (period, label) in enumerate(labels.items(), 1):
        for offset, kind in enumerate("SRU"):
            field = f"budget:shop/money:{period}:{label}:{kind}"
            await books.hset(book.group.state, field, 10 * number + offset)
    sums = (await read(store, [who], NOON))[book].sums
    assert sums[("daily", DAY)] == Sums(10, 11, 12)
    assert sums[("daily", YESTERDAY)] == Sums()
    assert sums[("weekly", "2026W46")] == Sums(20, 21, 22)
    assert sums[("monthly", MONTH)] == Sums(30, 31, 32)
    assert sums[("total", "all")] == Sums(40, 41, 42)


async def test_a_sum_below_zero_is_none(store: Store, books: redis.asyncio.Redis) -> None:
    who = account()
    (book,) = who.books
    await books.hset(book.group.state, book.field(("daily", DAY), "R"), -5)
    assert (await read(store, [who], NOON))[book].sums[("daily", DAY)] == Sums()


async def test_a_sum_that_nobody_can_have_spent_is_none(
    store: Store, books: redis.asyncio.Redis
) -> None:
    who = account()
    (book,) = who.books
    field = book.field(("daily", DAY), "S")
    await books.hset(book.group.state, field, "9" * 400)
    assert await read(store, [who], NOON) == {}
    await books.hset(book.group.state, field, MAX_SUM)
    assert (await read(store, [who], NOON))[book].sums[("daily", DAY)] == Sums(MAX_SUM)


async def test_what_a_namespace_wrote_instead_of_spenders_is_nobody_elses_trouble(
    store: Store, books: redis.asyncio.Redis
) -> None:
    who = account(per_user=Amounts(daily=USD))
    (book,) = who.books
    await books.zadd(book.spenders, {f"{DAY}:ann": float("inf"), f"{DAY}:bob": float("-inf")})
    assert (await read(store, [who], NOON))[book].spenders == {b"ann": MAX_SUM, b"bob": 0}
    await books.set(book.spenders, "no sorted set")
    assert (await read(store, [who], NOON))[book].spenders == {}


async def test_a_book_that_cannot_be_read_hides_no_other(
    store: Store, books: redis.asyncio.Redis
) -> None:
    both = account(*provider_wide("shop/a", "shop/b", limits=Amounts(daily=USD)))
    a, b = both.books
    await books.set(a.group.state, "no hash")
    assert set(await read(store, [both], NOON)) == {b}
    await books.hset(b.group.state, b.field(("daily", DAY), "S"), "much")
    assert await read(store, [both, account()], NOON) == {
        account().books[0]: (await read(store, [account()], NOON))[account().books[0]]
    }


async def test_spenders_are_those_of_the_longest_period_with_a_limit_for_users(
    store: Store, books: redis.asyncio.Redis
) -> None:
    who = account(per_user=Amounts(daily=USD, monthly=9 * USD))
    (book,) = who.books
    members = {f"{MONTH}:ann": 3, f"{MONTH}:b:ob": 5, "202610:cy": 9, f"{MONTH}:": 1}
    await books.zadd(book.spenders, members)
    page = (await read(store, [who], NOON))[book]
    assert page.spenders == {b"b:ob": 5, b"ann": 3, b"": 1}
    assert page.stale == (b"202610:cy",)
    await trim_spenders(store, {book: page})
    assert sorted(await books.zrange(book.spenders, 0, -1)) == sorted(set(members) - {"202610:cy"})


class Counting(Store):
    """Counts round trips."""

    trips = 0

    async def _batch(self, commands: Sequence[Command]) -> list[Any]:
        self.trips += 1
        return await super()._batch(commands)


async def test_a_thousand_budgets_take_four_round_trips(store: Store) -> None:
    everybody = [account(name=f"b{number}") for number in range(1000)]
    counting = Counting(store._client)
    assert len(await read(counting, everybody, NOON)) == 1000
    assert counting.trips == 4


async def test_a_script_is_loaded_where_it_is_not_known(
    store: Store, books: redis.asyncio.Redis
) -> None:
    await books.script_flush()
    assert await store.run(Script("raise.lua"), ["{x}:state"], 5, 0) == [0, 0]
    assert await store.run(Script("raise.lua"), ["{x}:state"], 5, 0) == [0, 0]
