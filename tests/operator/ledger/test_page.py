"""Figures into a status, and back."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_config.budget import Amounts, Boost
from penstock_operator.api.budget import BudgetStatus
from penstock_operator.compile.money import micro_usd
from penstock_operator.ledger.account import Account, Book, SumKey
from penstock_operator.ledger.alerts import update
from penstock_operator.ledger.figures import Figures, figures_of
from penstock_operator.ledger.page import (
    is_worth_writing,
    news_of,
    status_of,
    status_without_redis,
)
from penstock_operator.ledger.reading import Page, Sums
from penstock_operator.ledger.record import Record, record_of, usd
from tests.operator.ledger.accounts import (
    DAY,
    MONTH,
    NOON,
    USD,
    WEEK,
    YESTERDAY,
    account,
    provider_wide,
)

NEW = Record()
KEYS: tuple[SumKey, ...] = (
    ("daily", DAY),
    ("daily", YESTERDAY),
    ("weekly", WEEK),
    ("weekly", "2026W46"),
    ("monthly", MONTH),
    ("monthly", "202610"),
    ("total", "all"),
)
BLANK = dict.fromkeys(KEYS, Sums())


def figures(
    who: Account,
    *sums: Sums,
    record: Record = NEW,
    at: float = NOON,
    users: Mapping[str, int] | None = None,
) -> Figures:
    """`sums` of each book's day."""
    spenders = {name.encode(): amount for name, amount in (users or {}).items()}
    reading = {
        book: Page({**BLANK, ("daily", DAY): each}, spenders)
        for book, each in zip(who.books, sums, strict=True)
    }
    found = figures_of(who, reading, record, at)
    assert found is not None
    return found


def written(who: Account, *sums: Sums, record: Record = NEW, at: float = NOON) -> Record:
    found = figures(who, *sums, record=record, at=at)
    alerts = update(who, record.alerts, found.spent, {}, at)
    return record_of(status_of(who, found, alerts, record))


@given(st.integers(0, 2**53))
def test_dollars_are_exact_and_come_back(micro: int) -> None:
    assert micro_usd(usd(micro)) == micro


@pytest.mark.parametrize(
    ("micro", "text"), [(0, "0.00"), (1, "0.000001"), (5 * USD, "5.00"), (4_250_000, "4.25")]
)
def test_dollars_are_shown_with_two_decimals_at_least(micro: int, text: str) -> None:
    assert usd(micro) == text


def test_a_status_is_what_the_crd_takes() -> None:
    who = account(
        *provider_wide("shop/a", "shop/b", boost=Boost(amount=USD, until=int(NOON) + 60)),
        webhook=True,
    )
    found = figures(
        who, Sums(4 * USD, 1, 2), Sums(5 * USD, 0, 0), users={"ann": 3 * USD, "bob": USD}
    )
    alerts = update(who, (), found.spent, {}, NOON)
    document = status_of(who, found, alerts, Record())
    parsed = BudgetStatus.model_validate(document)
    assert [(p.name, p.label, p.provider, p.limit) for p in parsed.periods] == [
        ("daily", DAY, "shop/b", "6.00")
    ]
    assert [(p.provider, p.spent) for p in parsed.providers] == [
        ("shop/a", "4.00"),
        ("shop/b", "5.00"),
    ]
    assert [(u.user, u.spent) for u in parsed.top_users] == [("ann", "6.00"), ("bob", "2.00")]
    assert [(a.percent, a.webhook, a.told) for a in parsed.alerts] == [(80, "Pending", False)]
    assert parsed.boost is not None
    assert parsed.boost.amount_usd == "1.00"
    assert parsed.observed_time == datetime.fromtimestamp(NOON, UTC)


