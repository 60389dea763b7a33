"""Asks the prompts that the operator queues."""

import json

import pytest

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.warming.prompts import request_of


def test_a_prompt_is_a_users_turn_to_any_model() -> None:
    request = request_of({b"prompt": "Wie hei\u00dft das?".encode()})
    assert request.model == "auto"
    assert request.document["messages"] == [{"role": "user", "content": "Wie hei\u00dft das?"}]


def test_a_request_is_asked_as_it_is() -> None:
    document = {"model": "m", "messages": [{"role": "user", "content": "x"}], "temperature": 0}
    request = request_of({b"request": json.dumps(document).encode()})
    assert request.model == "m"
    assert request.document["temperature"] == 0


@pytest.mark.parametrize("fields", [{b"request": b"{"}, {b"request": b"[]"}, {b"other": b"x"}])
def test_what_is_no_request_is_said_to_be_none(fields: dict[bytes, bytes]) -> None:
    with pytest.raises(MalformedRequest):
        request_of(fields)
