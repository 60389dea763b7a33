"""Which answers are fit to be kept: whole, normal and not empty.

Truncated, filtered and empty answers that caches gave again and again are AT17's evidence.
"""

from collections.abc import Mapping
from typing import Final

NORMAL_FINISH: Final = frozenset({"stop", "tool_calls"})
ANSWERS: Final = ("content", "refusal")


def is_whole(document: Mapping[str, object], choices_wanted: int) -> bool:
    """A `chat.completion` with usage and every choice that was asked for."""
    choices = document.get("choices")
    if not isinstance(choices, list) or document.get("error"):
        return False
    if not isinstance(document.get("usage"), Mapping):
        return False
    whole = [c.get("index") for c in choices if isinstance(c, Mapping) and _choice_is_whole(c)]
    return len(choices) == choices_wanted and whole == list(range(choices_wanted))


def _choice_is_whole(choice: Mapping[str, object]) -> bool:
    message = choice.get("message")
    return (
        isinstance(message, Mapping)
        and choice.get("finish_reason") in NORMAL_FINISH
        and (_says_something(message) or _calls_something(message))
    )


def _says_something(message: Mapping[str, object]) -> bool:
    return any(isinstance(t := message.get(name), str) and t.strip() for name in ANSWERS)


def _calls_something(message: Mapping[str, object]) -> bool:
    calls = message.get("tool_calls")
    return isinstance(calls, list) and bool(calls) and all(isinstance(c, Mapping) for c in calls)
