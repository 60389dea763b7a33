"""Answers of both APIs, and Ollama who streams them."""

from collections.abc import Iterator, Sequence

import orjson
from hypothesis import strategies as st

from tests.sidecar.cache.forms.cutting import Document, counts, cut, json_objects, names, words

APIS = ("chat", "generate")
DATE = "2026-11-20T12:00:00.5Z"
FIELD = {"chat": "content", "generate": "response"}

calls = st.builds(
    lambda name, arguments: {"function": {"name": name, "arguments": arguments}},
    names,
    json_objects,
)
logprobs = st.builds(lambda token: {"token": token, "logprob": -0.5}, words)


def document(api: str, around: Document, said: Document) -> Document:
    """Of a stream, or a whole one. `said` in a chat's words."""
    if api == "chat":
        return {**around, "message": {"role": "assistant", **said}}
    words = dict(said)
    return {**around, "response": words.pop("content"), **words}


def said_in(api: str, answer: Document) -> Document:
    """In a chat's words."""
    if api == "chat":
        return {name: value for name, value in answer["message"].items() if name != "role"}
    thinking = {"thinking": answer["thinking"]} if "thinking" in answer else {}
    return {"content": answer["response"], **thinking}


@st.composite
def answers(draw: st.DrawFn, api: str) -> Document:
    called = draw(st.lists(calls, max_size=2)) if api == "chat" else []
    said: Document = {"content": draw(words | st.just("")) if called else draw(words)}
    if draw(st.booleans()):
        said["thinking"] = draw(words)
    if called:
        said["tool_calls"] = called
    around: Document = {
        "model": "llama3.2",
        "created_at": DATE,
        "done": True,
        "done_reason": "stop",
        "total_duration": draw(counts),
        "load_duration": 0,
        "prompt_eval_count": draw(counts),
        "prompt_eval_duration": 1,
        "eval_count": draw(counts),
        "eval_duration": 2,
    }
    if draw(st.booleans()):
        around["logprobs"] = draw(st.lists(logprobs, min_size=1, max_size=3))
    if api == "generate":
        around["context"] = draw(st.lists(counts, max_size=3))
    return document(api, around, said)


@st.composite
def streams(draw: st.DrawFn, api: str, answer: Document) -> bytes:
    """Lines that were made one after the other, the log probabilities with the first of them."""
    said = said_in(api, answer)
    pieces = list(_pieces(draw, said))
    made = [f"2026-11-20T12:00:0{number % 10}Z" for number in range(len(pieces))]
    logprobs = answer.get("logprobs", [])
    at = draw(st.integers(0, len(logprobs)))
    sent: list[Document] = []
    for number, piece in enumerate(pieces):
        beside = logprobs[:at] if number == 0 else []
        around = {"model": answer["model"], "created_at": made[number], "done": False}
        sent.append(document(api, around | ({"logprobs": beside} if beside else {}), piece))
    rest = {"logprobs": logprobs[at:]} if logprobs[at:] else {}
    around = {name: value for name, value in answer.items() if _is_around(name)}
    sent.append(document(api, {**around, **rest}, {"content": ""}))
    return lines(sent)


def lines(documents: Sequence[Document]) -> bytes:
    return b"".join(orjson.dumps(each) + b"\n" for each in documents)


def _is_around(name: str) -> bool:
    return name not in {"message", "response", "thinking", "logprobs"}


def _pieces(draw: st.DrawFn, said: Document) -> Iterator[Document]:
    for piece in cut(draw, said.get("thinking", "")):
        yield {"content": "", "thinking": piece}
    for piece in cut(draw, said["content"]):
        yield {"content": piece}
    for call in said.get("tool_calls", []):
        yield {"content": "", "tool_calls": [call]}
