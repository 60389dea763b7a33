"""Where a request's document holds texts, and whose they are."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from penstock_sidecar.dialects.places import Step
from penstock_sidecar.model import Api, JsonObject

Voice = Literal["instructions", "user", "assistant", "tool"]
"""Who speaks."""
VOICES: Final[Mapping[str, Voice]] = {
    "system": "instructions",
    "developer": "instructions",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
TEXT_PARTS: Final = frozenset({"text", "input_text", "output_text"})
OUTPUTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})
"""Items of OpenAI's responses that hold what a tool gave."""
LISTS: Final[Mapping[Api, str]] = {
    "openai-chat": "messages",
    "anthropic-messages": "messages",
    "ollama-chat": "messages",
    "openai-responses": "input",
}
"""Where the conversation is."""
INSTRUCTIONS: Final[Mapping[Api, str]] = {
    "anthropic-messages": "system",
    "openai-responses": "instructions",
    "ollama-generate": "system",
}
PROMPTS: Final[Mapping[Api, str]] = {
    "openai-completions": "prompt",
    "ollama-generate": "prompt",
    "openai-responses": "input",
}
"""Where a text alone is the user's only turn."""


@dataclass(frozen=True, slots=True, repr=False)
class Text:
    """`message` is its place in the conversation; -1 stands before it."""

    path: tuple[Step, ...]
    voice: Voice
    message: int
    text: str


def texts_of(api: Api, document: JsonObject) -> Iterator[Text]:
    """In the order in which a model reads them."""
    if name := INSTRUCTIONS.get(api):
        yield from _content(document.get(name), (name,), "instructions", -1)
    if (name := PROMPTS.get(api)) and isinstance(text := document.get(name), str):
        yield Text((name,), "user", 0, text)
    root = LISTS.get(api, "")
    for index, message in enumerate(conversation(api, document)):
        yield from _message(message, (root, index), index)


def conversation(api: Api, document: JsonObject) -> Sequence[object]:
    """Its messages or items; none where a prompt is a text."""
    found = document.get(LISTS.get(api, ""))
    return found if isinstance(found, list) else ()


def last_user_message(texts: Sequence[Text]) -> int:
    """The message in which the user spoke last; -1 where he never did."""
    return max((each.message for each in texts if each.voice == "user"), default=-1)


def _message(message: object, path: tuple[Step, ...], index: int) -> Iterator[Text]:
    if not isinstance(message, Mapping):
        return
    if str(message.get("type")) in OUTPUTS:
        yield from _content(message.get("output"), (*path, "output"), "tool", index)
        return
    voice = VOICES.get(str(message.get("role")))
    if voice is not None:
        yield from _content(message.get("content"), (*path, "content"), voice, index)


def _content(content: object, path: tuple[Step, ...], voice: Voice, index: int) -> Iterator[Text]:
    """A text, or a list of parts."""
    if isinstance(content, str):
        yield Text(path, voice, index, content)
    for number, part in enumerate(content if isinstance(content, list) else ()):
        match part:
            case {"type": str(kind), "text": str(text)} if kind in TEXT_PARTS:
                yield Text((*path, number, "text"), voice, index, text)
            case {"type": "tool_result", "content": inner}:
                yield from _content(inner, (*path, number, "content"), "tool", index)
            case _:
                pass
