"""Which responses are fit to be kept."""

from collections.abc import Callable, Mapping
from typing import Final, cast

from penstock_sidecar.model import JsonObject, Request

Looks = Callable[[JsonObject], bool]


def is_whole(document: JsonObject, _: Request) -> bool:
    """With usage, and a text or a call in it: thoughts alone are no answer."""
    output = document.get("output")
    return (
        document.get("object") == "response"
        and document.get("status") == "completed"
        and not document.get("error")
        and isinstance(document.get("id"), str)
        and isinstance(document.get("usage"), Mapping)
        and isinstance(output, list)
        and all(_is_known(item, ITEMS) and _has_id(item) for item in output)
        and any(map(_says_something, output))
    )


def _is_known(value: object, kinds: Mapping[str, Looks]) -> bool:
    if not isinstance(value, Mapping) or not isinstance(kind := value.get("type"), str):
        return False
    looks = kinds.get(kind)
    return looks is not None and looks(value)


def _are_known(value: object, kinds: Mapping[str, Looks]) -> bool:
    """Parts of an item; there may be none."""
    return value is None or (
        isinstance(value, list) and all(_is_known(part, kinds) for part in value)
    )


def _texts(*names: str) -> Looks:
    return lambda part: all(isinstance(part.get(name), str) for name in names)


def _is_text(part: JsonObject) -> bool:
    lists = (part.get("annotations"), part.get("logprobs"))
    return isinstance(part.get("text"), str) and all(isinstance(v, list | None) for v in lists)


PARTS: Final[Mapping[str, Looks]] = {"output_text": _is_text, "refusal": _texts("refusal")}
THOUGHTS: Final[Mapping[str, Looks]] = {
    "summary_text": _texts("text"),
    "reasoning_text": _texts("text"),
}
ITEMS: Final[Mapping[str, Looks]] = {
    "message": lambda item: (
        isinstance(item.get("content"), list) and _are_known(item["content"], PARTS)
    ),
    "reasoning": lambda item: (
        _are_known(item.get("summary"), THOUGHTS) and _are_known(item.get("content"), THOUGHTS)
    ),
    "function_call": _texts("call_id", "name", "arguments"),
    "custom_tool_call": _texts("call_id", "name", "input"),
}
"""What the model says itself, and how it looks. What OpenAI's own tools have found or done is not
kept: it grows old in ways that nobody here knows."""


def _has_id(item: JsonObject) -> bool:
    """Events name it."""
    return isinstance(item.get("id"), str)


def _says_something(item: JsonObject) -> bool:
    if item["type"] == "message":
        parts = cast("list[JsonObject]", item["content"])
        return any(str(part.get("text") or part.get("refusal") or "").strip() for part in parts)
    return item["type"] != "reasoning"
