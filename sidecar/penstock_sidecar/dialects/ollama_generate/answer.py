"""Reads answers: those of a chat, but for where the text is."""

from collections.abc import Iterator

from penstock_sidecar.dialects.events import Event
from penstock_sidecar.dialects.ollama.answer import OllamaReader, read_answer
from penstock_sidecar.model import JsonObject


def message_of(document: JsonObject) -> JsonObject | None:
    if not isinstance(document.get("response"), str):
        return None
    return {**document, "content": document["response"]}


class GenerateReader(OllamaReader):
    """Of a stream."""

    def __init__(self, choices: int) -> None:
        super().__init__(choices, message_of)


def read_generated(document: JsonObject) -> Iterator[Event]:
    return read_answer(document, message_of)
