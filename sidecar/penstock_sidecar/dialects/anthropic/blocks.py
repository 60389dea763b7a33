"""Messages to turns: blocks of text, pictures, documents, thoughts, tool calls and their results.

What belongs to a tool that runs at Anthropic has no words elsewhere, nor has a file kept there.
Marks for its cache are left out: they change the bill, not the answer.
"""

from collections.abc import Iterator

import orjson

from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.fields import object_of, objects_of, string_of
from penstock_sidecar.dialects.prompt import (
    File,
    Image,
    Part,
    Role,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Turn,
)
from penstock_sidecar.model import JsonObject

ROLES: dict[object, Role] = {"system": "system", "assistant": "assistant"}


def read_turns(document: JsonObject) -> Iterator[Turn]:
    """The system prompt first. Raises `Unspeakable` for a block that has no words elsewhere."""
    if system := tuple(parts_of(document.get("system"), "system")):
        yield Turn("system", system, "system")
    names: dict[str, str] = {}
    for index, message in objects_of(document.get("messages")):
        where = f"messages[{index}]"
        parts = tuple(parts_of(message.get("content"), f"{where}.content"))
        names |= {part.id: part.name for part in parts if isinstance(part, ToolCall)}
        role = ROLES.get(message.get("role"), "user")
        yield Turn(role, tuple(_with_name(part, names) for part in parts), where)


def parts_of(content: object, where: str) -> Iterator[Part]:
    if isinstance(content, str):
        if content:
            yield Text(content, where)
        return
    for index, block in objects_of(content):
        yield from _parts(block, f"{where}[{index}]")


def _with_name(part: Part, names: dict[str, str]) -> Part:
    """Some know results by the tool's name."""
    if not isinstance(part, ToolResult):
        return part
    name = names.get(part.call_id, "")
    return ToolResult(part.call_id, part.parts, name, part.failed, part.where)


def _parts(block: JsonObject, where: str) -> Iterator[Part]:
    match block:
        case {"type": "text", "text": str(text)}:
            yield Text(text, where)
        case {"type": "image", "source": dict(source)}:
            yield _image(source, f"{where}.source")
        case {"type": "document", "source": dict(source)}:
            yield from _document(block, source, where)
        case {"type": "search_result"}:
            yield _search_result(block, where)
        case _:
            yield _said(block, where)


def _said(block: JsonObject, where: str) -> Part:
    """What stands in an answer, and what came of it."""
    match block:
        case {"type": "thinking", "thinking": str(text)}:
            return Thought(text, string_of(block.get("signature")) or None, where=where)
        case {"type": "redacted_thinking", "data": str(data)}:
            return Thought("", redacted=data, where=where)
        case {"type": "tool_use", "id": str(id_), "name": str(name)}:
            arguments = orjson.dumps(object_of(block.get("input"))).decode()
            return ToolCall(id_, name, arguments, where=f"{where}.input")
        case {"type": "tool_result", "tool_use_id": str(call_id)}:
            parts = parts_of(block.get("content"), f"{where}.content")
            told = tuple(_told(part) for part in parts)
            return ToolResult(call_id, told, failed=block.get("is_error") is True, where=where)
        case _:
            raise Unspeakable(where)


def _told(part: Part) -> Text | Image | File:
    if isinstance(part, Text | Image | File):
        return part
    raise Unspeakable(part.where)


def _image(source: JsonObject, where: str) -> Image:
    match source:
        case {"type": "base64", "media_type": str(media_type), "data": str(data)}:
            return Image(data, media_type, where=where)
        case {"type": "url", "url": str(url)}:
            return Image(url=url, where=where)
        case _:
            raise Unspeakable(where)


def _document(block: JsonObject, source: JsonObject, where: str) -> Iterator[Part]:
    """Text stays text: few providers take it as a file."""
    if object_of(block.get("citations")).get("enabled") is True:
        raise Unspeakable(f"{where}.citations")
    name = string_of(block.get("title")) or None
    where = f"{where}.source"
    match source:
        case {"type": "base64", "media_type": str(media_type), "data": str(data)}:
            yield File(data, media_type, name=name, where=where)
        case {"type": "url", "url": str(url)}:
            yield File(url=url, name=name, where=where)
        case {"type": "text", "data": str(text)}:
            yield Text(f"{name}\n{text}" if name else text, where)
        case {"type": "content"}:
            yield from parts_of(source.get("content"), f"{where}.content")
        case _:
            raise Unspeakable(where)


def _search_result(block: JsonObject, where: str) -> Text:
    head = [string_of(block.get(name)) for name in ("title", "source")]
    texts = [string_of(part.get("text")) for _, part in objects_of(block.get("content"))]
    return Text("\n".join([*head, *texts]), where)
