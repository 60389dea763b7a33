"""What google.rpc errors mean: whose fault, and how long to wait."""

import json
from typing import Any

import pytest

from penstock_sidecar.errors import (
    UpstreamCredentials,
    UpstreamError,
    UpstreamLimited,
    UpstreamMisconfigured,
    UpstreamRefused,
    UpstreamUnavailable,
)
from penstock_sidecar.upstream.redaction import Redactor
from penstock_sidecar.upstream.refusal import Refusals
from tests.fakes.vendors.gemini import KEY_INVALID, QUOTA_FAILURE, retry_info, rpc_error

REFUSALS = Refusals(Redactor(()))
FREE = (
    "Gemini API free tier is not available in your country. Please enable billing on your project."
)


def refusal(status: int, body: bytes, headers: dict[str, str] | None = None) -> UpstreamError:
    return REFUSALS.of_response("acme", status, headers or {}, body, 0)


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, rpc_error(400, "Bad tool.", "INVALID_ARGUMENT"), UpstreamRefused),
        (400, KEY_INVALID.body, UpstreamCredentials),
        (400, rpc_error(400, "The File is not ACTIVE.", "FAILED_PRECONDITION"), UpstreamRefused),
        (400, rpc_error(400, FREE, "FAILED_PRECONDITION"), UpstreamCredentials),
        (400, rpc_error(400, FREE, "INVALID_ARGUMENT"), UpstreamRefused),
        (401, rpc_error(401, "No.", "UNAUTHENTICATED"), UpstreamCredentials),
        (403, rpc_error(403, "No.", "PERMISSION_DENIED"), UpstreamCredentials),
        (404, rpc_error(404, "No.", "NOT_FOUND"), UpstreamMisconfigured),
        (429, rpc_error(429, "No.", "RESOURCE_EXHAUSTED"), UpstreamLimited),
        (499, rpc_error(499, "No.", "CANCELLED"), UpstreamUnavailable),
        (500, rpc_error(500, "No.", "INTERNAL"), UpstreamUnavailable),
        (503, rpc_error(503, "No.", "UNAVAILABLE"), UpstreamUnavailable),
        (504, rpc_error(504, "No.", "DEADLINE_EXCEEDED"), UpstreamUnavailable),
    ],
)
def test_an_error_is_of_whoever_must_act(
    status: int, body: bytes, kind: type[UpstreamError], listed: bool
) -> None:
    """Also as the only element of a list, which is what streams without SSE begin with; and where
    a stream says it half-way."""
    assert type(refusal(status, b"[" + body + b"]" if listed else body)) is kind
    assert type(REFUSALS.in_band("acme", json.loads(body)["error"])) is kind


@pytest.mark.parametrize(
    ("details", "seconds"),
    [
        ([QUOTA_FAILURE, retry_info("43s")], 43),
        ([retry_info("0.25s")], 0.25),
        ([retry_info("43.123456789s"), retry_info("1s")], 43.123456789),
        ([retry_info("99999999999s")], 86_400),
        ([retry_info("43")], None),
        ([retry_info("-1s")], None),
        ([retry_info("nans")], None),
        ([{"retryDelay": {"seconds": 1}}], None),
        ([QUOTA_FAILURE, 7, None], None),
        ([], None),
    ],
)
def test_the_wait_is_in_the_details(details: list[Any], seconds: float | None) -> None:
    body = rpc_error(429, "No.", "RESOURCE_EXHAUSTED", *details)
    assert refusal(429, body).retry_after_seconds == seconds
    told = REFUSALS.in_band("acme", json.loads(body)["error"])
    assert told.retry_after_seconds == seconds


def test_a_header_wins_over_the_details() -> None:
    body = rpc_error(429, "No.", "RESOURCE_EXHAUSTED", retry_info("43s"))
    assert refusal(429, body, {"retry-after": "7"}).retry_after_seconds == 7
