"""Completions, and a provider who streams them."""

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from tests.sidecar.cache.builders import USAGE_DOCUMENT
from tests.sidecar.cache.forms.cutting import Document, cut, words

HEAD: Document = {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": "instruct"}


def completion(*texts: str, finish: str = "stop") -> Document:
    return {
        **HEAD,
        "choices": [
            {"text": text, "index": index, "logprobs": None, "finish_reason": finish}
            for index, text in enumerate(texts)
        ],
        "usage": USAGE_DOCUMENT,
    }


@st.composite
def completions(draw: st.DrawFn) -> Document:
    found = completion(*draw(st.lists(words, min_size=1, max_size=3)))
    for choice in found["choices"]:
        if draw(st.booleans()):
            tokens = draw(st.lists(words, min_size=1, max_size=4))
            choice["logprobs"] = {
                "tokens": tokens,
                "token_logprobs": [-0.25] * len(tokens),
                "top_logprobs": [{token: -0.25} for token in tokens],
                "text_offset": list(range(len(tokens))),
            }
    return found


@st.composite
def streams(draw: st.DrawFn, of: Document) -> list[Document]:
    """Each choice in order, the choices interleaved; then the usage."""
    waiting = [list(_said_by(draw, choice)) for choice in of["choices"]]
    sent: list[Document] = []
    while any(waiting):
        index = draw(st.sampled_from([i for i, said in enumerate(waiting) if said]))
        sent.append({**HEAD, "choices": [waiting[index].pop(0)], "usage": None})
    return [*sent, {**HEAD, "choices": [], "usage": of["usage"]}]


def _said_by(draw: st.DrawFn, choice: Document) -> Iterator[Document]:
    index, pieces = choice["index"], cut(draw, choice["text"])
    logprobs: dict[str, list[Any]] = choice["logprobs"] or {}
    at = draw(st.integers(0, len(logprobs.get("tokens", []))))
    first = {name: values[:at] for name, values in logprobs.items()} or None
    rest = {name: values[at:] for name, values in logprobs.items()} or None
    for number, piece in enumerate(pieces):
        beside = None if number else first
        yield {"text": piece, "index": index, "logprobs": beside, "finish_reason": None}
    yield {"text": "", "index": index, "logprobs": rest, "finish_reason": choice["finish_reason"]}
