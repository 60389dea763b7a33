"""Turns to contents: roles `user` and `model`, neighbours of one role merged.

Results of tools stand alone, and follow their calls at once: Gemini counts them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from operator import itemgetter
from typing import Final, Literal

from penstock_sidecar.dialects.arguments import arguments_of
from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.gemini.generations import before_3
from penstock_sidecar.dialects.gemini.media import media_part
from penstock_sidecar.dialects.prompt import (
    Audio,
    File,
    Image,
    Part,
    Refusal,
    Text,
    Thought,
    ToolCall,
    ToolResult,
    Turn,
)
from penstock_sidecar.dialects.signatures import google_s

UNSIGNED: Final = "skip_thought_signature_validator"
"""Of a call that another provider made, or whose signature the caller lost: since Gemini 3 a call
without any is refused (https://ai.google.dev/gemini-api/docs/thought-signatures)."""

Kind = Literal["user", "results", "model"]
Written = dict[str, object]


def contents_of(turns: Sequence[Turn], model: str) -> list[Written]:
    """System turns have a place of their own. Raises `Unspeakable`."""
    pieces = [piece for turn in turns if turn.role != "system" for piece in _pieces(turn)]
    contents: list[Written] = []
    for kind, group in groupby(pieces, itemgetter(0)):
        parts = [part for _, said in group for part in said]
        if kind == "model" and not before_3(model):
            _sign_first_call(parts)
        if parts:
            contents.append({"role": "model" if kind == "model" else "user", "parts": parts})
    return contents


def _pieces(turn: Turn) -> Iterator[tuple[Kind, list[Written]]]:
    if turn.role == "assistant":
        yield "model", _answer(turn.parts)
        return
    if results := [_result(part) for part in turn.parts if isinstance(part, ToolResult)]:
        yield "results", results
    if rest := [part for part in turn.parts if not isinstance(part, ToolResult)]:
        yield "user", _answer(rest)


def _answer(parts: Sequence[Part]) -> list[Written]:
    written: list[Written] = []
    for part in _signed(parts):
        if isinstance(part, Thought):
            _think(part, written)
        elif (said := _part(part)) is not None:
            written.append(said)
    return written


def _signed(parts: Sequence[Part]) -> list[Part]:
    """Anthropic's callers have no place for a call's signature but the thought before it."""
    found: list[Part] = []
    for part in parts:
        lent = _lent(found)
        if lent and isinstance(part, ToolCall) and not google_s(part.signature):
            found[-1] = replace(part, signature=lent)
        else:
            found.append(part)
    return found


def _lent(parts: Sequence[Part]) -> str | None:
    last = parts[-1] if parts else None
    return last.signature if isinstance(last, Thought) and google_s(last.signature) else None


def _think(thought: Thought, written: list[Written]) -> None:
    """A signature without text is of the text before it; a stream says it in a part of its own.
    Thoughts that are not Google's, or not signed, are nothing to Gemini."""
    signature = google_s(thought.signature)
    if signature is None:
        return
    if thought.text:
        written.append({"text": thought.text, "thought": True, "thoughtSignature": signature})
    elif written and "text" in written[-1] and "thoughtSignature" not in written[-1]:
        written[-1]["thoughtSignature"] = signature
    else:
        written.append({"text": "", "thoughtSignature": signature})


def _part(part: Part) -> Written | None:
    match part:
        case Text(text=text) | Refusal(text=text):
            return {"text": text} if text else None
        case Image() | Audio() | File():
            return media_part(part)
        case ToolCall():
            return _call(part)
        case Thought() | ToolResult():
            return None


def _call(call: ToolCall) -> Written:
    named: Written = {"id": call.id} if call.id else {}
    written: Written = {
        "functionCall": {**named, "name": call.name, "args": arguments_of(call)},
    }
    if (signature := google_s(call.signature)) is not None:
        written["thoughtSignature"] = signature
    return written


def _result(result: ToolResult) -> Written:
    """Found by its call's id, and by the tool's name before there were ids."""
    if not result.name:
        raise Unspeakable(result.where, " unless a call before it has its id")
    text = "\n".join(part.text for part in result.parts if isinstance(part, Text))
    named: Written = {"id": result.call_id} if result.call_id else {}
    response: Written = {
        **named,
        "name": result.name,
        "response": {"error" if result.failed else "output": text},
    }
    if media := [media_part(part) for part in result.parts if not isinstance(part, Text)]:
        response["parts"] = media
    return {"functionResponse": response}


def _sign_first_call(parts: Sequence[Written]) -> None:
    """Of calls side by side the first bears the signature."""
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None:
        first.setdefault("thoughtSignature", UNSIGNED)
