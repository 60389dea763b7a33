"""Turns to messages: alternating, results first, nothing empty, the system prompt apart.

Anthropic refuses empty texts, and tool results that do not follow their calls at once. Its own
layer for OpenAI's clients gathers system messages at the front; so do we.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Final

from penstock_sidecar.dialects.arguments import arguments_of
from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.nudge import NUDGE
from penstock_sidecar.dialects.prompt import (
    Audio,
    File,
    Image,
    Part,
    Refusal,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Turn,
)
from penstock_sidecar.dialects.signatures import google_s

PDF: Final = "application/pdf"
_NOT_IN_IDS: Final = re.compile(r"[^a-zA-Z0-9_-]")


def system_of(turns: Iterable[Turn]) -> str:
    texts = [_text(turn.parts) for turn in turns if turn.role == "system"]
    return "\n\n".join(text for text in texts if text)


def messages_of(turns: Iterable[Turn], *, nudge: bool) -> list[dict[str, object]]:
    added = (Turn("user", (Text(NUDGE),)),) if nudge else ()
    spoken = [turn for turn in (*turns, *added) if turn.role != "system"]
    messages = []
    for role, group in groupby(spoken, key=lambda turn: turn.role):
        parts = [part for turn in group for part in turn.parts]
        parts.sort(key=lambda part: not isinstance(part, ToolResult))
        if content := list(_blocks(parts)):
            messages.append({"role": role, "content": _shortest(content)})
    return messages


def _shortest(content: list[dict[str, object]]) -> object:
    """A text alone is a string."""
    match content:
        case [{"type": "text", "text": text}]:
            return text
        case _:
            return content


def _blocks(parts: Sequence[Part]) -> Iterator[dict[str, object]]:
    for part in parts:
        if block := _block(part):
            yield block


def _block(part: Part) -> dict[str, object] | None:
    match part:
        case Text(text=text) | Refusal(text=text):
            return {"type": "text", "text": text} if text.strip() else None
        case Image():
            return {"type": "image", "source": _source(part)}
        case File():
            return _document(part)
        case Audio():
            raise Unspeakable(part.where)
        case _:
            return _of_dialogue(part)


def _of_dialogue(part: Thought | ToolCall | ToolResult) -> dict[str, object] | None:
    match part:
        case Thought():
            return _thought(part)
        case ToolCall():
            return _call(part)
        case ToolResult():
            return _result(part)


def _source(part: Image | File) -> dict[str, object]:
    if part.url:
        return {"type": "url", "url": part.url}
    return {"type": "base64", "media_type": part.media_type, "data": part.data}


def _document(file: File) -> dict[str, object]:
    if not file.url and file.media_type != PDF:
        raise Unspeakable(file.where, " unless it is a PDF")
    named = {"title": file.name} if file.name else {}
    return {"type": "document", "source": _source(file), **named}


def _thought(thought: Thought) -> dict[str, object] | None:
    """Only its own, which it knows by their signature."""
    if thought.redacted:
        return {"type": "redacted_thinking", "data": thought.redacted}
    if thought.signature and not google_s(thought.signature):
        return {"type": "thinking", "thinking": thought.text, "signature": thought.signature}
    return None


def _call(call: ToolCall) -> dict[str, object]:
    arguments = arguments_of(call)
    return {"type": "tool_use", "id": _id(call.id), "name": call.name, "input": arguments}


def _result(result: ToolResult) -> dict[str, object]:
    block: dict[str, object] = {"type": "tool_result", "tool_use_id": _id(result.call_id)}
    if content := list(_blocks(result.parts)):
        block["content"] = _shortest(content)
    return block | ({"is_error": True} if result.failed else {})


def _id(id_: str) -> str:
    """Other providers' may hold what it refuses."""
    return _NOT_IN_IDS.sub("_", id_)


def _text(parts: Sequence[Part]) -> str:
    return "\n".join(part.text for part in parts if isinstance(part, Text))
