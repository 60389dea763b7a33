"""Which fields of Ollama's have a most that they can cost."""

import json
from typing import Any

import pytest

from penstock_sidecar.metering.features import unbounded_feature
from penstock_sidecar.normalise.ollama import parse_generate, parse_ollama_chat
from tests.sidecar.dialects.ollama.given import PNG, WAV

HELLO = {"role": "user", "content": "Hi"}


def of_chat(**fields: Any) -> str | None:
    document = {"model": "m", "messages": [HELLO], **fields}
    return unbounded_feature(parse_ollama_chat(json.dumps(document).encode(), {}, "1"), "ollama")


def of_generate(**fields: Any) -> str | None:
    document = {"model": "m", "prompt": "Hi", **fields}
    return unbounded_feature(parse_generate(json.dumps(document).encode(), {}, "1"), "ollama")


COMMON = {
    "stream": False,
    "format": "json",
    "options": {"num_ctx": 9, "x_new": 1},
    "think": True,
    "keep_alive": -1,
    "truncate": True,
    "logprobs": True,
    "top_logprobs": 3,
    "user": "ann",
}


def test_what_bytes_pictures_and_the_cap_bound_is_bounded() -> None:
    pictured = {**HELLO, "images": [PNG]}
    assert of_chat(**COMMON, messages=[pictured], tools=[{"type": "function"}]) is None
    assert of_generate(**COMMON, system="x", suffix="x", raw=True, images=[PNG]) is None


def test_what_is_empty_costs_nothing() -> None:
    assert of_generate(template="", context=[], x_new=None) is None


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"template": "{{ range .Messages }}"}, "template"),
        ({"context": [1]}, "context"),
        ({"x_new": 1}, "x_new"),
        ({"images": [WAV]}, "images"),
        ({"steps": 100}, "steps"),
        ({"messages": [HELLO]}, "messages"),
    ],
)
def test_what_may_cost_anything_is_named(fields: dict[str, Any], named: str) -> None:
    assert of_generate(**fields) == named


def test_a_chat_s_unknown_fields_are_named() -> None:
    assert of_chat(x_new=1) == "x_new"
    assert of_chat(messages=[{**HELLO, "images": [WAV]}]) == "images"
