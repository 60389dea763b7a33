"""`input` of a response request: shapes and roles, and what its parts are."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.metering.parts import image_url, kind_of
from penstock_sidecar.model import JsonObject

ROLES: Final = ("system", "developer", "user", "assistant")
_ROLES: Final = frozenset(ROLES)
TEXT_KINDS: Final = frozenset({"input_text", "output_text", "refusal", "summary_text", "text"})
IMAGE: Final = "input_image"
AUDIO: Final = "input_audio"
HOLDERS: Final = ("content", "output")
"""Fields of an item that may hold parts: a message's, and a result's."""


@dataclass(frozen=True, slots=True)
class Input:
    """What the stages want to know of it."""

    images: int
    audio: int
    inline_bytes: int
    """Of pictures that came along."""
    text_only: bool


def items_of(document: JsonObject) -> Sequence[object]:
    """A text is one message of the user's."""
    match document.get("input"):
        case str(text):
            return [{"role": "user", "content": text}]
        case [*items]:
            return items
        case _:
            return ()


def read_input(document: JsonObject) -> Input:
    """Raises `MalformedRequest`."""
    given = document.get("input")
    if not (given is None or isinstance(given, str) or (isinstance(given, list) and given)):
        raise MalformedRequest(
            "`input` must be a text, or a list with at least one item", param="input"
        )
    parts = [part for i, item in enumerate(items_of(document)) for part in _parts(item, i)]
    kinds = Counter(kind_of(part) for part in parts)
    urls = (image_url(part) for part in parts if kind_of(part) == IMAGE)
    return Input(
        images=kinds[IMAGE],
        audio=kinds[AUDIO],
        inline_bytes=sum(len(url) for url in urls if url.startswith("data:")),
        text_only=kinds.keys() <= TEXT_KINDS,
    )


def _parts(item: object, index: int) -> Iterator[JsonObject]:
    where = f"input[{index}]"
    if not isinstance(item, dict):
        raise MalformedRequest(f"`{where}` must be an object", param=where)
    if item.get("type") in (None, "message"):
        _require_message(item, where)
    for name in HOLDERS:
        held = item.get(name)
        for place, part in enumerate(held if isinstance(held, list) else ()):
            yield _checked(part, f"{where}.{name}[{place}]")


def _require_message(item: JsonObject, where: str) -> None:
    role = item.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise MalformedRequest(
            f"`{where}.role` must be one of {', '.join(ROLES)}", param=f"{where}.role"
        )
    if not isinstance(item.get("content"), str | list):
        raise MalformedRequest(
            f"`{where}.content` must be a string or a list of parts", param=f"{where}.content"
        )


def _checked(part: object, where: str) -> JsonObject:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        raise MalformedRequest(f"`{where}` must be an object with a `type`", param=where)
    if part["type"] in TEXT_KINDS - {"refusal"} and not isinstance(part.get("text"), str):
        raise MalformedRequest(f"`{where}.text` must be a string", param=f"{where}.text")
    return part
