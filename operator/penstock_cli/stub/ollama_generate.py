"""Ollama's `/api/generate`: a chat's documents, the message's parts in fields of their own."""

import json
from collections.abc import Iterator
from dataclasses import replace

from penstock_cli.stub import ollama
from penstock_cli.stub.answer import Answer
from penstock_cli.stub.steps import Send

STREAM_TYPE = ollama.STREAM_TYPE
PLAIN_TYPE = ollama.PLAIN_TYPE
MALFORMED = ollama.MALFORMED
IN_BAND_ERROR = ollama.IN_BAND_ERROR
error = ollama.error


def plain(answer: Answer) -> bytes:
    return _generated(ollama.plain(answer))


def stream(answer: Answer) -> Iterator[Send]:
    for send in ollama.stream(answer):
        yield replace(send, data=_generated(send.data) + b"\n")


def _generated(data: bytes) -> bytes:
    """In the order of Go's struct, in which Ollama writes it."""
    document = json.loads(data)
    message = document.pop("message")
    said = {"response": message["content"]}
    if "thinking" in message:
        said["thinking"] = message["thinking"]
    head = {name: document.pop(name) for name in ("model", "created_at")}
    text = json.dumps({**head, **said, **document}, ensure_ascii=False, separators=(",", ":"))
    return text.encode()
