"""`system` and `messages` of Anthropic's requests: shapes and roles, and how many pictures."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import JsonObject

ROLES: Final = ("user", "assistant", "system")
PICTURE: Final = "image"
DOCUMENT: Final = "document"
TOOL_RESULT: Final = "tool_result"


@dataclass(frozen=True, slots=True)
class Blocks:
    """What the stages want to know of them."""

    images: int
    inline_bytes: int
    """Of pictures that came along."""
    text_only: bool
    audio: int = 0
    """There is no sound in this dialect."""


def read_blocks(document: JsonObject) -> Blocks:
    """Raises `MalformedRequest`."""
    _text_or_blocks(document.get("system") or [], "system")
    messages = document.get("messages")
    if messages is None:
        raise MalformedRequest(
            "`messages` is missing: send a list of messages with `role` and `content`",
            param="messages",
        )
    if not isinstance(messages, list) or not messages:
        raise MalformedRequest(
            "`messages` must be a list with at least one message", param="messages"
        )
    blocks = [block for i, message in enumerate(messages) for block in _of(message, i)]
    pictures = [block for block in blocks if block["type"] == PICTURE]
    return Blocks(
        images=len(pictures),
        inline_bytes=sum(map(_inline_bytes, pictures)),
        text_only=not pictures and all(block["type"] != DOCUMENT for block in blocks),
    )


def _of(message: object, index: int) -> Iterator[JsonObject]:
    where = f"messages[{index}]"
    if not isinstance(message, dict):
        raise MalformedRequest(f"`{where}` must be an object", param=where)
    if message.get("role") not in ROLES:
        raise MalformedRequest(
            f"`{where}.role` must be one of {', '.join(ROLES)}", param=f"{where}.role"
        )
    yield from _nested(message.get("content"), f"{where}.content")


def _nested(content: object, where: str) -> Iterator[JsonObject]:
    """Blocks, and those within results and documents of blocks."""
    for index, block in enumerate(_text_or_blocks(content, where)):
        yield block
        if block["type"] == TOOL_RESULT and block.get("content") is not None:
            yield from _nested(block["content"], f"{where}[{index}].content")
        source = block.get("source")
        if block["type"] == DOCUMENT and isinstance(source, dict) and "content" in source:
            yield from _nested(source["content"], f"{where}[{index}].source.content")


def _text_or_blocks(content: object, where: str) -> list[JsonObject]:
    """No block where it is a plain text."""
    if isinstance(content, str):
        return []
    if not isinstance(content, list):
        raise MalformedRequest(f"`{where}` must be a string or a list of blocks", param=where)
    for index, block in enumerate(content):
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            place = f"{where}[{index}]"
            raise MalformedRequest(f"`{place}` must be an object with a `type`", param=place)
        if block["type"] == "text" and not isinstance(block.get("text"), str):
            place = f"{where}[{index}].text"
            raise MalformedRequest(f"`{place}` must be a string", param=place)
    return content


def _inline_bytes(picture: JsonObject) -> int:
    source = picture.get("source")
    data = source.get("data") if isinstance(source, dict) else None
    return len(data) if isinstance(data, str) else 0
