"""Messages to turns: tool results find their calls, which often have no ids here."""

from collections.abc import Iterator, Mapping
from typing import Final

import orjson

from penstock_sidecar.dialects.dialect import Odd, Unspeakable
from penstock_sidecar.dialects.fields import list_of, objects_of, string_of
from penstock_sidecar.dialects.ollama.pictures import media_type_of
from penstock_sidecar.dialects.prompt import (
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

ROLES: Final[Mapping[str, Role]] = {"system": "system", "user": "user", "assistant": "assistant"}
"""`tool` is the fourth. Case does not matter."""


def read_turns(messages: object) -> Iterator[Turn]:
    """Raises `Unspeakable` for a message that has no words elsewhere."""
    calls = _OpenCalls()
    for index, message in objects_of(messages):
        where = f"messages[{index}]"
        role = string_of(message.get("role")).lower()
        if role == "tool":
            yield Turn("user", (calls.result(message, where),), where)
        elif role not in ROLES:
            raise Odd(f"{where}.role", f"one of {', '.join((*ROLES, 'tool'))}")
        else:
            yield Turn(ROLES[role], (*said(message, where), *calls.made(message, index)), where)


def said(message: JsonObject, where: str) -> Iterator[Text | Image | Thought]:
    """Pictures come before the text, as Ollama shows them to a model."""
    if thought := string_of(message.get("thinking")):
        yield Thought(thought, where=f"{where}.thinking")
    yield from read_images(message, where)
    if text := string_of(message.get("content")):
        yield Text(text, f"{where}.content")


def read_images(holder: JsonObject, where: str = "") -> Iterator[Image]:
    """Raises `Unspeakable` for data that is no picture which others take."""
    for index, data in enumerate(list_of(holder.get("images"))):
        path = f"{where}.images[{index}]" if where else f"images[{index}]"
        media_type = media_type_of(string_of(data))
        if media_type is None:
            raise Unspeakable(path, " unless it is a PNG, JPEG, GIF or WebP picture")
        yield Image(string_of(data), media_type, where=path)


class _OpenCalls:
    """Calls that no result has answered yet, by id, in their order."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def made(self, message: JsonObject, index: int) -> Iterator[ToolCall]:
        """A call without an id gets one, the same whenever the conversation is sent."""
        for place, call in objects_of(message.get("tool_calls")):
            where = f"messages[{index}].tool_calls[{place}].function"
            match call:
                case {"function": {"name": str(name), **function}}:
                    id_ = string_of(call.get("id")) or f"call_{index}_{place}"
                    self._names[id_] = name
                    arguments = _arguments(function.get("arguments"), f"{where}.arguments")
                    yield ToolCall(id_, name, arguments, where=f"{where}.arguments")
                case _:
                    raise Unspeakable(where)

    def result(self, message: JsonObject, where: str) -> ToolResult:
        call_id, name = self._answered(message, where)
        parts: tuple[Part, ...] = tuple(said(message, where))
        told = tuple(part for part in parts if isinstance(part, Text | Image))
        return ToolResult(call_id, told, name, where=where)

    def _answered(self, message: JsonObject, where: str) -> tuple[str, str]:
        """By its id; else the first open call of the tool's name; else the first open one."""
        call_id, name = string_of(message.get("tool_call_id")), string_of(message.get("tool_name"))
        if call_id:
            return call_id, self._names.pop(call_id, name)
        for id_, called in self._names.items():
            if name in {called, ""}:
                return id_, self._names.pop(id_)
        raise Unspeakable(where, " unless it answers a call before it")


def _arguments(value: object, where: str) -> str:
    if value is None:
        return "{}"
    if not isinstance(value, Mapping):
        raise Unspeakable(where, " unless they are a JSON object")
    return orjson.dumps(value).decode()
