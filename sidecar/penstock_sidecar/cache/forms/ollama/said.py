"""Where an answer's words are: in a chat's `message`, or in the answer itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.model import JsonObject

THINKING: Final = "thinking"
CALLS: Final = "tool_calls"
LOGPROBS: Final = "logprobs"
"""Stand in the answer itself, in both."""
LAST: Final = frozenset(
    {
        "done",
        "done_reason",
        "total_duration",
        "load_duration",
        "prompt_eval_count",
        "prompt_eval_duration",
        "eval_count",
        "eval_duration",
        "context",
    }
)
"""Fields of a stream's last line, and of no other."""


@dataclass(frozen=True, slots=True)
class Said:
    """`holder` is the field in which they are, empty for the answer itself; `text` the one which
    is the text."""

    holder: str
    text: str

    def of(self, document: JsonObject) -> JsonObject | None:
        """What holds the words; None where it is not there."""
        found = document.get(self.holder) if self.holder else document
        return found if isinstance(found, Mapping) else None

    def rest(self, words: JsonObject) -> dict[str, object]:
        """Of a message: its role, and what nobody knows."""
        known = {self.text, THINKING, CALLS}
        return {n: v for n, v in words.items() if n not in known} if self.holder else {}

    def around(self, document: JsonObject) -> dict[str, object]:
        """All else in the document."""
        words = {self.holder} if self.holder else {self.text, THINKING, CALLS}
        return {name: value for name, value in document.items() if name not in words}

    def within(self, around: JsonObject, words: JsonObject) -> dict[str, object]:
        """A document of both."""
        return {**around, **({self.holder: words} if self.holder else words)}


CHAT: Final = Said("message", "content")
GENERATE: Final = Said("", "response")
