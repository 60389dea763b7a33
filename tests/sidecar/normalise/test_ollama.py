import json
from typing import Any

import pytest

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import CacheControl, Request
from penstock_sidecar.normalise.ollama import asks_to_load, parse_generate, parse_ollama_chat
from tests.sidecar.dialects.ollama.given import JPEG, PNG, WAV

SECRET = "the-secret-prompt"
HELLO = {"role": "user", "content": SECRET}


def chat(**fields: Any) -> Request:
    document = {"model": "fast", "messages": [HELLO], **fields}
    return parse_ollama_chat(json.dumps(document).encode(), {}, "call-1")


def generate(**fields: Any) -> Request:
    document = {"model": "fast", "prompt": SECRET, **fields}
    return parse_generate(json.dumps(document).encode(), {}, "call-1")


def test_a_minimal_request_streams_and_its_bytes_are_kept() -> None:
    body = b'{ "model":"fast", "messages":[{"role":"user","content":"Hi"}], "x_new": {"a":1} }'
    request = parse_ollama_chat(body, {"accept": "*/*"}, "call-1")
    assert request.body is body
    assert (request.api, request.model, request.stream) == ("ollama-chat", "fast", True)
    assert (request.text_only, request.json, request.tools) == (True, False, False)
    assert request.max_output_tokens is None
    assert request.choices == 1


@pytest.mark.parametrize(("said", "stream"), [(None, True), (True, True), (False, False)])
def test_only_false_is_no_stream(said: object, *, stream: bool) -> None:
    assert chat(stream=said).stream is stream
    assert generate(stream=said).stream is stream


@pytest.mark.parametrize(
    ("wanted", "json_wanted"), [(None, False), ("", False), ("json", True), ({}, True)]
)
def test_a_wish_for_json_is_seen(wanted: object, *, json_wanted: bool) -> None:
    assert chat(format=wanted).json is json_wanted
    assert generate(format=wanted).json is json_wanted


@pytest.mark.parametrize(
    ("said", "most"),
    [(None, None), (-1, None), (-2, None), (0, None), (7, 7), (7.9, 7), (0.5, None)],
)
def test_the_limit_of_output_is_ollama_s_number(said: object, most: int | None) -> None:
    assert chat(options={"num_predict": said}).max_output_tokens == most


def test_what_came_along_is_counted() -> None:
    pictures = [{**HELLO, "images": [PNG, JPEG]}, HELLO, {**HELLO, "images": [WAV]}]
    request = chat(messages=pictures)
    assert (request.images, request.audio, request.text_only) == (2, 1, False)
    assert request.inline_bytes == len(PNG) + len(JPEG)
    request = generate(images=[PNG])
    assert (request.api, request.images, request.inline_bytes) == ("ollama-generate", 1, len(PNG))


def test_tools_are_seen() -> None:
    assert chat(tools=[{"type": "function"}]).tools
    assert not chat(tools=[]).tools


def test_what_speaks_to_a_gateway_stays_here() -> None:
    request = chat(cache={"no-cache": True})
    assert request.cache_control == CacheControl(no_cache=True)
    assert b"cache" not in request.body


@pytest.mark.parametrize(
    ("request_", "loads"),
    [
        (chat(messages=[]), True),
        (chat(messages=None), True),
        (chat(), False),
        (generate(prompt=""), True),
        (generate(prompt=None, images=[PNG]), True),
        (generate(), False),
    ],
)
def test_nothing_to_answer_is_a_wish_to_load(request_: Request, *, loads: bool) -> None:
    """Ollama does not look at pictures there."""
    assert asks_to_load(request_) is loads


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": ""}, "model"),
        ({"model": None}, "model"),
        ({"messages": SECRET}, "messages"),
        ({"messages": [SECRET]}, "messages[0]"),
        ({"messages": [{"content": SECRET}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": [SECRET]}]}, "messages[0].content"),
        ({"messages": [HELLO, {**HELLO, "images": SECRET}]}, "messages[1].images"),
        ({"messages": [{**HELLO, "images": [1]}]}, "messages[0].images[0]"),
        ({"stream": "yes"}, "stream"),
        ({"format": [SECRET]}, "format"),
        ({"options": SECRET}, "options"),
        ({"options": {"num_predict": SECRET}}, "options.num_predict"),
        ({"options": {"num_predict": True}}, "options.num_predict"),
        ({"options": {"num_predict": 10**12}}, "options.num_predict"),
        ({"_debug_render_only": True}, "_debug_render_only"),
        ({"MODEL": "dear"}, "model"),
        ({"OPTIONS": {"num_predict": -1}}, "options"),
        ({"option\u017f": {"num_predict": -1}}, "options"),
        ({"messages": [HELLO, {**HELLO, "Images": [PNG]}]}, "messages[1].images"),
    ],
)
def test_a_chat_that_cannot_be_routed_is_refused_by_name(
    fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(MalformedRequest) as caught:
        chat(**fields)
    assert caught.value.param == param
    assert SECRET not in caught.value.public


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": [SECRET]}, "prompt"),
        ({"system": {}}, "system"),
        ({"suffix": 1}, "suffix"),
        ({"images": SECRET}, "images"),
        ({"images": [None]}, "images[0]"),
        ({"Images": [PNG]}, "images"),
    ],
)
def test_a_prompt_that_cannot_be_routed_is_refused_by_name(
    fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(MalformedRequest) as caught:
        generate(**fields)
    assert caught.value.param == param
    assert SECRET not in caught.value.public


@pytest.mark.parametrize("body", [b"", b"[]", b'{"model":', b'{"model":"a","n":NaN}'])
def test_a_body_that_is_no_document_is_refused(body: bytes) -> None:
    for parse in (parse_ollama_chat, parse_generate):
        with pytest.raises(MalformedRequest):
            parse(body, {}, "1")
