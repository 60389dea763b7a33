import contextlib
import json
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import CacheControl, Request
from penstock_sidecar.normalise.document import MAX_OBJECTS
from penstock_sidecar.normalise.openai import parse_chat

HELLO = {"role": "user", "content": "the-secret-prompt"}


def parse(headers: Mapping[str, str] | None = None, **fields: object) -> Request:
    document = {"model": "fast", "messages": [HELLO]} | fields
    return parse_chat(json.dumps(document).encode(), headers or {}, "call-1")


def refusal(body: bytes) -> MalformedRequest:
    with pytest.raises(MalformedRequest) as caught:
        parse_chat(body, {}, "call-1")
    assert "the-secret-prompt" not in caught.value.public
    return caught.value


def test_a_minimal_request_is_read_and_its_bytes_are_kept() -> None:
    body = b'{ "model":"fast", "messages":[{"role":"user","content":"Hi"}], "x_new": {"a":1} }'
    request = parse_chat(body, {"accept": "*/*"}, "call-1")
    assert request.body is body
    assert request.document["x_new"] == {"a": 1}
    assert (request.model, request.stream, request.choices) == ("fast", False, 1)
    assert request.max_output_tokens is None
    assert not request.usage_wanted


def test_braces_within_texts_are_no_objects() -> None:
    assert parse(messages=[{"role": "user", "content": "{" * 2 * MAX_OBJECTS}]).text_only


def test_options_are_read() -> None:
    request = parse(
        stream=True,
        stream_options={"include_usage": True},
        n=3,
        max_tokens=5,
        tools=[{"type": "x"}],
    )
    assert (request.stream, request.usage_wanted) == (True, True)
    assert (request.choices, request.max_output_tokens, request.tools) == (3, 5, True)


@pytest.mark.parametrize(
    ("wanted", "json_wanted"),
    [
        (None, False),
        ({"type": "text"}, False),
        ({"type": "json_object"}, True),
        ({"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}, True),
    ],
)
def test_a_wish_for_json_is_seen(wanted: object, *, json_wanted: bool) -> None:
    assert parse(response_format=wanted).json is json_wanted


def test_null_counts_as_absent() -> None:
    request = parse(stream=None, stream_options=None, n=None, max_tokens=None, cache=None)
    assert (request.stream, request.choices, request.max_output_tokens) == (False, 1, None)


def test_the_larger_of_both_token_limits_counts() -> None:
    assert parse(max_tokens=5, max_completion_tokens=9).max_output_tokens == 9


def test_images_are_counted() -> None:
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    content = [{"type": "text", "text": "?"}, image, image]
    found = parse(messages=[HELLO, {"role": "user", "content": content}])
    assert (found.images, found.inline_bytes) == (2, 2 * len("data:image/png;base64,AA=="))


def test_text_that_looks_like_a_picture_counts_as_text() -> None:
    """Else a prompt could be free by beginning with `data:`."""
    text = {"type": "text", "text": "data:AAAA", "image_url": "data:AAAA"}
    found = parse(messages=[{"role": "user", "content": [text]}])
    assert (found.images, found.inline_bytes, found.text_only) == (0, 0, True)


@pytest.mark.parametrize("kind", ["image_url", "input_audio", "file", "what_comes_next_year"])
def test_text_is_told_apart_from_all_else(kind: str) -> None:
    part = {"type": kind, kind: {"url": "https://x.example/a"}}
    found = parse(messages=[HELLO, {"role": "user", "content": [part]}])
    assert not found.text_only
    assert parse(messages=[HELLO]).text_only


def test_sounds_are_counted_beside_images() -> None:
    sound = {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}
    picture = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    content = [{"type": "text", "text": "what is this"}, sound, picture, sound]
    found = parse(messages=[HELLO, {"role": "user", "content": content}])
    assert (found.images, found.audio) == (1, 2)
    assert parse(messages=[HELLO]).audio == 0


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "The body is empty"),
        (b"  \n", "The body is empty"),
        (
            b'{"model": "fast", "messages": [{"role":"user","content":"the-secret-prompt',
            "not valid",
        ),
        (b"[]", "not a JSON object"),
        (b'"the-secret-prompt"', "not a JSON object"),
        (b'{"model":"fast","temperature":NaN}', "not valid JSON"),
        (b'{"model":"\xff"}', "not valid JSON"),
        (b'{"model":"\\ud83d"}', "not valid JSON"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b"[" * 5000, "not valid JSON"),
        (b'{"a":' + b"[" * 500 + b"]" * 500 + b"}", "deeper than 200 levels"),
        (b'{"a":[' + b"{}," * MAX_OBJECTS + b"0]}", "more than 50000 objects"),
    ],
)
def test_a_body_that_is_no_document_is_refused(body: bytes, sentence: str) -> None:
    assert sentence in refusal(body).public


