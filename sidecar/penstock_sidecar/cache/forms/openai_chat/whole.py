"""Which chat completions are fit to be kept: whole, normal and not empty.

Truncated, filtered and empty answers that caches gave again and again are AT17's evidence.
"""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.model import JsonObject, Request

NORMAL_FINISH: Final = ("stop", "tool_calls")
ANSWERS: Final = ("content", "refusal")
SOURCES: Final = ("citations", "search_results")
"""Of a whole answer: xAI's and Perplexity's."""
FINDINGS: Final = ("annotations", "executed_tools")
"""Of a message: OpenAI's and OpenRouter's, and Groq's. What the provider's own tools have found
grows old in ways that nobody here knows."""


def is_whole(document: JsonObject, request: Request) -> bool:
    """With usage and every choice that was asked for."""
    choices = document.get("choices")
    if not isinstance(choices, list) or document.get("error"):
        return False
    if not isinstance(document.get("usage"), Mapping) or any(map(document.get, SOURCES)):
        return False
    whole = [c.get("index") for c in choices if isinstance(c, Mapping) and _choice_is_whole(c)]
    return len(choices) == request.choices and whole == list(range(request.choices))


def _choice_is_whole(choice: JsonObject) -> bool:
    message = choice.get("message")
    return (
        isinstance(message, Mapping)
        and isinstance(message.get("content"), str | None)
        and choice.get("finish_reason") in NORMAL_FINISH
        and not any(map(message.get, FINDINGS))
        and (_calls_something(message) or _only_says_something(choice, message))
    )


def _only_says_something(choice: JsonObject, message: JsonObject) -> bool:
    """An answer that ends with calls, and has none, has lost them."""
    return choice.get("finish_reason") != "tool_calls" and _says_something(message)


def _says_something(message: JsonObject) -> bool:
    return any(isinstance(t := message.get(name), str) and t.strip() for name in ANSWERS)


def _calls_something(message: JsonObject) -> bool:
    calls = message.get("tool_calls")
    return isinstance(calls, list) and bool(calls) and all(isinstance(c, Mapping) for c in calls)
