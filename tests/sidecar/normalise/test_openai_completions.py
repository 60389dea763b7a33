"""What routing and limits learn of a legacy completion."""

import json
from typing import Any

import pytest

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import CacheControl, Request
from penstock_sidecar.normalise.openai_completions import parse_completion


def parse(**fields: Any) -> Request:
    body = json.dumps({"model": "m", "prompt": "Once"} | fields).encode()
    return parse_completion(body, {"x": "y"}, "call-1")


def test_a_request_is_parsed() -> None:
    asked = parse(stream=True, stream_options={"include_usage": True}, max_tokens=50)
    assert (asked.call_id, asked.api, asked.model) == ("call-1", "openai-completions", "m")
    assert (asked.stream, asked.usage_wanted, asked.max_output_tokens) == (True, True, 50)
    assert (asked.choices, asked.images, asked.text_only, asked.tools) == (1, 0, True, False)
    assert asked.headers == {"x": "y"}


@pytest.mark.parametrize(("given", "most"), [(None, 16), (0, 0), (1, 1)])
def test_the_api_s_default_bounds_the_answer(given: int | None, most: int) -> None:
    assert parse(max_tokens=given).max_output_tokens == most


@pytest.mark.parametrize(
    ("fields", "choices"),
    [
        ({"n": 3}, 3),
        ({"n": 1, "best_of": 4}, 4),
        ({"prompt": ["a", "b"], "n": 2}, 4),
        ({"prompt": [[1, 2], [3], "c"]}, 3),
        ({"prompt": [1, 2, 3]}, 1),
        ({"prompt": ["a", "b"], "best_of": 3}, 6),
    ],
)
def test_every_answer_that_is_made_counts(fields: dict[str, Any], choices: int) -> None:
    assert parse(**fields).choices == choices


def test_a_gateway_s_own_field_is_heard_and_taken_away() -> None:
    asked = parse(cache={"no-cache": True})
    assert asked.cache_control == CacheControl(no_cache=True)
    assert b"no-cache" not in asked.body
    assert "cache" not in asked.document


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": 3}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": [{}]}, "prompt"),
        ({"prompt": ["a"] * 129}, "prompt"),
        ({"model": None}, "model"),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"n": 2, "best_of": 1}, "best_of"),
        ({"best_of": 2, "stream": True}, "best_of"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": 2**31}, "max_tokens"),
        ({"stream": 1}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse(**fields)
    assert caught.value.param == param
