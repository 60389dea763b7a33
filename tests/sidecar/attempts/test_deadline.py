"""By when a request must be answered, and what is said when that is too early."""

from collections.abc import Mapping

import pytest

from penstock_config.classification import Complexity
from penstock_config.policy import Overrides
from penstock_config.tier import Tier, TierTimeout
from penstock_sidecar.attempts.deadline import Deadline, deadline_of
from penstock_sidecar.errors import CallerOutOfTime, OutOfTime, UpstreamTooLate
from penstock_sidecar.model import Candidate, Request
from penstock_sidecar.verdict import Failure
from tests.sidecar.routing.builders import provider

NOW = 1000.0
READ_TIMEOUT = "x-stainless-read-timeout"
TIMEOUTS = (
    TierTimeout(complexity="simple", seconds=30),
    TierTimeout(complexity="expert", seconds=120),
)
TIER = Tier(id="shop/fast", name="fast", candidates=(), timeouts=TIMEOUTS)
NOTHING = ("chat", Overrides())


def request(headers: Mapping[str, str] | None = None, *, stream: bool = False) -> Request:
    return Request(
        "call",
        "fast",
        stream=stream,
        usage_wanted=False,
        body=b"",
        document={},
        headers=headers or {},
    )


def seconds(asked: Request, rule: tuple[str, Overrides] = NOTHING) -> float:
    """Of an expert's request."""
    return deadline_of(asked, rule, TIER, "expert", NOW).seconds


@pytest.mark.parametrize(
    ("header", "value", "found"),
    [
        ("x-stainless-read-timeout", "5.5", 5.5),
        ("x-stainless-timeout", "7", 7),
        ("x-litellm-timeout", "9", 9),
        ("x-request-timeout-ms", "2500", 2.5),
        ("grpc-timeout", "1H", 120),
        ("grpc-timeout", "1M", 60),
        ("grpc-timeout", "3S", 3),
        ("grpc-timeout", "250m", 0.25),
        ("grpc-timeout", "500u", 0.0005),
        ("grpc-timeout", "99999n", 0.000099999),
    ],
)
def test_each_convention_of_callers_is_understood(header: str, value: str, found: float) -> None:
    assert seconds(request({header: value})) == pytest.approx(found)


@pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "-inf", "0", "-5", "5, 10", "1e999"])
def test_what_names_no_time_says_nothing(value: str) -> None:
    names = ("x-stainless-read-timeout", "x-request-timeout-ms", "grpc-timeout")
    asked = request(dict.fromkeys(names, value))
    assert seconds(asked) == 120


def test_the_time_until_a_streams_first_piece_is_for_streams_alone() -> None:
    header = {"x-litellm-stream-timeout": "4"}
    assert seconds(request(header, stream=True)) == 4
    assert seconds(request(header)) == 120


def test_the_least_of_all_that_is_said_counts() -> None:
    said = {"x-stainless-read-timeout": "600", "x-stainless-timeout": "8", "x-litellm-timeout": "9"}
    asked = request(said)
    assert seconds(asked) == 8
    assert seconds(asked, ("quick", Overrides(timeout_seconds=6))) == 6
    assert seconds(request({READ_TIMEOUT: "600"})) == 120


def test_a_rule_goes_before_the_tier_and_may_give_more() -> None:
    assert seconds(request(), ("patient", Overrides(timeout_seconds=300))) == 300


def test_a_complexity_that_the_tier_does_not_name_has_ten_minutes() -> None:
    found = deadline_of(request(), NOTHING, TIER, "medium", NOW)
    assert (found.seconds, found.said) == (600, False)


def test_the_caller_is_told_before_he_gives_up() -> None:
    short = deadline_of(request({READ_TIMEOUT: "2"}), NOTHING, TIER, "expert", NOW)
    long = deadline_of(request({READ_TIMEOUT: "100"}), NOTHING, TIER, "expert", NOW)
    assert short.at == pytest.approx(NOW + 1.9)
    assert long.at == pytest.approx(NOW + 99.75)


def test_nothing_may_begin_that_ends_too_late() -> None:
    deadline = Deadline(NOW + 2, 2)
    assert deadline.allows(1.9, NOW)
    assert not deadline.allows(2, NOW)
    assert not deadline.allows(0, NOW + 2)


def test_the_error_says_what_was_tried_and_what_to_change() -> None:
    owner = provider("cloud", "small")
    late = Failure(Candidate(owner, owner.models[0], "fast", "shop/fast"), UpstreamTooLate("x"))
    asked = request({READ_TIMEOUT: "2"})
    error = deadline_of(asked, NOTHING, TIER, "expert", NOW).error([late])
    assert (type(error), error.status, error.code) == (CallerOutOfTime, 504, "deadline_exceeded")
    assert error.public == (
        "no answer could be had within 2 s (tried: shop/cloud/small: upstream_timeout):"
        " x-stainless-read-timeout asks for that: give the client a longer time-out"
    )


@pytest.mark.parametrize(
    ("overrides", "complexity", "remedy"),
    [
        (Overrides(timeout_seconds=1), "expert", "raise its overrides.timeoutSeconds"),
        (Overrides(), "expert", "tier shop/fast asks for that: raise its timeouts for expert"),
        (Overrides(), "medium", "set timeouts of the tier"),
    ],
)
def test_who_set_it_is_named(overrides: Overrides, complexity: Complexity, remedy: str) -> None:
    error = deadline_of(request(), ("quick", overrides), TIER, complexity, NOW).error([])
    assert type(error) is OutOfTime
    assert remedy in error.public


def test_an_answer_of_another_is_waited_for_to_the_end_and_a_stream_half_of_the_time() -> None:
    deadline = Deadline(NOW + 30, 30)
    assert deadline.patience(NOW + 10, stream=False) == NOW + 30
    assert deadline.patience(NOW + 10, stream=True) == NOW + 20
