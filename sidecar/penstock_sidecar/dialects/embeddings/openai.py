"""OpenAI's embeddings: https://platform.openai.com/docs/api-reference/embeddings."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, cast

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
    model_of,
    never_streamed,
    usage_of,
)
from penstock_sidecar.dialects.embeddings.vectors import Values, as_base64, as_floats, vector_of
from penstock_sidecar.dialects.events import Event, Vector
from penstock_sidecar.dialects.features import Feature, Lacks
from penstock_sidecar.dialects.fields import (
    integer_field,
    list_of,
    object_of,
    refuse_unknown,
    string_of,
)
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.dialects.texts import Input, Task, Texts
from penstock_sidecar.dialects.usage import usage_of_embeddings
from penstock_sidecar.model import JsonObject

MOST_INPUTS: Final = 2048
LACKS: Final = Lacks(
    refused=frozenset({Feature.TASK}),
    dropped=frozenset({Feature.CUT}),
    most_inputs=MOST_INPUTS,
)
"""It never cuts: whoever sends too much is told so."""
SPELLED: Final = {"inputs": "input", "task": "input_type"}
TRANSLATED: Final = frozenset({"model", "input", "dimensions", "encoding_format", "user"})
HARMLESS: Final = frozenset({"metadata", "safety_identifier", "keep_alive"})
"""Speak of bookkeeping; how long a model stays loaded is the platform's to say."""
TASKS: Final[Mapping[str, Task]] = {
    "query": "query",
    "search_query": "query",
    "document": "document",
    "passage": "document",
    "search_document": "document",
    "classification": "classification",
    "clustering": "clustering",
}
"""`input_type`, which OpenAI has not; Cohere, NVIDIA and Voyage have."""


def read_request(document: JsonObject) -> Texts:
    """Raises `Unspeakable`."""
    refuse_unknown(document, TRANSLATED | {"input_type"}, HARMLESS)
    if document.get("encoding_format") not in (None, "float", "base64"):
        raise Unspeakable("encoding_format", " unless it is `float` or `base64`")
    return Texts(
        inputs=_inputs(document.get("input")),
        dimensions=integer_field(document, "dimensions"),
        task=_task(document.get("input_type")),
        user=string_of(document.get("user")) or None,
        spelled=SPELLED,
    )


def write_request(texts: Texts, ask: Ask) -> dict[str, object]:
    """Numbers are what absence of `encoding_format` means; not all know the word `float`."""
    body: dict[str, object] = {"model": ask.model, "input": list(texts.inputs)}
    if texts.dimensions is not None:
        body["dimensions"] = texts.dimensions
    if texts.user is not None:
        body["user"] = texts.user
    return {name: value for name, value in body.items() if name not in ask.quirks.drops}


def read_answer(document: JsonObject) -> Iterator[Event]:
    if error := document.get("error"):
        raise SaidError(error)
    if not isinstance(document.get("data"), list):
        raise Garbled("answered with what is no list of embeddings")
    entries = enumerate(list_of(document["data"]))
    vectors = [_vector(place, object_of(entry)) for place, entry in entries]
    usage = usage_of_embeddings(document.get("usage"))
    yield from events_of(string_of(document.get("model")), vectors, usage)


def write_answer(events: Sequence[Event], identity: Identity) -> JsonObject:
    spell = as_base64 if identity.asked.get("encoding_format") == "base64" else as_floats
    texts = len(_inputs(identity.asked.get("input")))
    vectors: list[Values] = [spell(values) for values in in_order(events, texts)]
    answer: dict[str, object] = {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": values}
            for index, values in enumerate(vectors)
        ],
        "model": model_of(events) or identity.model,
    }
    if usage := usage_of(events):
        tokens = usage.input_tokens
        answer["usage"] = {"prompt_tokens": tokens, "total_tokens": tokens}
    return answer


def _task(value: object) -> Task | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in TASKS:
        raise Unspeakable("input_type")
    return TASKS[value]


def _inputs(value: object) -> tuple[Input, ...]:
    """One text, several, one list of tokens, or several."""
    match value:
        case str():
            return (value,)
        case [int(), *_]:
            return (cast("Sequence[int]", value),)
        case list():
            return tuple(value)
        case _:
            raise Unspeakable("input")


def _vector(place: int, entry: JsonObject) -> Vector:
    """Some servers leave out the index."""
    index = entry.get("index")
    return Vector(index if isinstance(index, int) else place, vector_of(entry.get("embedding")))


CALLERS: Final[CallerSide[Texts]] = CallerSide(
    read_request, never_streamed, write_answer, SSE.content_type
)
PROVIDERS: Final[ProviderSide[Texts]] = ProviderSide(
    LACKS, write_request, SSE, never_streamed, read_answer
)
