"""What routing and limits learn of a response request, with and without a former one."""

import json
from typing import Any

import pytest

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import Request, Resumed
from penstock_sidecar.normalise.openai_responses import former_id, going_on, parse_response

PNG = "data:image/png;base64,AAAA"
IMAGE = {"type": "input_image", "image_url": PNG}
LINKED = {"type": "input_image", "image_url": "https://x.example/a.png"}
SOUND = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}


def parse(**fields: Any) -> Request:
    body = json.dumps({"model": "m", "input": "Hi"} | fields).encode()
    return parse_response(body, {"x": "y"}, "call-1")


def message(*content: object) -> dict[str, object]:
    return {"role": "user", "content": list(content)}


def test_a_request_is_parsed() -> None:
    asked = parse(stream=True, max_output_tokens=50, tools=[{"type": "function", "name": "f"}])
    assert (asked.call_id, asked.api, asked.model) == ("call-1", "openai-responses", "m")
    assert (asked.stream, asked.usage_wanted, asked.max_output_tokens) == (True, True, 50)
    assert (asked.tools, asked.json, asked.choices, asked.text_only) == (True, False, 1, True)
    assert asked.headers == {"x": "y"}


@pytest.mark.parametrize(
    ("kind", "json_wanted"), [("text", False), ("json_object", True), ("json_schema", True)]
)
def test_a_wish_for_json_is_seen(kind: str, json_wanted: bool) -> None:
    assert parse(text={"format": {"type": kind}}).json is json_wanted


def test_pictures_and_sounds_are_counted_wherever_they_are() -> None:
    result = {"type": "function_call_output", "call_id": "1", "output": [IMAGE]}
    asked = parse(
        input=[message(IMAGE, LINKED, SOUND, {"type": "input_text", "text": "a"}), result]
    )
    assert (asked.images, asked.audio, asked.text_only) == (3, 1, False)
    assert asked.inline_bytes == 2 * len(PNG)


def test_text_of_every_kind_is_text_alone() -> None:
    said = {
        "type": "message",
        "role": "assistant",
        "content": [
            {"type": "output_text", "text": "a", "annotations": []},
            {"type": "refusal", "refusal": "b"},
        ],
    }
    call = {"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}
    assert parse(input=[message(), said, call]).text_only
    assert not parse(input=[message({"type": "input_file", "file_id": "f"})]).text_only


@pytest.mark.parametrize("field", ["previous_response_id", "conversation"])
def test_what_was_said_before_may_be_all_of_the_input(field: str) -> None:
    assert parse(input=None, **{field: "x"}).document[field] == "x"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": None}, "input"),
        ({"input": {}}, "input"),
        ({"input": []}, "input"),
        ({"input": ["Hi"]}, "input[0]"),
        ({"input": [{"content": "Hi"}]}, "input[0].role"),
        ({"input": [{"role": "user", "content": None}]}, "input[0].content"),
        ({"input": [message("Hi")]}, "input[0].content[0]"),
        ({"input": [message({"type": "input_text"})]}, "input[0].content[0].text"),
        (
            {"input": [{"type": "function_call_output", "output": [{"type": 3}]}]},
            "input[0].output[0]",
        ),
        ({"background": True}, "background"),
        ({"previous_response_id": 3}, "previous_response_id"),
        ({"text": "json"}, "text"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"model": 3}, "model"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse(**fields)
    assert caught.value.param == param


def test_former_items_come_before_the_request_s_own() -> None:
    asked = parse(previous_response_id="resp_1", temperature=0.5)
    former = [message(IMAGE), {"role": "assistant", "content": "A picture."}]
    resumed = going_on(asked, former)
    assert former_id(asked) == "resp_1"
    assert resumed.resumed == Resumed("resp_1", 2)
    assert former_id(resumed) is None
    assert json.loads(resumed.body) == resumed.document
    assert resumed.document == {
        "model": "m",
        "temperature": 0.5,
        "input": [*former, {"role": "user", "content": "Hi"}],
    }
    assert (resumed.images, resumed.inline_bytes, resumed.text_only) == (1, len(PNG), False)


def test_a_request_may_say_nothing_more() -> None:
    former = [{"role": "user", "content": "Hi"}]
    asked = parse(input=None, previous_response_id="resp_1")
    assert going_on(asked, former).document["input"] == former
