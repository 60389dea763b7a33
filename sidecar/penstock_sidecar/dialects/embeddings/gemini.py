"""Gemini's embeddings, asked for in one batch: https://ai.google.dev/api/embeddings."""

from collections.abc import Iterator, Mapping
from typing import Final

from penstock_sidecar.dialects.dialect import Ask, Garbled, ProviderSide, SaidError
from penstock_sidecar.dialects.embeddings.answer import events_of, never_streamed
from penstock_sidecar.dialects.embeddings.vectors import vector_of
from penstock_sidecar.dialects.events import Event, Vector
from penstock_sidecar.dialects.features import Feature, Lacks
from penstock_sidecar.dialects.fields import list_of, object_of
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.dialects.texts import Task, Texts
from penstock_sidecar.dialects.usage import usage_of_gemini
from penstock_sidecar.model import JsonObject

MOST_INPUTS: Final = 100
LACKS: Final = Lacks(
    refused=frozenset({Feature.COUNTED, Feature.UNCUT}),
    dropped=frozenset({Feature.USER}),
    most_inputs=MOST_INPUTS,
)
"""It cuts what is too long, and says nothing."""
TASKS: Final[Mapping[Task, str]] = {
    "query": "RETRIEVAL_QUERY",
    "document": "RETRIEVAL_DOCUMENT",
    "classification": "CLASSIFICATION",
    "clustering": "CLUSTERING",
}


def path(ask: Ask) -> str:
    return f"/{_name(ask)}:batchEmbedContents"


def write_request(texts: Texts, ask: Ask) -> dict[str, object]:
    return {"requests": [_request(text, texts, ask) for text in texts.inputs]}


def read_answer(document: JsonObject) -> Iterator[Event]:
    """Its usage is not among what the API describes; where it is there, it counts."""
    if error := document.get("error"):
        raise SaidError(error)
    if not isinstance(document.get("embeddings"), list):
        raise Garbled("answered with what is no list of embeddings")
    values = [object_of(entry).get("values") for entry in list_of(document["embeddings"])]
    vectors = [Vector(place, vector_of(each)) for place, each in enumerate(values)]
    usage = usage_of_gemini(object_of(document.get("usageMetadata")))
    yield from events_of("", vectors, usage)


def _request(text: object, texts: Texts, ask: Ask) -> dict[str, object]:
    request: dict[str, object] = {"model": _name(ask), "content": {"parts": [{"text": text}]}}
    if texts.task is not None:
        request["taskType"] = TASKS[texts.task]
    if texts.dimensions is not None:
        request["outputDimensionality"] = texts.dimensions
    return request


def _name(ask: Ask) -> str:
    """Of the model as a resource."""
    return ask.model if ask.model.startswith("models/") else f"models/{ask.model}"


PROVIDERS: Final[ProviderSide[Texts]] = ProviderSide(
    LACKS, write_request, SSE, never_streamed, read_answer
)
