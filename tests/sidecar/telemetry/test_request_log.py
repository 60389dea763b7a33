import logging

import pytest

from penstock_sidecar.telemetry.recorder import Recorders
from penstock_sidecar.telemetry.request_log import RequestLog
from tests.sidecar.telemetry.outcomes import outcome

LOGGER = "penstock_sidecar.telemetry.request_log"


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now

    def utc(self) -> float:
        return self.now


def test_a_request_is_one_line_with_its_outcome(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    RequestLog(Clock()).request_ended(outcome(overhead_seconds=0.000123456789))
    (record,) = caplog.records
    assert record.msg == "request.ended"
    fields = vars(record)
    assert (fields["tier"], fields["status"], fields["cost_micro_usd"]) == ("fast", 200, 1500)
    assert fields["overhead_seconds"] == 0.000123


def test_above_fifty_a_second_a_sample_is_written_and_the_rest_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    clock = Clock()
    log = RequestLog(clock)
    for _ in range(200):
        log.request_ended(outcome())
    assert len(caplog.records) == 50
    clock.now += 1
    log.request_ended(outcome())
    assert vars(caplog.records[-1])["left_out"] == 150


def test_nothing_is_written_where_nobody_wants_it(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, LOGGER)
    RequestLog(Clock()).request_ended(outcome())
    assert caplog.records == []


def test_recorders_all_hear(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    Recorders((RequestLog(Clock()), RequestLog(Clock()))).request_ended(outcome())
    assert len(caplog.records) == 2
