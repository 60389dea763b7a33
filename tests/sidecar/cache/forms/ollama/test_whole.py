"""Which of Ollama's answers are kept (AT17), and what tells requests apart."""

from typing import Any

import pytest

from penstock_sidecar.cache.forms.ollama import CHAT_FORM, GENERATE_FORM
from tests.sidecar.cache.builders import request
from tests.sidecar.cache.forms.cutting import Document
from tests.sidecar.cache.forms.ollama.streaming import document
from tests.sidecar.cache.forms.ollama.test_stream import DONE, FORMS, each_api

CALL: Document = {"function": {"name": "f", "arguments": {}}}
UNFIT: dict[str, tuple[Document, Document]] = {
    "truncated": ({"done_reason": "length"}, {}),
    "filtered": ({"done_reason": "content_filter"}, {}),
    "only loaded": ({"done_reason": "load"}, {}),
    "no reason": ({"done_reason": None}, {}),
    "reason as list": ({"done_reason": ["stop"]}, {}),
    "not done": ({"done": False}, {}),
    "done by a word": ({"done": "true"}, {}),
    "error": ({"error": "CUDA error"}, {}),
    "empty": ({}, {"content": ""}),
    "blank": ({}, {"content": " \n"}),
    "no text": ({}, {"content": None}),
    "thoughts alone": ({}, {"content": "", "thinking": "hm"}),
    "thoughts as list": ({}, {"thinking": ["hm"]}),
    "calls as object": ({}, {"content": "", "tool_calls": CALL}),
    "call as text": ({}, {"content": "", "tool_calls": ["f"]}),
    "logprobs as number": ({"logprobs": 1}, {}),
}


@each_api
def test_a_normal_end_is_whole(api: str) -> None:
    assert FORMS[api].whole(document(api, DONE, {"content": "a", "thinking": "hm"}), request())


def test_calls_are_an_answer() -> None:
    called = document("chat", DONE, {"content": "", "tool_calls": [CALL]})
    assert CHAT_FORM.whole(called, request())


@each_api
@pytest.mark.parametrize("case", UNFIT)
def test_at17_anything_else_is_not(api: str, case: str) -> None:
    around, said = UNFIT[case]
    found = document(api, {**DONE, **around}, {"content": "a", **said})
    assert not FORMS[api].whole(found, request())


@each_api
def test_at17_the_other_api_s_answer_is_not(api: str) -> None:
    other = {"chat": "generate", "generate": "chat"}[api]
    assert not FORMS[other].whole(document(api, DONE, {"content": "a"}), request())


@pytest.mark.parametrize(
    ("fields", "temperature"),
    [
        ({"options": {"temperature": 0}}, 0),
        ({"options": {"temperature": 0.7}}, 0.7),
        ({"options": None}, None),
        ({"options": []}, None),
        ({"temperature": 0}, None),
    ],
)
def test_the_temperature_is_among_the_options(fields: Any, temperature: object) -> None:
    for form in (CHAT_FORM, GENERATE_FORM):
        assert form.temperature(fields) == temperature
