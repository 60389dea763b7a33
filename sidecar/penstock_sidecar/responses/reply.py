"""The whole response, in what goes by of an answer."""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.dialects.document import parse
from penstock_sidecar.dialects.openai_responses.answer import ENDS
from penstock_sidecar.model import JsonObject

MARKS: Final = tuple(f'"{name}"'.encode() for name in ENDS)
"""Which of the events hold it, without a parse of all others."""


def response_in(data: bytes, *, stream: bool) -> JsonObject | None:
    """The whole response, where this piece holds it."""
    return _in_stream(data) if stream else _parsed(data)


def _in_stream(data: bytes) -> JsonObject | None:
    if not any(mark in data for mark in MARKS):
        return None
    for line in data.splitlines():
        event = _parsed(line.removeprefix(b"data:")) if line.startswith(b"data:") else None
        match event:
            case {"type": str(kind), "response": Mapping() as response} if kind in ENDS:
                return response
            case _:
                continue
    return None


def _parsed(data: bytes) -> JsonObject | None:
    try:
        document = parse(data)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None
