"""Which messages are fit to be kept."""

from collections.abc import Callable, Mapping
from typing import Final

from penstock_sidecar.model import JsonObject, Request

NORMAL_STOPS: Final = ("end_turn", "stop_sequence", "tool_use")
BLOCKS: Final[Mapping[object, Callable[[JsonObject], bool]]] = {
    "text": lambda block: (
        isinstance(block.get("text"), str) and isinstance(block.get("citations"), list | None)
    ),
    "thinking": lambda block: (
        isinstance(block.get("thinking"), str) and isinstance(block.get("signature"), str)
    ),
    "redacted_thinking": lambda block: isinstance(block.get("data"), str),
    "tool_use": lambda block: (
        isinstance(block.get("id"), str)
        and isinstance(block.get("name"), str)
        and isinstance(block.get("input"), Mapping)
    ),
}
"""What the model says itself, and how it looks. What Anthropic's own tools have found or done is
not kept: it grows old in ways that nobody here knows."""


def is_whole(document: JsonObject, _: Request) -> bool:
    """With usage, and a text or a call in it: thoughts alone are no answer. A container is where
    Anthropic's own tools work for one caller."""
    content = document.get("content")
    return (
        document.get("type") == "message"
        and document.get("stop_reason") in NORMAL_STOPS
        and isinstance(document.get("usage"), Mapping)
        and not document.get("container")
        and isinstance(content, list)
        and all(map(_is_known, content))
        and any(map(_says_something, content))
        and _has_its_calls(document, content)
    )


def _has_its_calls(document: JsonObject, content: list[JsonObject]) -> bool:
    """A message that ends with calls, and has none, has lost them."""
    calls = any(block["type"] == "tool_use" for block in content)
    return calls or document.get("stop_reason") != "tool_use"


def _is_known(block: object) -> bool:
    if not isinstance(block, Mapping) or not isinstance(kind := block.get("type"), str):
        return False
    looks = BLOCKS.get(kind)
    return looks is not None and looks(block)


def _says_something(block: JsonObject) -> bool:
    return block["type"] == "tool_use" or bool(str(block.get("text", "")).strip())
