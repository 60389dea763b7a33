"""Each threshold is noted once in each period, whatever happens in between."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_config.budget import Amounts, Boost
from penstock_operator.ledger.account import Account
from penstock_operator.ledger.alerts import MAX_ALERTS, Alert, Progress, is_crossed, update
from penstock_operator.ledger.figures import Figures
from penstock_operator.ledger.page import status_of
from penstock_operator.ledger.record import Record, record_of
from tests.operator.ledger.accounts import DAY, NOON, USD, YESTERDAY, account

MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC).timestamp()


def crossed(
    who: Account, micro: int, former: tuple[Alert, ...] = (), at: float = NOON, label: str = DAY
) -> tuple[Alert, ...]:
    return update(who, former, {("daily", label): micro}, {}, at)


@pytest.mark.parametrize(
    ("micro", "percents"),
    [(0, []), (4 * USD - 1, []), (4 * USD, [80]), (5 * USD, [80, 100]), (9 * USD, [80, 100])],
)
def test_a_threshold_is_crossed_when_it_is_reached(micro: int, percents: list[int]) -> None:
    assert [alert.percent for alert in crossed(account(), micro)] == percents


@pytest.mark.parametrize(("spent", "limit", "is_"), [(0, 0, False), (1, 0, True), (1, 1, True)])
def test_a_limit_of_nothing_is_crossed_by_the_first_micro_dollar(
    spent: int, limit: int, is_: bool
) -> None:
    assert is_crossed(spent, limit, 100) is is_


def test_a_boost_is_part_of_the_limit_while_it_lasts() -> None:
    who = account(boost=Boost(amount=5 * USD, until=int(NOON) + 1))
    assert crossed(who, 5 * USD, at=NOON) == ()
    assert [a.percent for a in crossed(who, 5 * USD, at=NOON + 1)] == [80, 100]


def test_an_edited_limit_or_a_threshold_that_comes_back_tells_nothing_twice() -> None:
    before = crossed(account(), 5 * USD)
    raised = crossed(account(limits=Amounts(daily=50 * USD)), 45 * USD, before)
    assert raised == before
    without = crossed(account(alert_thresholds_percent=(100,)), 5 * USD, raised)
    assert crossed(account(), 5 * USD, without) == before


def test_a_limit_that_was_taken_away_for_a_while_tells_nothing_twice() -> None:
    before = crossed(account(), 5 * USD)
    without = crossed(account(limits=Amounts(monthly=99 * USD)), 5 * USD, before)
    assert crossed(account(), 5 * USD, without) == before


def test_a_lowered_threshold_is_told_by_itself() -> None:
    before = crossed(account(), 4 * USD)
    after = crossed(account(alert_thresholds_percent=(70, 80)), 4 * USD, before)
    assert [alert.percent for alert in after] == [70, 80]


def test_a_crossing_in_the_last_moments_of_a_period_is_not_missed() -> None:
    found = crossed(account(), 4 * USD, at=MIDNIGHT + 5, label=YESTERDAY)
    assert [(alert.label, alert.percent) for alert in found] == [(YESTERDAY, 80)]


def test_a_boost_that_ended_with_the_period_counts_for_it() -> None:
    who = account(boost=Boost(amount=5 * USD, until=int(MIDNIGHT)))
    assert crossed(who, 5 * USD, at=MIDNIGHT + 5, label=YESTERDAY) == ()


def test_a_period_long_over_is_not_looked_at() -> None:
    assert crossed(account(), 9 * USD, at=NOON, label=YESTERDAY) == ()


def test_a_budget_that_was_made_today_did_not_cross_anything_yesterday() -> None:
    who = replace(account(), created=datetime(2026, 11, 21, tzinfo=UTC))
    assert crossed(who, 9 * USD, at=MIDNIGHT + 5, label=YESTERDAY) == ()


def test_alerts_of_old_periods_go_when_everybody_was_told() -> None:
    old = Alert("daily", "20261001", 80, 5, 4, datetime(2026, 10, 1, tzinfo=UTC), told=True)
    waiting = replace(old, percent=100, delivery="Pending")
    assert crossed(account(), 0, (old, waiting)) == (waiting,)


def test_alerts_in_force_are_never_pushed_out() -> None:
    when = datetime(2026, 11, 21, tzinfo=UTC)
    former = tuple(
        Alert("daily", DAY, percent, 5, 5, when, told=True)
        for percent in range(201, 201 + MAX_ALERTS)
    )
    assert crossed(account(), 5 * USD, former) == former


def test_who_is_to_be_told_is_decided_when_it_is_crossed() -> None:
    assert {a.delivery for a in crossed(account(), 5 * USD)} == {"NotAsked"}
    assert {a.delivery for a in crossed(account(webhook=True), 5 * USD)} == {"Pending"}


STEPS = st.lists(
    st.tuples(
        st.integers(0, 12 * USD),  # spent
        st.sampled_from([1, 5, 10]),  # limit
        st.sets(st.sampled_from([50, 80, 100, 120]), min_size=1),  # thresholds
        st.booleans(),  # whether the operator dies before it writes
        st.integers(0, 40) | st.just(14 * 24),  # hours that pass
    ),
    max_size=20,
)


@given(STEPS)
def test_each_key_is_noted_once_over_any_history(
    steps: list[tuple[int, int, set[int], bool, int]],
) -> None:
    """What is told is what the status holds and says to be untold: that is counted here."""
    record, told, at = Record(), [], NOON
    for spent, limit, percents, dies, hours in steps:
        who = account(
            limits=Amounts(daily=limit * USD, total=limit * USD),
            alert_thresholds_percent=tuple(sorted(percents)),
        )
        at += hours * 3600
        sums = {(s.period, s.label): spent for s in who.spans(at)}
        progress = {alert.key: Progress(told=True) for alert in record.alerts}
        alerts = update(who, record.alerts, sums, progress, at)
        if dies:
            continue
        fresh = {alert.key for alert in alerts} - {alert.key for alert in record.alerts}
        told += sorted(fresh)
        record = record_of(status_of(who, Figures(at, (), sums, {}, ()), alerts, record))
        assert record.alerts == alerts, "what is read back is what was written"
    assert len(told) == len(set(told))
