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
    spoken = [_text(piece.get("content")), _text(piece.get("refusal"))]
    thought = _text(piece.get("reasoning_content")) or _text(piece.get("reasoning"))
    called = [text for call in _calls(piece) for text in _function(call)]
    size = sum(map(_utf8_bytes, (*spoken, thought, *called)))
    answer = bool(called) or any(text and not text.isspace() for text in spoken)
    return Said(size, answer or isinstance(piece.get("audio"), dict), bool(thought))


def _text(value: object) -> str:
    """A string, or the text within a list of parts (Mistral's thinking nests them)."""
    match value:
        case str():
            return value
        case list():
            return "".join(_text(part) for part in value)
        case {"text": text}:
            return _text(text)
        case {"thinking": thinking}:
            return _text(thinking)
        case _:
            return ""


def _calls(piece: Mapping[str, object]) -> list[object]:
    calls = piece.get("tool_calls")
    listed = calls if isinstance(calls, list) else []
    legacy = piece.get("function_call")
    return [*listed, {"function": legacy}] if isinstance(legacy, dict) else listed


def _function(call: object) -> tuple[str, str]:
    match call:
        case {"function": {**function}}:
            return _text(function.get("name")), _text(function.get("arguments"))
        case _:
            return "", ""


def _utf8_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
