"""Errors as clients of `/v1/responses` read them."""

import json

import pytest

from penstock_sidecar.errors import MalformedRequest, StreamBroken
from penstock_sidecar.http.speech import OPENAI, RESPONSES


@pytest.mark.parametrize(
    ("last", "number"),
    [
        (b"", 0),
        (b'data: {"type":"x","sequence_number":7}\n\n', 8),
        (b'data: {"sequence_number": 3}\n\ndata: {"sequence_number": 4}\n\n', 5),
        (b'data: {"delta":"sequence_number"}\n\n', 0),
        (b'data: {"sequence_number":' + b"9" * 5000 + b"}\n\n", 0),
    ],
)
def test_an_error_within_a_stream_counts_on(last: bytes, number: int) -> None:
    event = RESPONSES.event(StreamBroken("It broke.", param="p"), "call-1", last)
    name, data = event.removesuffix(b"\n\n").split(b"\n")
    assert name == b"event: error"
    assert json.loads(data.removeprefix(b"data: ")) == {
        "type": "error",
        "code": "upstream_stream_broken",
        "message": "It broke.",
        "param": "p",
        "sequence_number": number,
    }


def test_an_error_before_the_stream_is_openai_s() -> None:
    error = MalformedRequest("Wrong.", param="input")
    assert RESPONSES.document(error, "call-1") == OPENAI.document(error, "call-1")
