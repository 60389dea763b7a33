"""What of a request is looked at to classify it: its last words fully, the rest by size.

Works on the parsed document of any API, and looks at a bounded part of it, however large it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.model import INPUT_FIELDS, JsonObject, Request

HEAD_CHARACTERS: Final = 700
TAIL_CHARACTERS: Final = 400
"""Of a longer text only its beginning and its end are read: what is asked stands there."""
MAX_CHARACTERS: Final = HEAD_CHARACTERS + TAIL_CHARACTERS
FORMER_CHARACTERS: Final = 300
"""Of the turn before, and of the system's words."""
MAX_TURNS: Final = 64
"""As far back as a user's words are looked for: results of tools may follow them."""
MAX_PARTS: Final = 64
CUT: Final = "\n"
TEXT_KINDS: Final = frozenset({"text", "input_text", None})
SYSTEM_FIELDS: Final = ("system", "instructions")
SYSTEM_ROLES: Final = ("system", "developer")


@dataclass(frozen=True, slots=True, repr=False)
class Reading:
    """Never printed: it holds words of the prompt."""

    text: str = ""
    """The user's last words, or their beginning and end."""
    characters: int = 0
    """Of all of his last words."""
    former: str = ""
    """How his words before those begin."""
    system: str = ""
    """How the system's words begin."""
    turns: int = 1
    """Messages, or items, in all."""
    body_bytes: int = 0
    """Of the request, without pictures."""
    tools: bool = False
    json: bool = False


def read(request: Request) -> Reading:
    """Looks at no more than `MAX_CHARACTERS` and a little of the turns around them."""
    messages = _messages(request)
    said = _said(messages)
    characters, text = next(said, (0, ""))
    former = next(said, (0, ""))[1] if len(text) < FORMER_CHARACTERS else ""
    return Reading(
        text=text,
        characters=characters,
        former=former[:FORMER_CHARACTERS],
        system=_system(request.document, messages)[:FORMER_CHARACTERS],
        turns=len(messages),
        body_bytes=len(request.body) - request.inline_bytes,
        tools=request.tools,
        json=request.json,
    )


def sampled(text: str) -> str:
    """A text, or the beginning and the end of a long one."""
    if len(text) <= MAX_CHARACTERS:
        return text
    return text[:HEAD_CHARACTERS] + CUT + text[-TAIL_CHARACTERS:]


def _messages(request: Request) -> Sequence[object]:
    """A text that is no message is one of the user's."""
    match request.document.get(INPUT_FIELDS.get(request.api, "messages")):
        case str(text):
            return ({"role": "user", "content": text},)
        case [str(text), *_]:
            return ({"role": "user", "content": text},)
        case [*messages]:
            return messages
        case _:
            return ()


def _said(messages: Sequence[object]) -> Iterator[tuple[int, str]]:
    """The user's texts, the last first: how long each is, and a sample."""
    for message in messages[: -MAX_TURNS - 1 : -1]:
        if isinstance(message, Mapping) and message.get("role") == "user":
            characters, text = _text(message.get("content"))
            if text:
                yield characters, text


def _system(document: JsonObject, messages: Sequence[object]) -> str:
    for name in SYSTEM_FIELDS:
        if text := _text(document.get(name))[1]:
            return text
    first = messages[0] if messages else None
    if isinstance(first, Mapping) and first.get("role") in SYSTEM_ROLES:
        return _text(first.get("content"))[1]
    return ""


def _text(content: object) -> tuple[int, str]:
    """Characters in all, and a sample of them."""
    if isinstance(content, str):
        return len(content), sampled(content)
    if not isinstance(content, list):
        return 0, ""
    texts = [text for part in _outer(content) if (text := _text_of(part))]
    return sum(map(len, texts)), sampled("\n".join(map(sampled, texts)))


def _outer(parts: list[object]) -> list[object]:
    """The first and the last of very many."""
    if len(parts) <= MAX_PARTS:
        return parts
    half = MAX_PARTS // 2
    return parts[:half] + parts[-half:]


def _text_of(part: object) -> str:
    if isinstance(part, Mapping) and part.get("type") in TEXT_KINDS:
        text = part.get("text")
        return text if isinstance(text, str) else ""
    return ""
