"""What is recorded of a request."""

import json
import logging

import pytest

from penstock_sidecar.clock import SystemClock
from penstock_sidecar.errors import SidecarError, UpstreamRefused
from penstock_sidecar.model import Request
from penstock_sidecar.progress import Progress
from penstock_sidecar.routing.drops import Drop
from penstock_sidecar.telemetry.logs import JsonFormatter
from penstock_sidecar.telemetry.request_log import RequestLog


def progress() -> Progress:
    clock = SystemClock()
    request = Request(
        "call", "fast", stream=False, usage_wanted=False, body=b"", document={}, headers={}
    )
    return Progress(request, "team/shop", clock, clock.monotonic())


def recorded(error: BaseException | None) -> tuple[int, str]:
    outcome = progress().outcome(error)
    return outcome.status, outcome.error_type


def test_a_refusal_is_recorded_with_the_status_that_the_caller_got() -> None:
    assert recorded(UpstreamRefused("no", status=422)) == (422, "caller_invalid_request")


def test_an_error_of_ours_is_recorded_with_its_own() -> None:
    assert recorded(SidecarError("no")) == (500, "own_error")
    assert recorded(RuntimeError("no")) == (500, "own_error")


def test_a_caller_that_left_is_nobody_s_error() -> None:
    assert recorded(ConnectionResetError()) == (499, "caller_disconnected")


def test_candidates_that_were_left_out_are_counted_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    asked = progress()
    asked.drops = [Drop("a", "", "latency"), Drop("b", "", "latency")]
    RequestLog(asked.clock).request_ended(asked.outcome(None))
    (line,) = map(JsonFormatter().format, caplog.records)
    assert json.loads(line)["dropped"] == {"latency": 2}
