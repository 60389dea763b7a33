"""`messages` of a chat request: shapes and roles, and how many images they hold."""

from dataclasses import dataclass
from typing import Final

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import JsonObject

ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
_ROLES: Final = frozenset(ROLES)
IMAGE_PARTS: Final = frozenset({"image_url", "input_image", "image"})


@dataclass(frozen=True, slots=True)
class Messages:
    """What the stages want to know of them."""

    images: int


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
    return Messages(sum(_images(message, index) for index, message in enumerate(messages)))


def _images(message: object, index: int) -> int:
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
        return 0
    if isinstance(content, list) and content:
        return sum(_is_image(part, f"{where}.content[{i}]") for i, part in enumerate(content))
    if content in (None, []) and role in {"assistant", "function"}:
        return 0
    raise MalformedRequest(
        f"`{where}.content` must be a string or a list of parts", param=f"{where}.content"
    )


def _is_image(part: object, where: str) -> bool:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise MalformedRequest(f"`{where}` must be an object with a `type`", param=where)
    kind = part["type"]
    if kind == "text" and not isinstance(part.get("text"), str):
        raise MalformedRequest(f"`{where}.text` must be a string", param=f"{where}.text")
    if kind == "image_url":
        _require_url(part.get("image_url"), f"{where}.image_url")
    return kind in IMAGE_PARTS


def _require_url(image: object, where: str) -> None:
    """`{"url": "..."}`; a bare string is no OpenAI, but several clients send it."""
    url = image.get("url") if isinstance(image, dict) else image
    if not isinstance(url, str) or not url:
        raise MalformedRequest(f"`{where}.url` must be a URL or a data URL", param=f"{where}.url")
