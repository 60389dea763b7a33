"""The parts of a chat request's messages, with the path that names each to people."""

from collections.abc import Iterator, Mapping
from typing import Final

from penstock_sidecar.model import JsonObject

TEXT_PARTS: Final = frozenset({"text", "refusal", "thinking", "reasoning"})
IMAGE_PARTS: Final = frozenset({"image_url", "input_image", "image"})


def messages_of(document: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    for index, message in enumerate(_list(document.get("messages"))):
        if isinstance(message, Mapping):
            yield f"messages[{index}]", message


def parts_of(document: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Content that is plain text has no parts."""
    for path, message in messages_of(document):
        for index, part in enumerate(_list(message.get("content"))):
            if isinstance(part, Mapping):
                yield f"{path}.content[{index}]", part


def image_url(part: JsonObject) -> str:
    """Empty where the part has none."""
    found = part.get("image_url")
    url = found.get("url") if isinstance(found, Mapping) else found
    return url if isinstance(url, str) else ""


def kind_of(part: JsonObject) -> str:
    """Its `type`; empty where that is no string."""
    kind = part.get("type")
    return kind if isinstance(kind, str) else ""


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
