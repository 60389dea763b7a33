"""Which features of completions and responses have a most that they can cost."""

import json
from typing import Any

import pytest

from penstock_sidecar.metering.features import unbounded_feature
from penstock_sidecar.normalise.openai_completions import parse_completion
from penstock_sidecar.normalise.openai_responses import parse_response

FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object"}}


def of_completion(**fields: Any) -> str | None:
    body = json.dumps({"model": "m", "prompt": "Once"} | fields).encode()
    return unbounded_feature(parse_completion(body, {}, "c"), "openai")


def of_response(**fields: Any) -> str | None:
    body = json.dumps({"model": "m", "input": "Hi"} | fields).encode()
    return unbounded_feature(parse_response(body, {}, "c"), "openai")


def content(*parts: object) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": list(parts)}]}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"prompt": [[1, 2], [3]], "n": 2, "best_of": 3, "echo": True, "logprobs": 5},
        {"suffix": "the end", "stop": ["\n"], "user": "ada", "max_tokens": 9},
        {"service_tier": "flex", "temperature": 1, "logit_bias": {"5": 1}},
    ],
)
def test_a_completion_is_text_in_and_so_much_out(fields: dict[str, Any]) -> None:
    assert of_completion(**fields) is None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"service_tier": "priority"}, "service_tier"),
        ({"what_comes_next_year": 1}, "what_comes_next_year"),
    ],
)
def test_what_of_a_completion_may_cost_anything_is_named(
    fields: dict[str, Any], named: str
) -> None:
    assert of_completion(**fields) == named


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"instructions": "Be brief.", "tools": [FUNCTION, {"type": "custom", "name": "c"}]},
        {"reasoning": {"effort": "high", "summary": "auto", "mode": "standard"}},
        {"service_tier": "auto", "prompt_cache_retention": "in_memory", "background": False},
        {"text": {"format": {"type": "json_object"}}, "include": ["reasoning.encrypted_content"]},
        content({"type": "input_text", "text": "a"}, {"type": "refusal", "refusal": "b"}),
        content({"type": "input_image", "image_url": "https://x.example/a.png"}),
        content({"type": "input_image", "image_url": "data:image/png;base64,AAAA"}),
        content({"type": "input_image", "file_id": "file_1"}),
        {"input": [{"type": "function_call", "call_id": "1", "name": "f", "arguments": "{}"}]},
        {"input": [{"type": "function_call_output", "call_id": "1", "output": "42"}]},
        {"input": [{"type": "reasoning", "summary": [], "encrypted_content": "gAAAA"}]},
        {"previous_response_id": None, "conversation": None},
    ],
)
def test_what_bytes_pictures_and_caps_bound_is_bounded(fields: dict[str, Any]) -> None:
    assert of_response(**fields) is None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"input": [{"type": "reasoning", "encrypted_content": ""}]}, "input[0]"),
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"tools": [FUNCTION, {"type": "web_search"}]}, "tools[1]"),
        ({"tools": {"type": "function"}}, "tools[0]"),
        ({"reasoning": {"mode": "pro"}}, "reasoning.mode"),
        ({"reasoning": "high"}, "reasoning"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"prompt_cache_retention": "24h"}, "prompt_cache_retention"),
        ({"moderation": {"model": "m"}}, "moderation"),
        (content({"type": "input_file", "file_id": "f"}), "input[0].content[0]"),
        (
            content({"type": "input_image", "image_url": "data:application/pdf;base64,A"}),
            "input[0].content[0]",
        ),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input[0]"),
        ({"input": [{"type": "reasoning", "id": "rs_1", "summary": []}]}, "input[0]"),
        (
            {
                "input": [
                    {
                        "type": "function_call_output",
                        "call_id": "1",
                        "output": [{"type": "input_file", "file_id": "f"}],
                    }
                ]
            },
            "input[0].output[0]",
        ),
    ],
)
def test_what_of_a_response_may_cost_anything_is_named(fields: dict[str, Any], named: str) -> None:
    assert of_response(**fields) == named
