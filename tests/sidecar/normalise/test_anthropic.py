"""What of a messages request is checked, and what the stages learn of it."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import Request
from penstock_sidecar.normalise.anthropic import parse_count, parse_messages

HI = {"role": "user", "content": "Hi"}
TEXT = {"type": "text", "text": "Hi"}
INLINE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
LINKED = {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}}
PDF = {"type": "document", "source": {"type": "base64", "data": "AAAA"}}


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "opus", "max_tokens": 9, "messages": [HI], **fields}).encode()


def parse(**fields: Any) -> Request:
    return parse_messages(body(**fields), {}, "c1")


def blocks(*given: object) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(given)}]}


def test_a_request_is_its_bytes_and_what_the_stages_need() -> None:
    data = body(stream=True, tools=[{"name": "f"}], metadata={"user_id": "u"})
    headers = {"anthropic-version": "2026-10-21", "cache-control": "no-cache"}
    request = parse_messages(data, headers, "c1")
    assert (request.api, request.model, request.stream) == ("anthropic-messages", "opus", True)
    assert (request.body, request.headers, request.call_id) == (data, headers, "c1")
    assert (request.max_output_tokens, request.choices, request.tools) == (9, 1, True)
    assert (request.images, request.audio, request.inline_bytes) == (0, 0, 0)
    assert request.text_only
    assert (request.json, request.counts, request.embeds) == (False, False, False)
    assert request.cache_control.no_cache


def test_a_count_has_no_answer() -> None:
    data = json.dumps({"model": "opus", "messages": [HI]}).encode()
    request = parse_count(data, {}, "c1")
    assert (request.api, request.max_output_tokens) == ("anthropic-count-tokens", None)
    assert request.counts
    assert not parse_count(body(stream=True), {}, "c1").stream


@pytest.mark.parametrize(
    ("given", "images", "inline", "text_only"),
    [
        ((TEXT,), 0, 0, True),
        ((TEXT, INLINE, LINKED), 2, 4, False),
        (({"type": "tool_result", "content": [TEXT, INLINE]},), 1, 4, False),
        (({"type": "tool_result", "content": "text"},), 0, 0, True),
        (({"type": "tool_result"},), 0, 0, True),
        ((PDF,), 0, 0, False),
        (({"type": "document", "source": {"type": "content", "content": [LINKED]}},), 1, 0, False),
    ],
)
def test_pictures_are_counted_wherever_they_stand(
    given: tuple[object, ...], images: int, inline: int, text_only: bool
) -> None:
    request = parse(**blocks(*given))
    found = (request.images, request.inline_bytes, request.text_only)
    assert found == (images, inline, text_only)


@pytest.mark.parametrize(
    ("fields", "json_wanted"),
    [
        ({}, False),
        ({"output_config": {"effort": "low"}}, False),
        ({"output_config": {"format": {"type": "json_schema"}}}, True),
        ({"output_format": {"type": "json_schema"}}, True),
    ],
)
def test_a_schema_wants_a_model_that_can(fields: dict[str, Any], json_wanted: bool) -> None:
    assert parse(**fields).json is json_wanted


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"stream": "yes"}, "stream"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": ["Hi"]}, "messages[0]"),
        ({"messages": [HI, {"role": "tool", "content": "x"}]}, "messages[1].role"),
        ({"messages": [{"role": ["user"], "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        (blocks("Hi"), "messages[0].content[0]"),
        (blocks({"text": "Hi"}), "messages[0].content[0]"),
        (blocks({"type": "text"}), "messages[0].content[0].text"),
        (blocks({"type": "tool_result", "content": 1}), "messages[0].content[0].content"),
        ({"system": 1}, "system"),
        ({"system": [{"type": "text", "text": 1}]}, "system[0].text"),
        ({"output_config": "json"}, "output_config"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse(**fields)
    assert caught.value.param == param


@pytest.mark.parametrize("name", ["anthropic-version", "anthropic-beta"])
@pytest.mark.parametrize("value", ["ü", "a\tb", "x" * 2000])
def test_a_header_that_could_not_be_passed_on_is_refused(name: str, value: str) -> None:
    with pytest.raises(MalformedRequest, match=name):
        parse_messages(body(), {name: value}, "c1")


@settings(deadline=None, derandomize=True)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["role", "content", "type", "text", "source", "data"]), inner
            )
        ),
    )
)
def test_any_messages_are_a_request_or_refused(messages: object) -> None:
    for fields in ({"messages": messages}, {"messages": [messages]}, {"system": messages}):
        with contextlib.suppress(MalformedRequest):
            assert parse(**fields).model == "opus"
