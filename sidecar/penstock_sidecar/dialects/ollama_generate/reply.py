"""Writes answers: those of a chat, but for where the text is. No tools can be asked for here."""

from collections.abc import Sequence

from penstock_sidecar.dialects.dialect import Identity
from penstock_sidecar.dialects.events import Event
from penstock_sidecar.dialects.ollama.reply import OllamaWriter, Said, write_answer
from penstock_sidecar.model import JsonObject


def response_fields(said: Said) -> JsonObject:
    thinking = {"thinking": said["thinking"]} if "thinking" in said else {}
    return {"response": said["content"], **thinking}


class GenerateWriter(OllamaWriter):
    """Of a stream."""

    def __init__(self, identity: Identity) -> None:
        super().__init__(identity, response_fields)


def write_generated(events: Sequence[Event], identity: Identity) -> JsonObject:
    return write_answer(events, identity, response_fields)
