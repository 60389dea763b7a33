"""`messages` of a chat request: shapes and roles, and how many images and sounds they hold."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.metering.parts import IMAGE_PARTS, TEXT_PARTS, image_url
from penstock_sidecar.model import JsonObject

ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
_ROLES: Final = frozenset(ROLES)
AUDIO_PARTS: Final = frozenset({"input_audio", "audio", "audio_url"})


@dataclass(frozen=True, slots=True)
class Messages:
    """What the stages want to know of them."""

    images: int
    audio: int
    inline_bytes: int
    """Of pictures that came along."""
    text_only: bool


PLAIN: Final = Messages(images=0, audio=0, inline_bytes=0, text_only=True)
"""Of texts alone."""


def read_messages(document: JsonObject) -> Messages:
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
    parts = [part for i, message in enumerate(messages) for part in _parts(message, i)]
    if not parts:
        return PLAIN
    kinds = Counter(kind for kind, _ in parts)
    return Messages(
        images=sum(kinds[kind] for kind in IMAGE_PARTS),
        audio=sum(kinds[kind] for kind in AUDIO_PARTS),
        inline_bytes=sum(_inline_bytes(part) for kind, part in parts if kind in IMAGE_PARTS),
        text_only=kinds.keys() <= TEXT_PARTS,
    )


def _parts(message: object, index: int) -> Sequence[tuple[str, JsonObject]]:
    """The message's parts with their types; none where it is a plain text."""
    where = f"messages[{index}]"
    if not isinstance(message, dict):
        raise MalformedRequest(f"`{where}` must be an object", param=where)
    role = message.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise MalformedRequest(
            f"`{where}.role` must be one of {', '.join(ROLES)}", param=f"{where}.role"
        )
    content = message.get("content")
    if isinstance(content, str):
        return ()
    if isinstance(content, list) and content:
        return [_checked(part, f"{where}.content[{i}]") for i, part in enumerate(content)]
    if content in (None, []) and role in {"assistant", "function"}:
        return ()
    raise MalformedRequest(
        f"`{where}.content` must be a string or a list of parts", param=f"{where}.content"
    )


def _checked(part: object, where: str) -> tuple[str, JsonObject]:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise MalformedRequest(f"`{where}` must be an object with a `type`", param=where)
    kind: str = part["type"]
    if kind == "text" and not isinstance(part.get("text"), str):
        raise MalformedRequest(f"`{where}.text` must be a string", param=f"{where}.text")
    if kind == "image_url":
        _require_url(part.get("image_url"), f"{where}.image_url")
    return kind, part


def _inline_bytes(part: JsonObject) -> int:
    url = image_url(part)
    return len(url) if url.startswith("data:") else 0


def _require_url(image: object, where: str) -> None:
    """`{"url": "..."}`; a bare string is no OpenAI, but several clients send it."""
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str) or not url:
        raise MalformedRequest(f"`{where}.url` must be a URL or a data URL", param=f"{where}.url")
