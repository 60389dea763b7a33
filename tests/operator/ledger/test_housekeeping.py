"""Old fields go, and nothing else: on a real Redis."""

from typing import Any

import pytest
import redis.asyncio

from penstock_operator.ledger.account import Account
from penstock_operator.ledger.housekeeping import (
    FORGOTTEN_US,
    SILENT_US,
    STEP,
    Housekeeper,
    is_kept,
    kept_labels,
    parse_field,
)
from penstock_operator.ledger.store import LedgerAway, Store
from tests.operator.ledger.accounts import DAY, USD, YESTERDAY, account, provider_wide


async def now(books: redis.asyncio.Redis) -> float:
    seconds, micros = await books.time()
    return float(seconds) + int(micros) / 1e6


def today(who: Account, at: float, kind: str, name: str = "") -> str:
    span = who.spans(at)[0]
    field = who.books[0].field(("daily", span.label), kind)
    return field.replace("shop/money", name) if name else field


async def test_sums_of_periods_before_the_last_go(store: Store, books: redis.asyncio.Redis) -> None:
    who, at = account(), await now(books)
    state, span = who.books[0].group.state, who.spans(at)[0]
    kept: dict[str, str] = {
        "@epoch": "1",
        "limit:rpm": "5",
        "budget:shop/money:total:all:S": "9",
        today(who, at, "S"): "1",
        who.books[0].field(("daily", span.former), "U"): "2",
    }
    old: dict[str, str] = {
        "budget:shop/money:daily:20200101:S": "1",
        "budget:shop/money:monthly:202001:Ip:1": "1",
    }
    await books.hset(state, mapping=dict[Any, Any](kept | old))
    await Housekeeper(store).clean([who], at)
    assert await books.hgetall(state) == kept


def test_of_a_budget_that_is_gone_a_period_more_is_kept() -> None:
    at = account().spans(1_795_262_400)[0].begin + 3600  # 20261121 01:00, another day elsewhere
    labels = kept_labels([account()], at)
    for name, day, kept in (
        ("shop/money", DAY, True),
        ("shop/money", YESTERDAY, True),
        ("shop/money", "20261119", False),
        ("shop/gone", "20261119", True),
        ("shop/gone", "20261122", True),
        ("shop/gone", "20261118", False),
    ):
        field = parse_field(f"budget:{name}:daily:{day}:S".encode())
        assert field is not None
        assert is_kept(field, labels, at) is kept, (name, day)


async def test_what_a_silent_process_told_goes_and_what_it_spent_stays(
    store: Store, books: redis.asyncio.Redis
) -> None:
    who, at = account(), await now(books)
    group = who.books[0].group
    silent, long_silent = at * 1e6 - SILENT_US - 1e6, at * 1e6 - FORGOTTEN_US - 1e6
    await books.zadd(group.members, {"lives": at * 1e6, "fell:silent": silent, "gone": long_silent})
    fields = {today(who, at, f"I{name}"): USD for name in ("lives", "fell:silent", "gone", "new")}
    await books.hset(group.state, mapping=dict[Any, Any](fields))
    await books.hset(group.state, today(who, at, "S"), 4 * USD)
    await Housekeeper(store).clean([who], at)
    assert set(await books.hkeys(group.state)) == {
        today(who, at, "S"),
        today(who, at, "Ilives"),
        today(who, at, "Inew"),
    }
    assert set(await books.zrange(group.members, 0, -1)) == {"lives", "fell:silent", "new"}


async def test_a_large_group_is_cleaned_in_bounded_steps(
    store: Store, books: redis.asyncio.Redis
) -> None:
    """And the next call goes on where the former stopped, then with the next group."""
    first, second, at = account(), account(name="other"), await now(books)
    state = first.books[0].group.state
    many = 5 * STEP
    await books.hset(
        state, mapping={f"budget:shop/money:daily:2020{number:04d}:S": 1 for number in range(many)}
    )
    await books.config_resetstat()
    housekeeper = Housekeeper(store, pages=2)
    await housekeeper.clean([first, second], at)
    assert 0 < await books.hlen(state) < many
    assert (await books.info("commandstats"))["cmdstat_hscan"]["calls"] == 2
    for _ in range(5):
        await housekeeper.clean([first, second], at)
    assert await books.hlen(state) == 0


async def test_a_group_that_cannot_be_cleaned_is_in_no_others_way(
    store: Store, books: redis.asyncio.Redis
) -> None:
    who, at = account(*provider_wide("shop/a", "shop/b")), await now(books)
    broken, whole = sorted(who.books, key=lambda book: book.group.tag)
    label = who.spans(at)[0].label
    told = {broken.field(("daily", label), f"I{number}"): 1 for number in range(5 * STEP)}
    await books.hset(broken.group.state, mapping=dict[Any, Any](told))
    await books.hset(whole.group.state, "budget:shop/money:daily:20200101:S", 1)
    housekeeper = Housekeeper(store, pages=1)
    await housekeeper.clean([who], at)
    await books.delete(broken.group.members)
    await books.set(broken.group.members, "no sorted set")
    with pytest.raises(LedgerAway):
        await housekeeper.clean([who], at)
    await housekeeper.clean([who], at)
    assert not await books.exists(whole.group.state)
