"""Where a conversation goes into a request, if the caller has not sent it himself."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from penstock_sidecar.model import Api, JsonObject, Remembered, Request
from penstock_sidecar.normalise.rewritten import rewritten
from penstock_sidecar.sessions.turns import Summary, Turn

APIS: Final[frozenset[Api]] = frozenset(
    {"openai-chat", "anthropic-messages", "anthropic-count-tokens", "ollama-chat"}
)
"""Those that have turns, and no memory of their own."""
INSTRUCTIONS: Final = frozenset({"system", "developer"})
"""Roles that are no part of a conversation: callers send them each time."""
TOOL_PARTS: Final = frozenset({"tool_result", "tool_use"})


def place_of_turn(request: Request) -> int | None:
    """Where the user's turn stands, if it is the only one: who sends more resends what was said."""
    if request.api not in APIS or request.choices != 1:
        return None
    messages = _messages(request)
    turns = [i for i, message in enumerate(messages) if message.get("role") not in INSTRUCTIONS]
    if len(turns) != 1 or messages[turns[0]].get("role") != "user":
        return None
    kinds = {part.get("type") for part in _objects(messages[turns[0]].get("content"))}
    return None if kinds & TOOL_PARTS else turns[0]


def kept_message(request: Request, place: int) -> JsonObject:
    """The user's message as it can be said again: text alone is one string, and nothing asks a
    provider to cache it (Anthropic refuses more than four such marks)."""
    message = _messages(request)[place]
    images = {"images": message["images"]} if message.get("images") else {}
    return {"role": "user", "content": _content(message.get("content")), **images}


def with_history(request: Request, place: int, pieces: Iterable[Turn | Summary]) -> Request:
    """The same request after these pieces of its conversation. Raises `MalformedRequest`."""
    former = [message for piece in pieces for message in piece.messages()]
    if not former:
        return request
    own = _messages(request)
    messages = [*own[:place], *former, *own[place:]]
    longer = rewritten(request, {**request.document, "messages": messages})
    return replace(longer, remembered=Remembered(place, len(former)))


def _content(content: object) -> object:
    parts = _objects(content)
    texts = [part["text"] for part in parts if isinstance(part.get("text"), str)]
    if not parts:
        return content
    if len(texts) == len(parts):
        return "\n".join(map(str, texts))
    return [{k: v for k, v in part.items() if k != "cache_control"} for part in parts]


def _messages(request: Request) -> Sequence[JsonObject]:
    return _objects(request.document.get("messages"))


def _objects(value: object) -> list[JsonObject]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
