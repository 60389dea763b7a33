"""What of a request differs on its way to who speaks the same."""

import json
from typing import Any

import pytest

from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.dialects.nudge import NUDGE_MESSAGE
from penstock_sidecar.dialects.openai_responses.passage import changed_body
from penstock_sidecar.dialects.openai_responses.thoughts import sealed
from penstock_sidecar.dialects.quirks import Quirks
from penstock_sidecar.model import Request
from penstock_sidecar.normalise.openai_responses import parse_response

HI = {"role": "user", "content": "Hi"}


def request(**fields: Any) -> Request:
    body = json.dumps({"model": "m", "input": "Hi"} | fields, indent=1).encode()
    return parse_response(body, {}, "call-1")


def changed(asked: Request, model: str = "m", **ask: Any) -> Any:
    fields = {"stream": asked.stream, "max_output_tokens": None, **ask}
    return json.loads(changed_body(asked, Ask(model, **fields)))


def test_the_caller_s_own_bytes_pass_where_nothing_differs() -> None:
    asked = request(input=[HI], what_comes_next_year=[1.0], stream=True)
    assert changed_body(asked, Ask("m", stream=True, max_output_tokens=None)) is asked.body


def test_the_model_is_called_as_the_provider_calls_it() -> None:
    assert changed(request(), "upstream") == {"model": "upstream", "input": "Hi"}


@pytest.mark.parametrize(
    ("own", "most", "told"), [(None, 50, 50), (90, 50, 50), (20, 50, 20), (90, None, 90)]
)
def test_a_bound_is_only_lowered(own: int | None, most: int | None, told: int) -> None:
    asked = request(**({"max_output_tokens": own} if own else {}))
    assert changed(asked, max_output_tokens=most)["max_output_tokens"] == told


@pytest.mark.parametrize("given", ["Hi", [HI]])
def test_a_nudge_is_one_message_more(given: object) -> None:
    assert changed(request(input=given), nudge=True)["input"] == [HI, NUDGE_MESSAGE]


def test_what_we_wrote_for_other_providers_does_not_go_along() -> None:
    ours = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": sealed("s", "")}
    theirs = {**ours, "encrypted_content": "gAAAA"}
    call = {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}
    signed = {**call, "extra_content": {"google": {"thought_signature": "abc"}}}
    assert changed(request(input=[HI, ours, theirs, signed]))["input"] == [HI, theirs, call]


def test_a_text_that_reads_like_ours_stays() -> None:
    asked = request(input="penstock: extra_content")
    assert changed(asked)["input"] == "penstock: extra_content"


def test_what_a_provider_refuses_is_left_out() -> None:
    quirks = Quirks(drops=frozenset({"service_tier"}))
    assert changed(request(service_tier="flex"), quirks=quirks) == {"model": "m", "input": "Hi"}