@settings(deadline=None)
@given(st.integers(0, 9 * USD), st.integers(0, 9 * USD), st.integers(0, 9 * USD))
def test_what_is_shown_adds_up(settled: int, reserved: int, unsettled: int) -> None:
    found = written(account(), Sums(settled, reserved, unsettled)).document["periods"][0]
    used = settled + reserved + unsettled
    assert micro_usd(found["remaining"]) == max(0, 5 * USD - used)
    assert found["utilisationPercent"] == used * 100 // (5 * USD)
    assert found["resetsAt"] == "2026-11-22T00:00:00Z"


def test_a_total_has_no_end() -> None:
    who = account(limits=Amounts(total=USD))
    assert "resetsAt" not in written(who, Sums()).document["periods"][0]


def test_figures_never_fall_below_what_was_known_of_the_same_period() -> None:
    who = account()
    record = written(who, Sums(4 * USD))
    assert figures(who, Sums(USD), record=record).lines[0].sums.settled == 4 * USD
    assert figures(who, Sums(USD), record=record).spent[("daily", DAY)] == 4 * USD


def test_the_end_of_a_period_is_no_loss() -> None:
    who = account()
    record = record_of(
        {"periods": [{"name": "daily", "label": YESTERDAY, "spent": "4", "limit": "5"}]}
    )
    assert figures(who, Sums(USD), record=record).lines[0].sums.settled == USD
    assert record.known(who.books[0]) == {("daily", YESTERDAY): 4 * USD}


def test_what_was_spent_at_one_provider_is_not_known_of_another() -> None:
    both = account(*provider_wide("shop/a", "shop/b"))
    record = written(both, Sums(4 * USD), Sums(3 * USD))
    known = {book.provider: record.known(book).get(("daily", DAY)) for book in both.books}
    assert known == {"shop/a": 4 * USD, "shop/b": 3 * USD}
    alone = account(*provider_wide("shop/b"))
    assert record.known(alone.books[0]) == {("daily", DAY): 3 * USD}
    assert record.known(account().books[0]) == {}


def test_half_of_a_budgets_books_give_no_figures() -> None:
    both = account(*provider_wide("shop/a", "shop/b"))
    assert figures_of(both, {both.books[0]: Page(BLANK)}, Record(), NOON) is None


def test_twenty_users_are_shown_who_spent_most() -> None:
    users = {f"user{number:02d}": number * USD for number in range(1, 31)}
    found = figures(account(), Sums(), users=users).top_users
    assert len(found) == 20
    assert found[0] == ("user30", 30 * USD)
    assert found[-1] == ("user11", 11 * USD)


def test_users_that_look_alike_when_shown_are_one() -> None:
    who = account()
    names = {b"\xff": 1, b"\xfe": 2, b"x" * 300: 3, b"x" * 400: 4}
    found = figures_of(who, {who.books[0]: Page(BLANK, names)}, Record(), NOON)
    assert found is not None
    assert found.top_users == (("x" * 256, 7), ("\ufffd", 3))


def test_nothing_changed_is_not_written_before_five_minutes() -> None:
    who = account()
    record = written(who, Sums(USD))
    for later, worth in ((5, False), (299, False), (300, True)):
        found = figures(who, Sums(USD), record=record, at=NOON + later)
        document = status_of(who, found, record.alerts, record)
        assert is_worth_writing(document, record) is worth


def test_a_changed_figure_is_written() -> None:
    who = account()
    record = written(who, Sums(USD))
    document = status_of(who, figures(who, Sums(USD + 1), record=record), (), record)
    assert is_worth_writing(document, record)


def conditions(record: Record) -> dict[str, tuple[str, str]]:
    return {c["type"]: (c["status"], c["reason"]) for c in record.document["conditions"]}


@pytest.mark.parametrize(
    ("sums", "wanted"),
    [
        (Sums(USD), ("True", "False", "False")),
        (Sums(3 * USD, 0, USD), ("True", "True", "False")),
        (Sums(USD, 9 * USD, 0), ("True", "False", "False")),
        (Sums(4 * USD, 0, USD), ("False", "True", "True")),
    ],
    ids=["little", "unsettled counts", "reserved does not", "all"],
)
def test_conditions_say_how_it_stands(sums: Sums, wanted: tuple[str, ...]) -> None:
    found = conditions(written(account(), sums))
    names = ("WithinBudget", "AlertThresholdReached", "Exhausted")
    assert tuple(found[name][0] for name in names) == wanted


