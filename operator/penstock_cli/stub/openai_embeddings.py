"""OpenAI's embeddings: https://platform.openai.com/docs/api-reference/embeddings."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from penstock_cli.stub import openai
from penstock_cli.stub.answer import Answer
from penstock_cli.stub.behaviour import Status
from penstock_cli.stub.steps import Send
from penstock_cli.stub.vectors import as_base64, texts_of, vector


@dataclass(frozen=True, slots=True)
class OpenAiEmbeddings:
    """A `Dialect` for one request. An `Ok` whose text is empty has no vectors."""

    texts: tuple[str, ...]
    dimensions: int | None
    encoded: bool
    """In base64."""
    STREAM_TYPE = openai.STREAM_TYPE
    PLAIN_TYPE = openai.PLAIN_TYPE
    MALFORMED = openai.MALFORMED
    IN_BAND_ERROR = openai.IN_BAND_ERROR

    @classmethod
    def of(cls, body: Mapping[str, object]) -> Self:
        size = body.get("dimensions")
        return cls(
            texts_of(body.get("input")),
            size if isinstance(size, int) else None,
            body.get("encoding_format") == "base64",
        )

    def plain(self, answer: Answer) -> bytes:
        texts = () if answer.ok.text == "" else self.texts
        tokens = answer.tokens.input
        document = {
            "object": "list",
            "data": [
                self._entry(index, text, answer.asked.model) for index, text in enumerate(texts)
            ],
            "model": answer.asked.model,
            "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
        }
        return json.dumps(document, indent=2).encode()

    def stream(self, answer: Answer) -> Iterator[Send]:
        """Neither API has one: it is whole."""
        yield Send(self.plain(answer))

    def error(self, status: Status) -> bytes:
        return openai.error(status)

    def _entry(self, index: int, text: str, model: str) -> dict[str, object]:
        numbers = vector(text, model, self.dimensions)
        values: object = as_base64(numbers) if self.encoded else numbers
        return {"object": "embedding", "index": index, "embedding": values}
