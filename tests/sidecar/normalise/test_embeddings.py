"""Requests for embeddings as they come, and those that are refused."""

import json
from typing import Any

import pytest

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import CacheControl, Request
from penstock_sidecar.normalise.embeddings import (
    parse_ollama_embed,
    parse_ollama_embeddings,
    parse_openai_embeddings,
)
from penstock_sidecar.normalise.ollama import asks_to_load
from penstock_sidecar.normalise.paths import Parse

ALL = (parse_openai_embeddings, parse_ollama_embed, parse_ollama_embeddings)


def parse(by: Parse, document: Any, **headers: str) -> Request:
    return by(json.dumps(document).encode(), headers, "call")


def test_a_request_of_openais() -> None:
    body = b'{"model": "fast", "input": ["a", "b"], "dimensions": 4}'
    request = parse_openai_embeddings(body, {"x-a": "1"}, "call")
    assert request == Request(
        call_id="call",
        model="fast",
        stream=False,
        usage_wanted=False,
        body=body,
        document={"model": "fast", "input": ["a", "b"], "dimensions": 4},
        headers={"x-a": "1"},
        api="openai-embeddings",
    )
    assert request.embeds
    assert (request.choices, request.max_output_tokens) == (1, None)


@pytest.mark.parametrize(
    ("by", "document", "api"),
    [
        (parse_ollama_embed, {"model": "m", "input": "a"}, "ollama-embed"),
        (parse_ollama_embed, {"model": "m", "input": ["a", ""]}, "ollama-embed"),
        (parse_ollama_embeddings, {"model": "m", "prompt": "a"}, "ollama-embeddings"),
    ],
)
def test_requests_of_ollamas(by: Parse, document: dict[str, object], api: str) -> None:
    request = parse(by, document)
    assert (request.api, request.document, request.embeds) == (api, document, True)


@pytest.mark.parametrize(
    ("given", "tokens"),
    [([1, 2, 3], 3), ([[1, 2], [3]], 3), ("a", None), (["1", "2"], None)],
)
def test_tokens_are_counted_and_text_is_not(given: object, tokens: int | None) -> None:
    request = parse(parse_openai_embeddings, {"model": "m", "input": given})
    assert request.counted_tokens == tokens
    assert request.text_only is (tokens is None)


@pytest.mark.parametrize(
    ("by", "fields", "param"),
    [
        (parse_openai_embeddings, {}, "input"),
        (parse_openai_embeddings, {"input": []}, "input"),
        (parse_openai_embeddings, {"input": {"text": "a"}}, "input"),
        (parse_openai_embeddings, {"input": ["a", 1]}, "input[1]"),
        (parse_openai_embeddings, {"input": [1, "a"]}, "input[0]"),
        (parse_openai_embeddings, {"input": [True]}, "input[0]"),
        (parse_openai_embeddings, {"input": [[1], []]}, "input[0]"),
        (parse_openai_embeddings, {"input": [[1], "a"]}, "input[0]"),
        (parse_openai_embeddings, {"input": [1.5]}, "input[0]"),
        (parse_ollama_embed, {"input": 0}, "input"),
        (parse_ollama_embed, {"input": {}}, "input"),
        (parse_ollama_embed, {"input": [1, 2]}, "input[0]"),
        (parse_ollama_embeddings, {"prompt": ["a"]}, "prompt"),
        (parse_ollama_embeddings, {"prompt": 0}, "prompt"),
    ],
)
def test_an_input_of_another_shape_is_named(
    by: Parse, fields: dict[str, object], param: str
) -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse(by, {"model": "m", **fields})
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("by", "fields", "loads"),
    [
        (parse_ollama_embed, {}, True),
        (parse_ollama_embed, {"input": ""}, True),
        (parse_ollama_embed, {"input": []}, True),
        (parse_ollama_embed, {"input": [""]}, False),
        (parse_ollama_embeddings, {}, True),
        (parse_ollama_embeddings, {"prompt": ""}, True),
        (parse_ollama_embeddings, {"prompt": None}, True),
        (parse_ollama_embeddings, {"prompt": "a"}, False),
    ],
)
def test_no_text_at_all_is_how_ollamas_callers_load_a_model(
    by: Parse, fields: dict[str, object], loads: bool
) -> None:
    assert asks_to_load(parse(by, {"model": "m", **fields})) is loads


@pytest.mark.parametrize("by", ALL)
def test_a_model_is_needed(by: Parse) -> None:
    with pytest.raises(MalformedRequest) as caught:
        parse(by, {"input": "a", "prompt": "a"})
    assert caught.value.param == "model"


@pytest.mark.parametrize("by", ALL)
def test_a_body_that_is_no_document_says_what_is_needed(by: Parse) -> None:
    with pytest.raises(MalformedRequest, match=r"`model` and `(input|prompt)`"):
        by(b"", {}, "call")


@pytest.mark.parametrize("by", ALL)
def test_what_speaks_to_a_gateway_is_not_for_the_provider(by: Parse) -> None:
    document = {"model": "m", "input": "a", "prompt": "a"}
    request = parse(by, {**document, "cache": {"no-store": True}})
    assert request.cache_control == CacheControl(no_store=True)
    assert json.loads(request.body) == request.document == document