def test_a_condition_keeps_its_time_while_its_status_does() -> None:
    who = account()
    record = written(who, Sums(USD))
    later = written(who, Sums(4 * USD), record=record, at=NOON + 60)
    times = {c["type"]: c["lastTransitionTime"] for c in later.document["conditions"]}
    assert times == {
        "WithinBudget": "2026-11-21T12:00:00Z",
        "AlertThresholdReached": "2026-11-21T12:01:00Z",
        "Exhausted": "2026-11-21T12:00:00Z",
    }


def test_without_redis_figures_stay_and_nobody_says_that_all_is_well() -> None:
    who = account()
    record = written(who, Sums(4 * USD))
    now = datetime.fromtimestamp(NOON, UTC) + timedelta(seconds=40)
    document = status_without_redis(who, record, now)
    assert is_worth_writing(document, record)
    away = record_of(document)
    assert conditions(away)["WithinBudget"] == ("Unknown", "RedisUnavailable")
    assert conditions(away)["AlertThresholdReached"][0] == "True"
    assert away.document["periods"] == record.document["periods"]
    assert away.observed == record.observed
    again = status_without_redis(who, away, now + timedelta(hours=1))
    assert not is_worth_writing(again, away), "once is enough"


def said(who: Account, *sums: Sums, record: Record, at: float = NOON) -> list[tuple[str, ...]]:
    news = news_of(who, figures(who, *sums, record=record, at=at), record)
    return [(each.reason, *each.occasion) for each in news]


def test_a_limit_that_is_spent_is_news_once_in_a_period() -> None:
    who = account()
    assert said(who, Sums(5 * USD), record=Record()) == [("Exhausted", "Exhausted", "daily", DAY)]
    assert said(who, Sums(6 * USD), record=written(who, Sums(5 * USD))) == []


def test_a_boost_is_news_when_it_begins_and_when_it_ends() -> None:
    boosted = account(boost=Boost(amount=USD, until=int(NOON) + 60))
    before = written(account(), Sums(USD))
    began = said(boosted, Sums(USD), record=before)
    assert [reason for reason, *_ in began] == ["BoostBegan"]
    during = written(boosted, Sums(USD), record=before)
    assert said(boosted, Sums(USD), record=during) == []
    ended = said(boosted, Sums(USD), record=during, at=NOON + 60)
    assert [reason for reason, *_ in ended] == ["BoostEnded"]


@pytest.mark.parametrize(
    "status",
    [
        {"periods": "x", "alerts": [1], "conditions": None, "observedTime": 5},
        {"periods": [{"name": "hourly", "label": "a", "spent": "1"}]},
        {"periods": [{"name": "daily", "label": DAY, "spent": "NaN", "limit": "-1"}]},
        {"periods": [{"name": "daily", "label": DAY, "spent": "Infinity", "limit": "1e999999"}]},
        {"alerts": [{"period": "daily", "label": DAY, "percent": "80", "time": "now"}]},
    ],
)
def test_a_status_that_makes_no_sense_is_not_known(status: dict[str, object]) -> None:
    record = record_of(status)
    assert (record.settled, record.alerts, record.observed) == ({}, (), None)


def test_books_of_a_namespace_and_of_a_provider_lie_apart() -> None:
    (own,) = account().books
    (wide,) = account(*provider_wide("shop/a")).books
    assert own.group.state == "{test:n:shop}:state"
    assert (wide.group.state, wide.provider) == ("{test:p:shop/a}:state", "shop/a")
    assert isinstance(own, Book)
    assert own.field(("daily", DAY), "S") == f"budget:shop/money:daily:{DAY}:S"
