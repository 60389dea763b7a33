"""Whatever a provider sends in whatever dialect, collecting it harms nobody, and what is kept of it
can be streamed and put together again."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock_sidecar.cache.collector import Collector
from penstock_sidecar.cache.forms import Form, form_of
from penstock_sidecar.cache.key import Keys
from penstock_sidecar.model import Api, Chunk, Request
from tests.sidecar.cache.builders import CALLER, TARGET, USAGE, candidate, request
from tests.sidecar.cache.forms.anthropic_messages import streaming as anthropic
from tests.sidecar.cache.forms.anthropic_messages.test_stream import message
from tests.sidecar.cache.forms.cutting import Document, assembled, replayed, steady
from tests.sidecar.cache.forms.ollama import streaming as ollama
from tests.sidecar.cache.forms.openai_chat import streaming as chat
from tests.sidecar.cache.forms.openai_completions import streaming as completions
from tests.sidecar.cache.forms.openai_responses import streaming as responses
from tests.sidecar.cache.forms.test_embeddings import listed, made

ANSWERS: dict[Api, st.SearchStrategy[Document]] = {
    "openai-chat": chat.completions,
    "openai-completions": completions.completions(),
    "openai-responses": responses.responses(),
    "openai-embeddings": st.just(listed([0.5], [1])),
    "anthropic-messages": anthropic.messages(),
    "ollama-chat": ollama.answers("chat"),
    "ollama-generate": ollama.answers("generate"),
    "ollama-embed": st.just(made([0.5], [1])),
}
KEYS = Keys(("c", "shop", "shop/main"), "App", b"secret")
ODD: tuple[Any, ...] = (None, True, False, 0, -1, 1.5, 2**70, "", "x", [], {}, [None], [[]], ["x"])
ODDER: tuple[Any, ...] = ({"type": "x"}, {"index": 0}, [{"type": ["text"]}], [{"index": "0"}])
each_api = pytest.mark.parametrize("api", sorted(ANSWERS))


@st.composite
def spoilt(draw: st.DrawFn, document: Document) -> Document:
    """With one value somewhere in it replaced, left out, or a new one."""
    found = deepcopy(document)
    holder, name = draw(st.sampled_from(list(_places(found))))
    match draw(st.sampled_from(("replaced", "left out", "new"))):
        case "left out":
            del holder[name]
        case "new" if isinstance(holder, dict):
            holder["nobody_knows_it"] = draw(st.sampled_from(ODD + ODDER))
        case _:
            holder[name] = draw(st.sampled_from(ODD + ODDER))
    return found


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every value, by what holds it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    for name, inner in list(inside):
        yield value, name
        if isinstance(inner, dict | list):
            yield from _places(inner)


def collected(asked: Request, form: Form, pieces: list[bytes]) -> bytes | None:
    question = KEYS.question(asked, CALLER, TARGET, "", form)
    assert question
    collector = Collector(question, candidate(), 100_000)
    for piece in pieces:
        collector.add(Chunk(piece, usage=USAGE))
    collector.add(Chunk(b"", end=True))
    found = collector.collected()
    return found.body if found else None


def asked_of(api: Api, answer: Document, *, stream: bool) -> tuple[Request, Form]:
    form = form_of(api)
    assert form
    choices = answer.get("choices")
    fields: dict[str, object] = {"input": ["a", "b"], "store": False}
    asked = request(fields, stream=stream, choices=len(choices) if choices else 1)
    return replace(asked, api=api), form


def _written(document: Document) -> bytes:
    """With numbers that orjson would not write."""
    return json.dumps(document).encode("utf-8", "surrogatepass")


@each_api
@steady
@given(st.data())
def test_at17_a_spoilt_answer_is_given_up_or_can_be_streamed(api: Api, data: st.DataObject) -> None:
    answer = data.draw(ANSWERS[api])
    asked, form = asked_of(api, answer, stream=False)
    assert collected(asked, form, [orjson.dumps(answer)])
    found = data.draw(spoilt(answer))
    body = collected(asked, form, [_written(found)])
    if body and form.streams:
        assert len(replayed(form, orjson.loads(body))) > 1


LOST = (2**64 + 1, -(2**63) - 1, 10**25)
"""Integers that orjson reads as floats."""


@pytest.mark.parametrize("number", LOST)
@pytest.mark.parametrize("streamed", [False, True])
def test_at17_an_answer_whose_digits_would_be_lost_is_not_kept(number: int, streamed: bool) -> None:
    """A tool may be called for a customer who is one."""
    call: Document = {"type": "tool_use", "id": "t", "name": "f", "input": {"a": [{"b": 1}]}}
    answer = message(call, stop="tool_use")
    asked, form = asked_of("anthropic-messages", answer, stream=streamed)
    pieces = list(replayed(form, answer)) if streamed else [orjson.dumps(answer)]
    assert collected(asked, form, pieces)
    old, new = (b"%b:%b" % (b'\\"b\\"' if streamed else b'"b"', n) for n in (b"1", b"%d" % number))
    lost = [piece.replace(old, new) for piece in pieces]
    assert lost != pieces
    assert collected(asked, form, lost) is None


@pytest.mark.parametrize("api", sorted(api for api in ANSWERS if "embed" not in api))
@steady
@given(st.data())
def test_at17_a_spoilt_stream_is_given_up_or_can_be_streamed_again(
    api: Api, data: st.DataObject
) -> None:
    answer = data.draw(ANSWERS[api])
    asked, form = asked_of(api, answer, stream=True)
    pieces = list(replayed(form, answer))
    assert collected(asked, form, pieces)
    at = data.draw(st.integers(0, len(pieces) - 1))
    head, brace, rest = pieces[at].partition(b"{")
    if brace:
        document, end = orjson.loads(brace + rest.strip()), rest[len(rest.rstrip()) :]
        pieces[at] = head + _written(data.draw(spoilt(document))) + end
    else:
        pieces[at] = data.draw(st.binary(max_size=20))
    if body := collected(asked, form, pieces):
        kept = orjson.loads(body)
        again = assembled(form, replayed(form, kept))
        assert assembled(form, replayed(form, again)) == again
