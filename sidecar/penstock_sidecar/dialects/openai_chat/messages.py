"""Messages to turns: tool results become parts of a user's turn."""

from collections.abc import Iterator
from typing import Final

from penstock_sidecar.dialects.data_url import file_of_url, image_of_url
from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.fields import objects_of, string_of
from penstock_sidecar.dialects.openai_chat.extra import signature_in
from penstock_sidecar.dialects.prompt import (
    Audio,
    File,
    Image,
    Part,
    Refusal,
    Role,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Turn,
)
from penstock_sidecar.model import JsonObject

ROLES: Final[dict[object, Role]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


def read_turns(messages: object) -> Iterator[Turn]:
    """Raises `Unspeakable` for a part that has no words elsewhere."""
    names: dict[str, str] = {}
    for index, message in objects_of(messages):
        where = f"messages[{index}]"
        role = ROLES.get(message.get("role"))
        if role is None:
            yield Turn("user", (_result(message, where, names),), where)
        elif role == "assistant":
            yield Turn(role, tuple(_answer(message, where, names)), where)
        else:
            yield Turn(role, tuple(_parts(message.get("content"), f"{where}.content")), where)


def _result(message: JsonObject, where: str, names: dict[str, str]) -> ToolResult:
    """`names` remembers which tool a call's id stands for: some know results by the name."""
    call_id = string_of(message.get("tool_call_id"))
    parts = tuple(_told(part) for part in _parts(message.get("content"), f"{where}.content"))
    name = names.get(call_id, string_of(message.get("name")))
    return ToolResult(call_id, parts, name, where=where)


def _told(part: Part) -> Text | Image | File:
    if isinstance(part, Text | Image | File):
        return part
    raise Unspeakable(part.where)


def _answer(message: JsonObject, where: str, names: dict[str, str]) -> Iterator[Part]:
    if message.get("audio") is not None:
        raise Unspeakable(f"{where}.audio")
    if thought := string_of(message.get("reasoning_content")):
        yield Thought(thought, where=f"{where}.reasoning_content")
    yield from _parts(message.get("content"), f"{where}.content")
    if signature := signature_in(message):
        yield Thought("", signature, where=f"{where}.extra_content")
    if refusal := string_of(message.get("refusal")):
        yield Refusal(refusal, f"{where}.refusal")
    for index, call in objects_of(message.get("tool_calls")):
        found = _call(call, f"{where}.tool_calls[{index}]")
        names[found.id] = found.name
        yield found
    if message.get("function_call") is not None:
        raise Unspeakable(f"{where}.function_call")


def _call(call: JsonObject, where: str) -> ToolCall:
    match call:
        case {"function": {"name": str(name), "arguments": str(arguments)}}:
            path = f"{where}.function.arguments"
            id_ = string_of(call.get("id"))
            return ToolCall(id_, name, arguments, signature_in(call), path)
        case _:
            raise Unspeakable(where)


def _parts(content: object, where: str) -> Iterator[Part]:
    if isinstance(content, str):
        if content:
            yield Text(content, where)
        return
    for index, part in objects_of(content):
        yield _part(part, f"{where}[{index}]")


def _part(part: JsonObject, where: str) -> Part:
    """Raises `Unspeakable`."""
    found = _plain(part, where) or _attached(part, where)
    if found is None:
        raise Unspeakable(where)
    return found


def _plain(part: JsonObject, where: str) -> Part | None:
    match part:
        case {"type": "text", "text": str(text)}:
            return Text(text, where)
        case {"type": "refusal", "refusal": str(text)}:
            return Refusal(text, where)
        case _:
            return None


def _attached(part: JsonObject, where: str) -> Part | None:
    match part:
        case {"type": "image_url", "image_url": str(url)}:
            return image_of_url(url, f"{where}.image_url")
        case {"type": "image_url", "image_url": {"url": str(url), **more}}:
            return image_of_url(url, f"{where}.image_url", string_of(more.get("detail")) or None)
        case {"type": "input_audio", "input_audio": {"data": str(data), "format": str(format_)}}:
            return Audio(data, format_, where)
        case {"type": "file", "file": {"file_data": str(url), **more}}:
            return file_of_url(url, string_of(more.get("filename")) or None, f"{where}.file")
        case _:
            return None
