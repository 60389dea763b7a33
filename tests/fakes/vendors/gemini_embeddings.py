"""Google's batchEmbedContents: https://ai.google.dev/api/embeddings, PyPI's google-genai 3.4."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from penstock_cli.stub import Status
from penstock_cli.stub.answer import Answer
from penstock_cli.stub.steps import Send
from penstock_cli.stub.vectors import vector

MOST: Final = 100
REQUEST: Final = frozenset({"model", "content", "taskType", "title", "outputDimensionality"})
TASKS: Final = frozenset(
    "SEMANTIC_SIMILARITY CLASSIFICATION CLUSTERING RETRIEVAL_DOCUMENT RETRIEVAL_QUERY"  # noqa: SIM905  # words
    " QUESTION_ANSWERING FACT_VERIFICATION CODE_RETRIEVAL_QUERY".split()
)
Json = Mapping[str, Any]


def complaint(body: Json, model: str) -> str | None:
    """The first, in its words."""
    return next(_complaints(body, model), None)


@dataclass(frozen=True, slots=True)
class GeminiEmbeddings:
    """A `Dialect` for one request. An `Ok` whose text is empty has
    no vectors."""

    requests: tuple[Json, ...]
    STREAM_TYPE = "application/json; charset=UTF-8"
    PLAIN_TYPE = "application/json; charset=UTF-8"
    MALFORMED = b'{"embeddings": [{"val'
    IN_BAND_ERROR = b'{"error": {"code": 503, "status": "UNAVAILABLE"}}'

    @classmethod
    def of(cls, body: Json) -> Self:
        return cls(tuple(body.get("requests", ())))

    def plain(self, answer: Answer) -> bytes:
        """It counts no tokens."""
        requests = () if answer.ok.text == "" else self.requests
        vectors = [
            vector(_text(request), answer.asked.model, request.get("outputDimensionality"))
            for request in requests
        ]
        return json.dumps({"embeddings": [{"values": each} for each in vectors]}, indent=2).encode()

    def stream(self, answer: Answer) -> Iterator[Send]:
        """It has none: it is whole."""
        yield Send(self.plain(answer))

    def error(self, status: Status) -> bytes:
        error = {"code": status.code, "message": status.message or "", "status": status.error_type}
        return json.dumps({"error": error}, indent=2).encode()


def _complaints(body: Json, model: str) -> Iterator[str]:
    for name in body.keys() - {"requests"}:
        yield f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.'
    requests = body.get("requests", [])
    if len(requests) > MOST:
        yield ("* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch\n")
    for place, request in enumerate(requests):
        where = f"requests[{place}]"
        for name in request.keys() - REQUEST:
            yield f"Invalid JSON payload received. Unknown name \"{name}\" at '{where}'"
        if request.get("model") != f"models/{model}":
            yield f"* BatchEmbedContentsRequest.{where}.model: must match the batch's model"
        if request.get("taskType", "CLUSTERING") not in TASKS:
            yield f"Invalid value at '{where}.task_type'"
        if not isinstance(_text(request), str):
            yield f"* BatchEmbedContentsRequest.{where}.content: contents is not specified"


def _text(request: Json) -> Any:
    match request.get("content"):
        case {"parts": [{"text": text}]}:
            return text
        case _:
            return None
