"""From the events of a stream to the message, as Anthropic's own clients put it together."""

from dataclasses import dataclass, field
from typing import Final

import orjson

from penstock_sidecar.cache.forms.form import NotUnderstood
from penstock_sidecar.cache.forms.pieces import (
    MAX_PARTS,
    Frames,
    list_in,
    object_in,
    parsed,
    require,
    text_in,
)
from penstock_sidecar.dialects.anthropic.reply import usage_document
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.model import JsonObject, Usage

TOLD: Final = ("text", "thinking", "redacted_thinking", "tool_use")
"""Blocks whose deltas are known."""


@dataclass(slots=True)
class Assembly:
    """Events go in, one message comes out."""

    size_bytes: int = 0
    _frames: Frames = field(default_factory=lambda: Frames(SSE))
    _message: dict[str, object] = field(default_factory=dict)
    _usage: dict[str, object] = field(default_factory=dict)
    _blocks: list["_Block"] = field(default_factory=list)

    def add(self, data: bytes) -> None:
        for event in self._frames.documents(data):
            self.size_bytes += self._add(event)

    def document(self, usage: Usage) -> dict[str, object]:
        self._frames.end()
        return {
            **self._message,
            "content": [block.document() for block in self._blocks],
            "usage": self._usage or usage_document(usage),
        }

    def _add(self, event: JsonObject) -> int:
        """Says how many characters are held of it."""
        match event.get("type"):
            case "message_start":
                return self._start(object_in(event.get("message")))
            case "content_block_start":
                return self._begin(event)
            case "content_block_delta":
                return self._block(event).add(object_in(event.get("delta")))
            case "message_delta":
                return self._end(event)
            case "content_block_stop" | "message_stop" | "ping":
                return 0
            case _:
                raise NotUnderstood

    def _start(self, message: JsonObject) -> int:
        require(not self._message and message.get("content") == [])
        self._message = {name: value for name, value in message.items() if name != "usage"}
        self._count(message.get("usage"))
        return len(orjson.dumps(message))

    def _begin(self, event: JsonObject) -> int:
        """One after the other."""
        require(event.get("index") == len(self._blocks) < MAX_PARTS)
        block = object_in(event.get("content_block"))
        self._blocks.append(_Block.begun(block))
        return len(orjson.dumps(block))

    def _block(self, event: JsonObject) -> "_Block":
        index = event.get("index")
        if type(index) is not int or not 0 <= index < len(self._blocks):
            raise NotUnderstood
        return self._blocks[index]

    def _end(self, event: JsonObject) -> int:
        """Its fields are the message's."""
        said = {name: v for name, v in event.items() if name not in {"type", "delta", "usage"}}
        said |= object_in(event.get("delta"))
        require("content" not in said and "usage" not in said)
        self._message |= {name: value for name, value in said.items() if value is not None}
        self._count(event.get("usage"))
        return len(orjson.dumps(said))

    def _count(self, usage: object) -> None:
        """Counts are cumulative: the last that says something holds."""
        said = object_in(usage or {})
        self._usage |= {name: value for name, value in said.items() if value is not None}


@dataclass(slots=True)
class _Block:
    _kind: str
    _fields: dict[str, object]
    """As it began."""
    _pieces: list[str] = field(default_factory=list)
    """Of its text, its thought, or the JSON of its input."""
    _citations: list[object] = field(default_factory=list)

    @classmethod
    def begun(cls, block: JsonObject) -> "_Block":
        kind = text_in(block.get("type"))
        require(kind in TOLD)
        return cls(kind, dict(block))

    def add(self, delta: JsonObject) -> int:
        match self._kind, delta:
            case "text", {"type": "text_delta", "text": str(piece)}:
                self._pieces.append(piece)
            case "text", {"type": "citations_delta", "citation": citation}:
                self._citations.append(object_in(citation))
                return len(orjson.dumps(citation))
            case "thinking", {"type": "thinking_delta", "thinking": str(piece)}:
                self._pieces.append(piece)
            case "thinking", {"type": "signature_delta", "signature": str(piece)}:
                self._fields["signature"] = piece
            case "tool_use", {"type": "input_json_delta", "partial_json": str(piece)}:
                self._pieces.append(piece)
            case _:
                raise NotUnderstood
        return len(piece)

    def document(self) -> dict[str, object]:
        told = "".join(self._pieces)
        match self._kind:
            case "text" | "thinking" as name:
                said: dict[str, object] = {name: text_in(self._fields.get(name)) + told}
            case "tool_use" if told.strip():
                require(not self._fields.get("input"))
                said = {"input": parsed(told.encode("utf-8", "surrogatepass"))}
            case _:
                said = {}
        if self._citations:
            said["citations"] = [*list_in(self._fields.get("citations") or []), *self._citations]
        return {**self._fields, **said}
