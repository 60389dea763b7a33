"""Signs that an answer is bad, in every dialect that callers speak."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from penstock_sidecar.dialects.answer_text import answer_text, question_bytes
from penstock_sidecar.model import Api, Request
from penstock_sidecar.routing.scores import Learning
from penstock_sidecar.routing.signs import Ended, is_bad
from tests.sidecar.routing.builders import request

QUESTION = "Why is the sky blue, and what would it be on Mars? Tell me all about it, please."
LEARNING = Learning()


def chat(**changes: Any) -> Request:
    document = {"model": "fast", "messages": [{"role": "user", "content": QUESTION}]}
    return replace(request("fast"), document=document, **changes)


def whole(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return orjson.dumps({"id": "c", "model": "m", "choices": [choice]})


def streamed(*texts: str) -> bytes:
    def event(delta: dict[str, str], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        document = {"id": "c", "model": "m", "choices": [choice]}
        return b"data: " + orjson.dumps(document) + b"\n\n"

    return b"".join(
        [*(event({"content": t}) for t in texts), event({}, "stop"), b"data: [DONE]\n\n"]
    )


def ended(text: str, *, seconds: float = 0.5, **changes: Any) -> Ended:
    fields: dict[str, Any] = {
        "task": "chat",
        "seconds": seconds,
        "text_bytes": len(text),
        "finish": "stop",
        "body": whole(text),
    }
    return Ended(**{**fields, **changes})


def bad(asked: Request, how: Ended) -> bool:
    return is_bad(asked, how, LEARNING)


def test_an_ordinary_answer_is_good() -> None:
    assert not bad(chat(), ended("Because air scatters blue light more than red." * 4, seconds=9))


def test_short_and_slow_is_bad_but_either_alone_is_not() -> None:
    assert bad(chat(), ended("Physics.", seconds=2.1))
    assert not bad(chat(), ended("Physics.", seconds=1.9))
    assert not bad(chat(), ended("x" * (len(QUESTION) // 2), seconds=20))


def test_short_is_what_some_tasks_ask_for() -> None:
    assert not bad(chat(), ended("Physics.", seconds=9, task="extract"))


def test_what_the_caller_cut_short_is_not_the_models_fault() -> None:
    assert not bad(chat(), ended("Physics", seconds=9, finish="length"))


def test_the_constants_can_be_others() -> None:
    strict = Learning(length_ratio=2.0, slow_seconds=0.1)
    assert is_bad(chat(), ended("x" * len(QUESTION)), strict)


@pytest.mark.parametrize(
    "words",
    ["I'm sorry, but I can't help with that.", "  I\u2019m unable to assist.", "As an AI, no"],
)
def test_a_refusal_is_bad(words: str) -> None:
    assert bad(chat(), ended(words, body=whole(words)))
    assert bad(chat(stream=True), ended(words, body=streamed(words[:5], words[5:])))


def test_a_filtered_answer_is_bad_whatever_it_says() -> None:
    assert bad(chat(), ended("", finish="content_filter", body=None))


def test_words_like_a_refusals_in_a_long_answer_are_none() -> None:
    assert not bad(chat(), ended("I'm sorry, I can explain. " + "Blue light scatters. " * 40))


@pytest.mark.parametrize(
    ("text", "is_broken"),
    [('{"a": 1}', False), ("[1, 2]", False), ('{"a": ', True), ("Sure! {}", True), ("7", True)],
)
def test_json_that_was_asked_for_and_cannot_be_read_is_bad(text: str, *, is_broken: bool) -> None:
    assert bad(chat(json=True), ended(text)) is is_broken
    in_pieces = ended(text, body=streamed(*text))
    assert bad(chat(json=True, stream=True), in_pieces) is is_broken
    assert not bad(chat(), ended(text))


def test_json_that_was_cut_at_the_callers_length_is_not_the_models_fault() -> None:
    assert not bad(chat(json=True), ended('{"a": ', finish="length"))


def test_what_was_too_long_to_keep_is_not_judged_by_its_words() -> None:
    assert not bad(chat(json=True), ended("no json", body=None, text_bytes=10**6))


def test_embeddings_are_never_bad() -> None:
    assert not bad(chat(api="openai-embeddings"), ended("", seconds=99, body=b"?"))


def test_bytes_that_nobody_can_read_have_no_words() -> None:
    assert answer_text(chat(), b"\xff") is None
    assert answer_text(chat(stream=True), b"data: {\n\n") is None


SAID = {"role": "user", "content": "Hello"}
HEARD = '{"done": true}'
DIALECTS: list[tuple[Api, dict[str, Any], dict[str, Any]]] = [
    (
        "openai-completions",
        {"prompt": "Hello"},
        {"choices": [{"text": HEARD, "finish_reason": "stop"}]},
    ),
    (
        "openai-responses",
        {"input": "Hello"},
        {
            "id": "r",
            "status": "completed",
            "output": [
                {"type": "message", "content": [{"type": "output_text", "text": HEARD}]},
            ],
        },
    ),
    (
        "anthropic-messages",
        {"messages": [SAID], "max_tokens": 9},
        {
            "id": "m",
            "type": "message",
            "content": [{"type": "text", "text": HEARD}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 1, "output_tokens": 1},
        },
    ),
    (
        "ollama-chat",
        {"messages": [SAID]},
        {"message": {"role": "assistant", "content": HEARD}, "done": True, "done_reason": "stop"},
    ),
    (
        "ollama-generate",
        {"prompt": "Hello"},
        {"response": HEARD, "done": True, "done_reason": "stop"},
    ),
]


@pytest.mark.parametrize(("api", "asked", "answered"), DIALECTS, ids=lambda v: str(v)[:18])
def test_question_and_answer_are_read_in_every_dialect(
    api: Api, asked: dict[str, Any], answered: dict[str, Any]
) -> None:
    wanted = replace(request("fast"), api=api, document={"model": "fast", **asked})
    assert question_bytes(wanted) == len("Hello")
    assert answer_text(wanted, orjson.dumps({"model": "m", **answered})) == HEARD


def test_the_question_is_what_the_user_said_last() -> None:
    document = {
        "model": "fast",
        "messages": [SAID, {"role": "assistant", "content": "x" * 900}, {**SAID, "content": "Bye"}],
    }
    assert question_bytes(replace(request("fast"), document=document)) == 3
