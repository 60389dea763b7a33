"""A request as all see it that differ in spelling alone.

Instructions and history are only respelt; the last turn is rephrased too, where no tools and no
format of the answer are asked for and the conversation is not about texts. Tool calls and their
results, parts that are no text, and fields nobody here knows stay as they came.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from penstock_sidecar.cache.normalised.defaults import without_defaults
from penstock_sidecar.cache.normalised.phrasing import is_about_text, rephrased
from penstock_sidecar.cache.normalised.spelling import is_about_spelling, is_plain, respelt
from penstock_sidecar.model import Api, JsonObject, Request

MOST_CHARACTERS: Final = 32 * 1024
"""Of a request's body: longer ones are found again as they came. About a millisecond's work."""
LONGEST_TURN: Final = 512
"""Characters of a last turn that is rephrased: longer ones are no questions of a kind."""
CHATS: Final[Mapping[Api, str]] = {
    "openai-chat": "messages",
    "openai-responses": "input",
    "anthropic-messages": "messages",
    "ollama-chat": "messages",
    "ollama-generate": "prompt",
}
"""Where the turns are. Bare completions go on from the very characters, and vectors are of them."""
UNFINISHED: Final = ("raw", "suffix")
"""Ollama's, of a prompt without a template, or before a given end: what follows hangs on its very
characters."""
INSTRUCTIONS: Final = ("system", "instructions")
SPEAKERS: Final = frozenset({"system", "developer", "user", "assistant"})
TEXT_PARTS: Final = frozenset({"text", "input_text"})
PLAIN_MESSAGE: Final = {"role", "content", "type"}


def normalised(request: Request) -> JsonObject | None:
    """None where the request is found by its own characters alone."""
    if len(request.body) > MOST_CHARACTERS:
        return None
    document = without_defaults(request.document, request.api)
    field = CHATS.get(request.api)
    if field is None or is_unfinished(document):
        return document
    turns = document.get(field)
    if isinstance(turns, str):
        turns = [{"role": "user", "content": turns}]
    if any(map(is_about_spelling, _texts([document, *(turns if isinstance(turns, list) else ())]))):
        return document
    for name in INSTRUCTIONS:
        if name in document:
            document[name] = _respelt(document[name])
    if isinstance(turns, list):
        document[field] = _turns(turns, document, request)
    return document


def is_unfinished(document: JsonObject) -> bool:
    """It is to be gone on with, and asks nobody."""
    return any(map(document.get, UNFINISHED))


def _turns(turns: list[object], document: JsonObject, request: Request) -> list[object]:
    spelt = [*map(_message, turns[:-1]), *map(_last, turns[-1:])]
    if spelt and not (request.tools or request.json) and "format" not in document:
        last = _rephrased(spelt[-1])
        if last and not any(map(is_about_text, _texts([document, *spelt]))):
            spelt[-1] = last
    return spelt


def _last(turn: object) -> object:
    """An answer that is begun is gone on with from its very characters."""
    match turn:
        case {"role": "assistant"}:
            return turn
        case _:
            return _message(turn)


def _rephrased(turn: object) -> JsonObject | None:
    """None for what is no question in prose."""
    match turn:
        case {"role": "user", "content": str(text)} if isinstance(turn, dict):
            if turn.keys() - PLAIN_MESSAGE or len(text) > LONGEST_TURN or not is_plain(text):
                return None
            return {**turn, "content": rephrased(text)}
        case _:
            return None


def _message(turn: object) -> object:
    match turn:
        case {"role": str(role), "content": content} if role in SPEAKERS and isinstance(turn, dict):
            return {**turn, "content": _respelt(_one(content))}
        case _:
            return turn


def _one(content: object) -> object:
    """A single part of text is the text."""
    match content:
        case [{"type": str(kind), "text": str(text), **rest}] if kind in TEXT_PARTS and not rest:
            return text
        case _:
            return content


def _respelt(content: object) -> object:
    match content:
        case str():
            return respelt(content)
        case list():
            return [_part(part) for part in content]
        case _:
            return content


def _part(part: object) -> object:
    match part:
        case {"type": str(kind), "text": str(text), **rest} if kind in TEXT_PARTS:
            return {**rest, "type": kind, "text": respelt(text)}
        case _:
            return part


def _texts(values: list[object]) -> Iterator[str]:
    """All that the conversation says, of instructions and turns."""
    for value in values:
        match value:
            case {"content": content}:
                yield from _said(content)
            case Mapping():
                for name in INSTRUCTIONS:
                    yield from _said(value.get(name))
            case _:
                pass


def _said(content: object) -> Iterator[str]:
    match content:
        case str():
            yield content
        case list():
            for part in content:
                if isinstance(part, Mapping) and isinstance(part.get("text"), str):
                    yield part["text"]
        case _:
            pass
