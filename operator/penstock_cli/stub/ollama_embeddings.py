"""Ollama's embeddings, today's and the former: docs/api.md of ollama/ollama (0.12)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from penstock_cli.stub import ollama
from penstock_cli.stub.answer import Answer
from penstock_cli.stub.behaviour import Status
from penstock_cli.stub.steps import Send
from penstock_cli.stub.vectors import texts_of, vector


@dataclass(frozen=True, slots=True)
class OllamaEmbeddings:
    """A `Dialect` for one request. An `Ok` whose text is empty has no vectors."""

    texts: tuple[str, ...]
    dimensions: int | None = None
    former: bool = False
    """As `/api/embeddings` answers: one vector, and no tokens are counted."""
    STREAM_TYPE = ollama.STREAM_TYPE
    PLAIN_TYPE = ollama.PLAIN_TYPE
    MALFORMED = ollama.MALFORMED
    IN_BAND_ERROR = ollama.IN_BAND_ERROR

    @classmethod
    def of(cls, body: Mapping[str, object]) -> Self:
        size = body.get("dimensions")
        return cls(texts_of(body.get("input")), size if isinstance(size, int) else None)

    @classmethod
    def of_former(cls, body: Mapping[str, object]) -> Self:
        return cls(texts_of(body.get("prompt")), former=True)

    def plain(self, answer: Answer) -> bytes:
        texts = () if answer.ok.text == "" else self.texts
        model = answer.asked.model
        vectors = [vector(text, model, self.dimensions) for text in texts]
        if self.former:
            return _json({"embedding": vectors[0] if vectors else []})
        document = {
            "model": model,
            "embeddings": vectors,
            "total_duration": 14_143_917,
            "load_duration": 1_019_500,
            "prompt_eval_count": answer.tokens.input,
        }
        return _json(document)

    def stream(self, answer: Answer) -> Iterator[Send]:
        """Neither API has one: it is whole."""
        yield Send(self.plain(answer))

    def error(self, status: Status) -> bytes:
        return ollama.error(status)


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
