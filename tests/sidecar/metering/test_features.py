"""Which features of a request have a most that they can cost."""

from dataclasses import replace
from typing import Any

import pytest

from penstock_sidecar.metering.estimate import MAX_IMAGE_TOKENS, estimate_input
from penstock_sidecar.metering.features import unbounded_feature
from tests.sidecar.metering import given as a

PICTURE = {"type": "image_url", "image_url": {"url": "https://x.example/a.png", "detail": "high"}}
INLINE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"n": 3, "logprobs": True, "top_logprobs": 5, "stop": ["x"], "seed": 1, "store": True},
        {"best_of": 2, "n": 2},
        {"tools": [FUNCTION, {"type": "custom", "custom": {"name": "g"}}], "tool_choice": "auto"},
        {"functions": [{"name": "f"}], "function_call": "auto"},
        {"modalities": ["text"]},
        {"service_tier": "auto"},
        {"service_tier": "flex"},
        {"prompt_cache_retention": "in_memory", "prompt_cache_key": "a"},
        {"reasoning": {"effort": "high", "exclude": True}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
        {"reasoning_effort": "high", "verbosity": "low", "max_completion_tokens": 9},
        {"prediction": None, "audio": None, "web_search_options": None, "plugins": None},
        {"top_k": 4, "min_p": 0.1, "repetition_penalty": 1.1},
    ],
)
def test_what_bytes_pictures_and_caps_bound_is_bounded(fields: dict[str, Any]) -> None:
    assert unbounded_feature(a.chat("Hi", **fields), "openai") is None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"web_search_options": {}}, "web_search_options"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {"voice": "alloy", "format": "wav"}}, "audio"),
        ({"prediction": {"type": "content", "content": "x"}}, "prediction"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"service_tier": ["flex"]}, "service_tier"),
        ({"best_of": 2}, "best_of"),
        ({"prompt_cache_retention": "24h"}, "prompt_cache_retention"),
        ({"reasoning": {"mode": "pro"}}, "reasoning"),
        ({"reasoning": "high"}, "reasoning"),
        ({"best_of": "2", "n": 2}, "best_of"),
        ({"tools": [FUNCTION, {"type": "web_search_preview"}]}, "tools[1]"),
        ({"tools": [{"type": "code_interpreter", "container": {}}]}, "tools[0]"),
        ({"tools": [["function"]]}, "tools[0]"),
        ({"tools": [{"type": ["function"]}]}, "tools[0]"),
        ({"tools": {"type": "function"}}, "tools[0]"),
        ({"plugins": [{"id": "web"}]}, "plugins"),
        ({"models": ["dear/model"]}, "models"),
        ({"search_parameters": {"mode": "on"}}, "search_parameters"),
        ({"chat_template": "{% for i in range(99999) %}x{% endfor %}"}, "chat_template"),
        ({"what_comes_next_year": 1}, "what_comes_next_year"),
    ],
)
def test_what_may_cost_anything_is_named(fields: dict[str, Any], named: str) -> None:
    assert unbounded_feature(a.chat("Hi", **fields), "openai") == named


@pytest.mark.parametrize(
    "part",
    [
        {"type": "text", "text": "Hi"},
        PICTURE,
        INLINE,
        {"type": "image_url", "image_url": "https://x.example/a.png"},
        {"type": "refusal", "refusal": "No"},
    ],
)
def test_text_and_pictures_are_bounded(part: dict[str, Any]) -> None:
    assert unbounded_feature(a.chat("Hi", [part]), "openai") is None


@pytest.mark.parametrize(
    ("part", "named"),
    [
        ({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}, "type"),
        ({"type": "file", "file": {"file_id": "file-1"}}, "type"),
        ({"type": "video_url", "video_url": {"url": "https://x.example/a.mp4"}}, "type"),
        ({"type": "image_url", "image_url": {"url": "data:application/pdf,A"}}, "image_url"),
        ({"type": ["text"]}, "type"),
        ({}, "type"),
    ],
)
def test_other_parts_are_not(part: dict[str, Any], named: str) -> None:
    found = unbounded_feature(a.chat("Hi", [{"type": "text", "text": "Look"}, part]), "openai")
    assert found == f"messages[1].content[1].{named}"


def test_sound_that_an_answer_had_is_input_of_the_next() -> None:
    messages = [{"role": "assistant", "audio": {"id": "audio_1"}}]
    assert (
        unbounded_feature(a.request(document={"messages": messages}), "openai")
        == "messages[0].audio"
    )


def test_a_picture_costs_no_more_by_its_detail_or_by_where_it_is() -> None:
    """A remote one is fetched by the provider: its size is not known here."""
    words = a.chat([{"type": "text", "text": "Look"}])
    for part in (PICTURE, INLINE):
        looked_at = a.chat([{"type": "text", "text": "Look"}, part])
        url = part["image_url"]["url"]  # type: ignore[index]  # a dictionary above
        inline = len(url) if url.startswith("data:") else 0
        bound = estimate_input(replace(looked_at, images=1, inline_bytes=inline)).most_tokens
        assert bound == len(looked_at.body) - inline + MAX_IMAGE_TOKENS
        assert bound > len(words.body) + MAX_IMAGE_TOKENS - 1
