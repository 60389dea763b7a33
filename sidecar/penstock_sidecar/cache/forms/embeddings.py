"""Embeddings, which are never streamed: OpenAI's, and Ollama's of today."""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.cache.forms.form import COMMON, Form
from penstock_sidecar.dialects.ollama.passage import NOT_THE_CALLERS
from penstock_sidecar.model import JsonObject, Request


def always_the_same(_: JsonObject) -> int:
    """The temperature of vectors: nothing is drawn."""
    return 0


def is_whole_list(document: JsonObject, request: Request) -> bool:
    """OpenAI's, with usage."""
    data = document.get("data")
    return (
        isinstance(data, list)
        and not document.get("error")
        and isinstance(document.get("usage"), Mapping)
        and _inputs(request) == len(data)
        and all(map(_is_entry, data))
    )


def are_whole(document: JsonObject, request: Request) -> bool:
    """Ollama's."""
    vectors = document.get("embeddings")
    return (
        isinstance(vectors, list)
        and not document.get("error")
        and _inputs(request) == len(vectors)
        and all(map(_is_vector, vectors))
    )


def _inputs(request: Request) -> int:
    """How many vectors were asked for: of a text, of tokens, or of several of either."""
    match request.document.get("input"):
        case [] | None:
            return -1
        case [int(), *_]:
            return 1
        case list() as several:
            return len(several)
        case _:
            return 1


def _is_entry(entry: object) -> bool:
    return isinstance(entry, Mapping) and _is_vector(entry.get("embedding"))


def _is_vector(value: object) -> bool:
    """Numbers, or base64."""
    return isinstance(value, list | str) and bool(value)


OPENAI_FORM: Final = Form(
    whole=is_whole_list,
    streams=None,
    ignored=COMMON | {"user"},  # who asks, for the provider's abuse reports
    temperature=always_the_same,
)
OLLAMA_FORM: Final = Form(
    whole=are_whole,
    streams=None,
    ignored=COMMON | NOT_THE_CALLERS,  # which no provider gets to see
    temperature=always_the_same,
)
