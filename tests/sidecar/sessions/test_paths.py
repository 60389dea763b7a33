"""Errors name the caller's own messages."""

from dataclasses import replace

import pytest

from penstock_sidecar.errors import UpstreamRefused
from penstock_sidecar.model import Remembered
from penstock_sidecar.sessions import without_history
from tests.sidecar.sessions.builders import asked


@pytest.mark.parametrize(
    ("sent", "own"),
    [
        ("messages[0].content", "messages[0].content"),
        ("messages[1].content", "x-penstock-session"),
        ("messages[4].role", "x-penstock-session"),
        ("messages[5].content[0].text", "messages[1].content[0].text"),
        ("temperature", "temperature"),
    ],
)
def test_what_a_session_put_before_is_not_counted(sent: str, own: str) -> None:
    error = UpstreamRefused(f"`{sent}` is wrong", param=sent)
    without_history(error, replace(asked("Hi."), remembered=Remembered(1, 4)))
    assert (error.public, error.param) == (f"`{own}` is wrong", own)


def test_other_requests_errors_stay_as_they_are() -> None:
    error = UpstreamRefused("`messages[5]` is wrong", param="messages[5]")
    without_history(error, asked("Hi."))
    assert error.param == "messages[5]"
