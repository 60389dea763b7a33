"""Output items while they are written: each knows its events, from `added` to `done`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from penstock_sidecar.dialects.events import CallPiece, RefusalPiece, TextPiece, ThoughtPiece
from penstock_sidecar.dialects.openai_chat.extra import extra_content
from penstock_sidecar.dialects.openai_responses.thoughts import sealed
from penstock_sidecar.model import JsonObject

Status = Literal["in_progress", "completed", "incomplete"]
Events = Iterator[dict[str, object]]
"""Without their sequence numbers."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands in the answer."""

    output_index: int
    item_id: str

    def fields(self) -> dict[str, object]:
        return {"item_id": self.item_id, "output_index": self.output_index}


class Item(Protocol):
    """`document` is its state now; `close` says what is left to say of its content."""

    @property
    def place(self) -> Place: ...

    def document(self, status: Status) -> dict[str, object]: ...

    def close(self) -> Events: ...


def added(item: Item) -> dict[str, object]:
    index = item.place.output_index
    document = item.document("in_progress")
    return {"type": "response.output_item.added", "output_index": index, "item": document}


def closed(item: Item, status: Status) -> Events:
    yield from item.close()
    index = item.place.output_index
    yield {
        "type": "response.output_item.done",
        "output_index": index,
        "item": item.document(status),
    }


@dataclass(slots=True, repr=False)
class Content:
    """One part of a message: a text or a refusal. Pieces are joined at the end: a long text that
    grew with each would be copied with each."""

    kind: Literal["output_text", "refusal"]
    pieces: list[str] = field(default_factory=list)
    logprobs: list[JsonObject] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def document(self) -> dict[str, object]:
        if self.kind == "refusal":
            return {"type": self.kind, "refusal": self.text}
        return {
            "type": self.kind,
            "annotations": [],
            "logprobs": list(self.logprobs),
            "text": self.text,
        }

    def done(self) -> dict[str, object]:
        if self.kind == "refusal":
            return {"type": "response.refusal.done", "refusal": self.text}
        return {
            "type": "response.output_text.done",
            "text": self.text,
            "logprobs": list(self.logprobs),
        }


@dataclass(slots=True, repr=False)
class Message:
    place: Place
    contents: list[Content] = field(default_factory=list)

    def add(self, piece: TextPiece | RefusalPiece) -> Events:
        kind: Literal["output_text", "refusal"] = (
            "output_text" if isinstance(piece, TextPiece) else "refusal"
        )
        if not self.contents or self.contents[-1].kind != kind:
            yield from self.close()
            self.contents.append(Content(kind))
            part = self.contents[-1].document()
            yield {"type": "response.content_part.added", **self._where(), "part": part}
        content = self.contents[-1]
        content.pieces.append(piece.text)
        delta = {"type": f"response.{kind}.delta", **self._where(), "delta": piece.text}
        if isinstance(piece, TextPiece):
            content.logprobs.extend(piece.logprobs)
            delta["logprobs"] = list(piece.logprobs)
        yield delta

    def close(self) -> Events:
        if self.contents:
            content = self.contents[-1]
            yield {**content.done(), **self._where()}
            part = content.document()
            yield {"type": "response.content_part.done", **self._where(), "part": part}

    def document(self, status: Status) -> dict[str, object]:
        return {
            "id": self.place.item_id,
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": [content.document() for content in self.contents],
        }

    def _where(self) -> dict[str, object]:
        return {**self.place.fields(), "content_index": len(self.contents) - 1}


@dataclass(slots=True, repr=False)
class Reasoning:
    place: Place
    pieces: list[str] = field(default_factory=list)
    signature: str | None = None
    redacted: str | None = None

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def takes(self, piece: ThoughtPiece) -> bool:
        """Whether the piece belongs to this thought."""
        return not (self.signature or self.redacted or piece.redacted)

    def add(self, piece: ThoughtPiece) -> Events:
        self.signature = piece.signature or self.signature
        self.redacted = piece.redacted or self.redacted
        if not piece.text:
            return
        name = "response.reasoning_summary"
        if not self.pieces:
            yield {"type": f"{name}_part.added", **self._where(), "part": _summary("")}
        self.pieces.append(piece.text)
        yield {"type": f"{name}_text.delta", **self._where(), "delta": piece.text}

    def close(self) -> Events:
        if self.text:
            name = "response.reasoning_summary"
            yield {"type": f"{name}_text.done", **self._where(), "text": self.text}
            yield {"type": f"{name}_part.done", **self._where(), "part": _summary(self.text)}

    def document(self, status: Status) -> dict[str, object]:
        item: dict[str, object] = {
            "id": self.place.item_id,
            "type": "reasoning",
            "summary": [_summary(self.text)] if self.text and status != "in_progress" else [],
        }
        if status != "in_progress":
            item["encrypted_content"] = sealed(self.signature, self.redacted)
        return item

    def _where(self) -> dict[str, object]:
        return {**self.place.fields(), "summary_index": 0}


@dataclass(slots=True, repr=False)
class Call:
    place: Place
    id: str
    name: str
    pieces: list[str] = field(default_factory=list)
    signature: str | None = None

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)

    def add(self, piece: CallPiece) -> Events:
        self.signature = piece.signature or self.signature
        if piece.arguments:
            self.pieces.append(piece.arguments)
            name = "response.function_call_arguments.delta"
            yield {"type": name, **self.place.fields(), "delta": piece.arguments}

    def close(self) -> Events:
        name = "response.function_call_arguments.done"
        yield {"type": name, **self.place.fields(), "arguments": self.arguments}

    def document(self, status: Status) -> dict[str, object]:
        return {
            "id": self.place.item_id,
            "type": "function_call",
            "status": status,
            "arguments": self.arguments,
            "call_id": self.id,
            "name": self.name,
            **extra_content(self.signature),
        }


def _summary(text: str) -> dict[str, object]:
    return {"type": "summary_text", "text": text}
