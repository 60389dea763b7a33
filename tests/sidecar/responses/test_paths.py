"""Errors that name an item of a request with a former response before it."""

import json

import pytest

from penstock_sidecar.errors import UpstreamRefused
from penstock_sidecar.normalise.openai_responses import going_on, parse_response
from penstock_sidecar.responses import in_own_words

FORMER = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Good day."}]


@pytest.mark.parametrize(
    ("param", "own"),
    [
        ("input[2].content[0]", "input[0].content[0]"),
        ("input[12]", "input[10]"),
        ("input[1].type", "previous_response_id"),
        ("input", "input"),
        ("tools[3].type", "tools[3].type"),
        ("no_input[3]", "no_input[3]"),
    ],
)
def test_items_count_from_the_caller_s_own_first(param: str, own: str) -> None:
    body = json.dumps({"model": "m", "input": "Hi", "previous_response_id": "r"}).encode()
    asked = parse_response(body, {}, "c")
    error = UpstreamRefused(f"`{param}` is wrong: mend it", param=param)
    in_own_words(error, asked)
    assert error.param == param, "nothing came before"
    in_own_words(error, going_on(asked, FORMER))
    assert (error.param, error.public) == (own, f"`{own}` is wrong: mend it")


def test_an_error_about_no_field_stays_as_it_is() -> None:
    asked = going_on(parse_response(b'{"model":"m","input":"Hi"}', {}, "c"), FORMER)
    error = UpstreamRefused("No.")
    in_own_words(error, asked)
    assert (error.param, error.public) == (None, "No.")
