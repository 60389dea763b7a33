"""What an attempt is charged, by how it ended."""

import asyncio

import pytest

from penstock_sidecar.errors import (
    EmptyCompletion,
    StreamBroken,
    UpstreamLimited,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from penstock_sidecar.limits.charge import NOTHING, UNKNOWN, Charge, Meter, Seen
from penstock_sidecar.metering.estimate import Input
from penstock_sidecar.model import Usage
from tests.sidecar.limits import world

INPUT = Input(tokens=10, most_tokens=30, images=0)
METER = Meter(world.PRICE, INPUT, held_micro_usd=1000)
SEEN = Seen(sent=True, content=True, text_bytes=30)
BY_BOUND = Charge(1, 10 + 11, 30 + 33 * 2)
"""A third of the bytes for rates, every byte for money, and a tenth more of the output."""


@pytest.mark.parametrize(
    ("seen", "error", "charge"),
    [
        (Seen(sent=True, usage=Usage(7, 5), usage_is_final=True), None, Charge(1, 12, 17)),
        (Seen(sent=True, usage=Usage(0, 0), usage_is_final=True), None, Charge(1, 0, 0)),
        (Seen(sent=True, usage=Usage(7, 0)), EmptyCompletion("empty"), Charge(1, 7, 7)),
        (SEEN, None, BY_BOUND),
        (SEEN, StreamBroken("cut"), BY_BOUND),
        (SEEN, asyncio.CancelledError(), BY_BOUND),
        (Seen(sent=True), asyncio.CancelledError(), UNKNOWN),
        (Seen(), asyncio.CancelledError(), NOTHING),
        (Seen(sent=True, overtaken=True), asyncio.CancelledError(), Charge(1, 10, 30)),
        (Seen(overtaken=True), asyncio.CancelledError(), NOTHING),
        (Seen(sent=True, overtaken=True), UpstreamUnavailable("refused"), NOTHING),
        (Seen(sent=True), UpstreamUnavailable("refused"), NOTHING),
        (Seen(sent=True), UpstreamLimited("later"), NOTHING),
        (Seen(sent=True), UpstreamTimeout("late"), UNKNOWN),
        (Seen(sent=True), EmptyCompletion("empty"), UNKNOWN),
    ],
)
def test_an_attempt_is_charged_by_how_it_ended(
    seen: Seen, error: BaseException | None, charge: Charge
) -> None:
    assert METER.charge(seen, error) == charge


def test_an_estimate_is_never_more_than_was_held() -> None:
    meter = Meter(world.PRICE, INPUT, held_micro_usd=50)
    assert meter.charge(SEEN, None).micro_usd == 50


def test_without_a_budget_that_refuses_the_guess_is_the_likely_one() -> None:
    assert Meter(world.PRICE, INPUT).charge(SEEN, None) == Charge(1, 21, 10 + 11 * 2)


def test_what_has_no_price_costs_nothing() -> None:
    assert Meter(None, INPUT).charge(SEEN, None) == Charge(1, 21, 0)
