"""What the user said last, and all the rest of a request. Pure.

Only plain conversations have one: words of system, user and assistant, the last of them the
user's. Tools, what they gave back, pictures and sound make a question of their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.cache.normalised.document import is_unfinished
from penstock_sidecar.model import Api, JsonObject, Request

CONVERSATIONS: Final[Mapping[Api, str]] = {
    "openai-chat": "messages",
    "anthropic-messages": "messages",
    "ollama-chat": "messages",
    "openai-responses": "input",
}
"""Where their turns are."""
PROMPTS: Final[Mapping[Api, str]] = {"openai-responses": "input", "ollama-generate": "prompt"}
"""Where a text alone is the user's turn. A prompt to be completed (`openai-completions`) is not."""
ROLES: Final = frozenset({"system", "developer", "user", "assistant"})
TEXT_PARTS: Final = frozenset({"text", "input_text", "output_text"})
NOT_WORDS: Final = frozenset({"tool_calls", "function_call", "tool_call_id", "audio", "images"})
"""Fields of a message that say more than its content does."""


@dataclass(frozen=True, slots=True, repr=False)
class Turn:
    """Never printed: it holds the prompt."""

    text: str
    rest: JsonObject
    """The request's document, with nothing where the text was."""


def last_turn(request: Request) -> Turn | None:
    """None where the last that was said is not a user's plain text."""
    if request.tools or request.images or request.audio or not request.text_only:
        return None
    if is_unfinished(request.document):
        return None
    field = PROMPTS.get(request.api, "")
    match request.document.get(field):
        case str(text):
            return Turn(text, {**request.document, field: None})
        case _:
            return _of_conversation(request.document, CONVERSATIONS.get(request.api, ""))


def _of_conversation(document: JsonObject, field: str) -> Turn | None:
    messages = document.get(field)
    if not isinstance(messages, list) or not all(map(_words, messages)):
        return None
    match messages:
        case [*before, {"role": "user", "content": content, **others}]:
            text, blank = _without_text(content)
        case _:
            return None
    if text is None:
        return None
    last = {**others, "role": "user", "content": blank}
    return Turn(text, {**document, field: [*before, last]})


def _without_text(content: object) -> tuple[str | None, object]:
    """The text and what is left; a plain part says what a plain text does."""
    match content:
        case str(text):
            return text, None
        case [{"type": str(), "text": str(text), **others}]:
            return text, [others] if others else None
        case _:
            return None, None


def _words(message: object) -> bool:
    """Nothing but text, by somebody who talks."""
    match message:
        case {"role": str(role), "content": content, **others} if role in ROLES:
            pass
        case _:
            return False
    more = {name for name, value in others.items() if value}
    said = others.get("type", "message") == "message"
    return said and not more & NOT_WORDS and _text_alone(content)


def _text_alone(content: object) -> bool:
    match content:
        case str():
            return True
        case [*parts]:
            return all(map(_text_part, parts))
        case _:
            return False


def _text_part(part: object) -> bool:
    match part:
        case {"type": str(kind), "text": str()}:
            return kind in TEXT_PARTS
        case _:
            return False