def test_many_brackets_side_by_side_are_fine() -> None:
    assert parse(metadata=[{} for _ in range(1000)]).model == "fast"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 4}, "model"),
        ({"model": " "}, "model"),
        ({"model": "a\r\nb"}, "model"),
        ({"model": "m" * 257}, "model"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": {"0": HELLO}}, "messages"),
        ({"messages": [HELLO, "the-secret-prompt"]}, "messages[1]"),
        ({"messages": [{"content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "robot", "content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": ["user"], "content": "Hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": []}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": ["x"]}]}, "messages[0].content[0]"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages[0].content[0].text",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0].image_url.url",
        ),
        ({"stream": "true"}, "stream"),
        ({"stream": 1}, "stream"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": []}, "stream_options"),
        (
            {"stream": True, "stream_options": {"include_usage": "y"}},
            "stream_options.include_usage",
        ),
        ({"n": 0}, "n"),
        ({"n": 129}, "n"),
        ({"n": True}, "n"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_completion_tokens": "9"}, "max_completion_tokens"),
        ({"cache": True}, "cache"),
        ({"cache": {"ttl": "long"}}, "cache.ttl"),
        ({"cache": {"no-cache": 1}}, "cache.no-cache"),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused_by_name(
    fields: dict[str, object], param: str
) -> None:
    document = {"model": "fast", "messages": [HELLO]} | fields
    error = refusal(json.dumps(document).encode())
    assert error.param == param
    assert f"`{param}" in error.public


@pytest.mark.parametrize("content", [None, [], ""])
def test_an_assistant_may_say_nothing_but_call_tools(content: object) -> None:
    parse(messages=[HELLO, {"role": "assistant", "content": content, "tool_calls": []}])


def test_cache_control_of_the_header_is_read() -> None:
    header = 'No-Cache, max-age="60" , only-if-cached, x-unknown=1'
    assert parse({"cache-control": header}).cache_control == CacheControl(
        no_cache=True, only_if_cached=True, max_age_seconds=60
    )


def test_a_max_age_that_cannot_be_read_is_stale_at_once() -> None:
    assert parse({"cache-control": "max-age=soon"}).cache_control.max_age_seconds == 0


@pytest.mark.parametrize("digits", ["9" * 5000, "0" * 5000 + "2147483647"])
def test_a_max_age_beyond_all_time_is_the_longest_there_is(digits: str) -> None:
    request = parse({"cache-control": f"max-age={digits}"})
    assert request.cache_control.max_age_seconds == 2**31 - 1


def test_litellm_s_cache_object_is_read_and_never_sent_on() -> None:
    request = parse(cache={"no-store": True, "ttl": 60, "s-maxage": 30})
    assert request.cache_control == CacheControl(
        no_store=True, max_age_seconds=30, store_seconds=60
    )
    assert "cache" not in request.document
    assert b'"cache"' not in request.body


def test_the_stricter_of_header_and_body_counts() -> None:
    request = parse({"cache-control": "no-store, max-age=10"}, cache={"s-maxage": 30})
    assert request.cache_control == CacheControl(no_store=True, max_age_seconds=10)


def test_a_cache_namespace_of_the_caller_s_own_is_not_shared_with_others() -> None:
    control = parse(cache={"namespace": "mine"}).cache_control
    assert control.no_cache
    assert control.no_store


# A shared machine may be slow; what is generated does not depend on it.
fuzzed = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
TEXT = st.text('ab"\\\n\u00e9\U0001f600', max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=10,
)


@fuzzed
@given(st.dictionaries(st.sampled_from(["model", "messages", "stream", "n", "cache"]), JSON))
def test_any_document_is_a_request_or_a_refusal(document: dict[str, object]) -> None:
    with contextlib.suppress(MalformedRequest):
        parse_chat(json.dumps(document).encode(), {}, "call-1")


@fuzzed
@given(st.binary())
def test_any_bytes_are_a_request_or_a_refusal(body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        parse_chat(body, {}, "call-1")


@fuzzed
@given(st.text())
def test_any_cache_control_header_is_survived(text: str) -> None:
    parse({"cache-control": text})
