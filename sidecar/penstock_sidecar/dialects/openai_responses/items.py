"""Input items to turns: what the model said, piece by piece, is one answer."""

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from penstock_sidecar.dialects.data_url import file_of_url, image_of_url
from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.fields import objects_of, string_of
from penstock_sidecar.dialects.openai_chat.extra import signature_in
from penstock_sidecar.dialects.openai_responses.thoughts import read_thought
from penstock_sidecar.dialects.prompt import (
    Audio,
    File,
    Image,
    Part,
    Refusal,
    Role,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from penstock_sidecar.model import JsonObject

ROLES: Final[dict[str, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
TEXTS: Final = frozenset({"input_text", "output_text", "text", "summary_text"})
Said = tuple[Role, str, tuple[Part, ...]]
"""Who, where, and what."""


def read_turns(given: object) -> Iterator[Turn]:
    """Raises `Unspeakable` for an item that has no words elsewhere."""
    if isinstance(given, str):
        yield Turn("user", (Text(given, "input"),), "input")
        return
    said = _said(given)
    for (role, _), group in groupby(said, key=_together):
        several = list(group)
        parts = tuple(part for _, _, own in several for part in own)
        yield Turn(role, parts, several[0][1])


def _together(said: Said) -> tuple[Role, str]:
    """An answer's items belong together, and so do results; other messages stay apart."""
    role, where, parts = said
    results = role == "user" and any(isinstance(part, ToolResult) for part in parts)
    return role, "" if role == "assistant" or results else where


def _said(items: object) -> Iterator[Said]:
    names: dict[str, str] = {}
    for index, item in objects_of(items):
        where = f"input[{index}]"
        match item.get("type") or "message":
            case "message":
                yield _message(item, where)
            case "function_call":
                call = _call(item, where)
                names[call.id] = call.name
                yield "assistant", where, (call,)
            case "function_call_output":
                yield "user", where, (_result(item, where, names),)
            case "reasoning":
                if thought := read_thought(item, where):
                    yield "assistant", where, (thought,)
            case _:
                raise Unspeakable(f"{where}.type")


def _message(item: JsonObject, where: str) -> Said:
    role = ROLES.get(string_of(item.get("role")))
    if role is None:
        raise Unspeakable(f"{where}.role")
    return role, where, tuple(_parts(item.get("content"), f"{where}.content"))


def _call(item: JsonObject, where: str) -> ToolCall:
    match item:
        case {"call_id": str(id_), "name": str(name), "arguments": str(arguments)}:
            return ToolCall(id_, name, arguments, signature_in(item), f"{where}.arguments")
        case _:
            raise Unspeakable(where)


def _result(item: JsonObject, where: str, names: dict[str, str]) -> ToolResult:
    """`names` remembers which tool a call's id stands for: some know results by the name."""
    call_id = string_of(item.get("call_id"))
    parts = tuple(_told(part) for part in _parts(item.get("output"), f"{where}.output"))
    return ToolResult(call_id, parts, names.get(call_id, ""), where=where)


def _told(part: Part) -> Text | Image | File:
    if isinstance(part, Text | Image | File):
        return part
    raise Unspeakable(part.where)


def _parts(content: object, where: str) -> Iterator[Part]:
    if isinstance(content, str):
        if content:
            yield Text(content, where)
        return
    for index, part in objects_of(content):
        yield _part(part, f"{where}[{index}]")


def _part(part: JsonObject, where: str) -> Part:
    match part:
        case {"type": str(kind), "text": str(text)} if kind in TEXTS:
            return Text(text, where)
        case {"type": "refusal", "refusal": str(text)}:
            return Refusal(text, where)
        case {"type": "input_image", "image_url": str(url), **more}:
            detail = string_of(more.get("detail")) or None
            return image_of_url(url, f"{where}.image_url", detail)
        case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(format_)}}:
            return Audio(data, format_, where)
        case {"type": "input_file"}:
            return _file(part, where)
        case _:
            raise Unspeakable(where)


def _file(part: JsonObject, where: str) -> File:
    name = string_of(part.get("filename")) or None
    match part:
        case {"file_data": str(data)} if not data.startswith("data:"):
            return File(data, "application/pdf", name=name, where=f"{where}.file_data")
        case {"file_data": str(url)}:
            return file_of_url(url, name, f"{where}.file_data")
        case {"file_url": str(url)}:
            return file_of_url(url, name, f"{where}.file_url")
        case _:
            raise Unspeakable(where)
