"""A stream's lines make the plain answer, however they were cut; an answer makes them again."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ollama import ChatResponse, GenerateResponse

from penstock_sidecar.cache.forms import Form, NotUnderstood
from penstock_sidecar.cache.forms.ollama import CHAT_FORM, GENERATE_FORM
from penstock_sidecar.cache.forms.pieces import MAX_PARTS, PIECE_CHARACTERS
from tests.sidecar.cache.builders import request
from tests.sidecar.cache.forms.cutting import Document, assembled, cut_bytes, replayed, steady
from tests.sidecar.cache.forms.ollama.streaming import (
    APIS,
    DATE,
    answers,
    document,
    lines,
    streams,
)

FORMS: dict[str, Form] = {"chat": CHAT_FORM, "generate": GENERATE_FORM}
CLIENTS: dict[str, Any] = {"chat": ChatResponse, "generate": GenerateResponse}
each_api = pytest.mark.parametrize("api", APIS)
HEAD: Document = {"model": "m", "created_at": DATE}
DONE: Document = {**HEAD, "done": True, "done_reason": "stop", "eval_count": 3}


@each_api
@steady
@given(data=st.data())
def test_a_stream_is_the_plain_answer_however_it_was_cut(api: str, data: st.DataObject) -> None:
    answer = data.draw(answers(api))
    draw: Any = data.draw
    assert assembled(FORMS[api], cut_bytes(draw, data.draw(streams(api, answer)))) == answer
    assert FORMS[api].whole(answer, request())


@each_api
@steady
@given(data=st.data())
def test_a_replay_makes_the_same_answer_to_us_and_is_valid_to_the_client(
    api: str, data: st.DataObject
) -> None:
    answer = data.draw(answers(api))
    pieces = replayed(FORMS[api], answer)
    assert assembled(FORMS[api], pieces) == answer
    for piece in [*pieces, orjson.dumps(answer)]:
        CLIENTS[api].model_validate_json(piece)


@each_api
@steady
@given(data=st.data())
def test_each_line_is_a_line_to_those_who_break_at_every_sign_unicode_knows(
    api: str, data: st.DataObject
) -> None:
    """As Ollama's client for Python does."""
    for piece in replayed(FORMS[api], data.draw(answers(api))):
        (line,) = piece.decode().splitlines()
        assert orjson.loads(line)["created_at"] == DATE


@each_api
def test_thoughts_come_first_then_text_then_calls_then_the_end(api: str) -> None:
    said: Document = {"content": "é" * (PIECE_CHARACTERS + 1), "thinking": "hm"}
    if api == "chat":
        said["tool_calls"] = [{"function": {"name": "f", "arguments": {}}}]
    sent = [orjson.loads(piece) for piece in replayed(FORMS[api], document(api, DONE, said))]
    words = [line.get("message", line) for line in sent]
    field = {"chat": "content", "generate": "response"}[api]
    assert [bool(word.get("thinking")) for word in words] == [True, *[False] * (len(words) - 1)]
    assert [len(word[field]) for word in words][:3] == [0, PIECE_CHARACTERS, 1]
    assert [line["done"] for line in sent] == [False] * (len(sent) - 1) + [True]
    assert [line.get("eval_count") for line in sent] == [None] * (len(sent) - 1) + [3]
    if api == "chat":
        assert [bool(word.get("tool_calls")) for word in words] == [False] * 3 + [True, False]


@each_api
def test_what_nobody_knows_is_kept_where_all_lines_agree(api: str) -> None:
    said = [document(api, {**HEAD, "remote_model": "r", "done": False}, {"content": "a"})]
    last = {**DONE, "remote_model": "r", "peak_memory": 0}
    sent = lines([*said, document(api, last, {"content": ""})])
    found = assembled(FORMS[api], [sent])
    assert found["remote_model"] == "r"
    assert assembled(FORMS[api], replayed(FORMS[api], found)) == found
    other = {**last, "remote_model": "s"}
    with pytest.raises(NotUnderstood):
        assembled(FORMS[api], [lines([*said, document(api, other, {"content": ""})])])


def test_what_a_message_holds_beside_its_words_is_said_once() -> None:
    answer = document("chat", DONE, {"content": "a" * (PIECE_CHARACTERS + 1), "images": ["aa"]})
    sent = [orjson.loads(piece) for piece in replayed(CHAT_FORM, answer)]
    assert [line["message"].get("images") for line in sent] == [["aa"], None, None]
    assert assembled(CHAT_FORM, replayed(CHAT_FORM, answer)) == answer


def test_a_last_line_without_a_message_ends_too() -> None:
    """As some servers of this dialect send it."""
    said = document("chat", {**HEAD, "done": False}, {"content": "a"})
    found = assembled(CHAT_FORM, [lines([said, DONE])])
    assert (found["message"]["content"], found["done"]) == ("a", True)


def line(**changes: Any) -> Document:
    return {**document("chat", {**HEAD, "done": False}, {"content": "a"}), **changes}


def says(**changes: Any) -> Document:
    return line(message={"role": "assistant", "content": "", **changes})


NOT_UNDERSTOOD: dict[str, list[Document]] = {
    "error": [line(), line(error="CUDA error")],
    "no message": [{**HEAD, "done": False}],
    "message as text": [line(message="a")],
    "content as number": [says(content=1)],
    "content in parts": [says(content=["a"])],
    "thoughts as list": [says(thinking=["a"])],
    "calls as object": [says(tool_calls={"function": {}})],
    "call as text": [says(tool_calls=["f"])],
    "another role": [line(), says(role="tool")],
    "another model": [line(), line(model="n")],
    "date as number": [line(created_at=1)],
    "logprobs as number": [line(logprobs=1)],
    "counts before the end": [line(eval_count=3)],
    "more after the end": [line(), {**line(), **DONE}, line()],
    "too many fields": [line(**{f"f{number}": 1 for number in range(MAX_PARTS + 1)})],
}


@pytest.mark.parametrize("case", NOT_UNDERSTOOD)
def test_what_is_not_understood_is_not_put_together(case: str) -> None:
    with pytest.raises(NotUnderstood):
        assembled(CHAT_FORM, [lines(NOT_UNDERSTOOD[case])])


@pytest.mark.parametrize("data", [b"{cut\n", b"[]\n", b'{"done": fal', b"data: {}\n\n"])
def test_what_is_no_line_is_not_understood(data: bytes) -> None:
    with pytest.raises(NotUnderstood):
        assembled(CHAT_FORM, [lines([line()]), data])


@each_api
def test_it_knows_how_much_it_holds(api: str) -> None:
    streams = FORMS[api].streams
    assert streams
    assembly = streams.assembly()
    around = {**HEAD, "done": False}
    said = [{"content": "four"}, {"content": "", "thinking": "seven.."}]
    assembly.add(lines([document(api, around, each) for each in said]))
    assert assembly.size_bytes == 11
