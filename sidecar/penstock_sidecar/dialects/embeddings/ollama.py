"""Ollama's embeddings, today's and the former: docs/api.md of ollama/ollama, 0.12."""

from collections.abc import Iterator, Sequence
from typing import Final

from penstock_sidecar.dialects.dialect import (
    Ask,
    CallerSide,
    Garbled,
    Identity,
    ProviderSide,
    SaidError,
    Unspeakable,
)
from penstock_sidecar.dialects.embeddings.answer import (
    events_of,
    in_order,
    never_streamed,
    usage_of,
)
from penstock_sidecar.dialects.embeddings.vectors import as_floats, vector_of
from penstock_sidecar.dialects.events import Event, Vector
from penstock_sidecar.dialects.features import Feature, Lacks
from penstock_sidecar.dialects.fields import (
    integer_field,
    list_of,
    refuse_unknown,
    string_of,
)
from penstock_sidecar.dialects.framing import LINES
from penstock_sidecar.dialects.texts import Texts
from penstock_sidecar.dialects.usage import usage_of_ollama
from penstock_sidecar.model import JsonObject

NANOSECONDS: Final = 1_000_000_000
"""Of a second."""
LACKS: Final = Lacks(
    refused=frozenset({Feature.COUNTED, Feature.TASK}), dropped=frozenset({Feature.USER})
)
SPELLED: Final = {"inputs": "input", "cut": "truncate"}
FORMER_SPELLED: Final = {"inputs": "prompt"}
TRANSLATED: Final = frozenset({"model", "input", "truncate", "dimensions"})
FORMER_TRANSLATED: Final = frozenset({"model", "prompt"})
HARMLESS: Final = frozenset({"options", "keep_alive"})
"""How a model is loaded and how it samples: no vector depends on it."""


def read_request(document: JsonObject) -> Texts:
    """Raises `Unspeakable`."""
    refuse_unknown(document, TRANSLATED, HARMLESS)
    found, cut = document.get("input"), document.get("truncate")
    if cut is not None and not isinstance(cut, bool):
        raise Unspeakable("truncate", " unless it is true or false")
    return Texts(
        inputs=(found,) if isinstance(found, str) else _texts(found),
        dimensions=integer_field(document, "dimensions"),
        cut=cut,
        spelled=SPELLED,
    )


def read_former_request(document: JsonObject) -> Texts:
    """Raises `Unspeakable`."""
    refuse_unknown(document, FORMER_TRANSLATED, HARMLESS)
    return Texts(inputs=(string_of(document.get("prompt")),), spelled=FORMER_SPELLED)


def write_request(texts: Texts, ask: Ask) -> dict[str, object]:
    body: dict[str, object] = {"model": ask.model, "input": list(texts.inputs)}
    if texts.dimensions is not None:
        body["dimensions"] = texts.dimensions
    if texts.cut is not None:
        body["truncate"] = texts.cut
    if ask.keep_alive_seconds is not None:
        body["keep_alive"] = ask.keep_alive_seconds
    return body


def read_answer(document: JsonObject) -> Iterator[Event]:
    if error := document.get("error"):
        raise SaidError(error)
    if not isinstance(document.get("embeddings"), list):
        raise Garbled("answered with what is no list of embeddings")
    found = enumerate(list_of(document["embeddings"]))
    vectors = [Vector(place, vector_of(values)) for place, values in found]
    yield from events_of(string_of(document.get("model")), vectors, usage_of_ollama(document))


def read_former_answer(document: JsonObject) -> Iterator[Event]:
    """It counts no tokens."""
    if error := document.get("error"):
        raise SaidError(error)
    yield from events_of("", [Vector(0, vector_of(document.get("embedding")))], None)


def write_answer(events: Sequence[Event], identity: Identity) -> JsonObject:
    """Times are ours: other providers say none, and load nothing."""
    texts = len(read_request(identity.asked).inputs)
    answer: dict[str, object] = {
        "model": identity.model,
        "embeddings": [as_floats(values) for values in in_order(events, texts)],
        "total_duration": round((identity.clock.monotonic() - identity.began) * NANOSECONDS),
        "load_duration": 0,
    }
    if usage := usage_of(events):
        answer["prompt_eval_count"] = usage.input_tokens
    return answer


def write_former_answer(events: Sequence[Event], _: Identity) -> JsonObject:
    return {"embedding": next(map(as_floats, in_order(events, 1)), [])}


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(string_of, list_of(value)))


CALLERS: Final[CallerSide[Texts]] = CallerSide(
    read_request, never_streamed, write_answer, LINES.content_type
)
FORMER_CALLERS: Final[CallerSide[Texts]] = CallerSide(
    read_former_request, never_streamed, write_former_answer, LINES.content_type
)
PROVIDERS: Final[ProviderSide[Texts]] = ProviderSide(
    LACKS, write_request, LINES, never_streamed, read_answer
)
FORMER_PROVIDERS: Final[ProviderSide[Texts]] = ProviderSide(
    LACKS, write_request, LINES, never_streamed, read_former_answer
)
"""Only callers of the former API are served by it, in their own words."""
