"""What a message or a delta of OpenAI's dialect says: how much, and whether it is an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Said:
    """`answer` is text, a refusal, audio or a tool call; thinking alone is not."""

    text_bytes: int
    answer: bool
    thinking: bool


NOTHING: Final = Said(0, answer=False, thinking=False)


def said(piece: object) -> Said:
    """White space counts as bytes, not as an answer."""
    if not isinstance(piece, dict):
        return NOTHING
    content, refusal = _text(piece.get("content")), _text(piece.get("refusal"))
    thought = _text(piece.get("reasoning_content")) or _text(piece.get("reasoning"))
    called = _calls(piece)
    size = _utf8_bytes(content) + _utf8_bytes(refusal) + _utf8_bytes(thought)
    size += sum(map(_function_bytes, called))
    answer = bool(called or content.strip() or refusal.strip() or piece.get("audio"))
    return Said(size, answer, bool(thought))


def _text(value: object) -> str:
    """A string, or the text within a list of parts (Mistral's thinking nests them)."""
    if value is None or isinstance(value, str):
        return value or ""
    match value:
        case list():
            return "".join(_text(part) for part in value)
        case {"text": inner} | {"thinking": inner}:
            return _text(inner)
        case _:
            return ""


def _calls(piece: Mapping[str, object]) -> list[object]:
    calls = piece.get("tool_calls")
    listed = calls if isinstance(calls, list) else []
    legacy = piece.get("function_call")
    return [*listed, {"function": legacy}] if isinstance(legacy, dict) else listed


def _function_bytes(call: object) -> int:
    match call:
        case {"function": dict(function)}:
            name, arguments = _text(function.get("name")), _text(function.get("arguments"))
            return _utf8_bytes(name) + _utf8_bytes(arguments)
        case _:
            return 0


def _utf8_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
