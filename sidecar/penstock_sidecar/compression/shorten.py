"""A prompt, shortened by the rules of a policy: a pure function of its document.

What becomes of a text depends on what stands before it, and on whether it is the last thing that
the user said: so the beginning of a conversation reads the same from request to request, and what a
provider has cached of it holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from penstock_config.compression import Compression
from penstock_sidecar.compression.blocks import in_free_text, outside_fences
from penstock_sidecar.compression.boilerplate import without_boilerplate
from penstock_sidecar.compression.duplicates import Repetitions
from penstock_sidecar.compression.history import older_messages
from penstock_sidecar.compression.logs import fewer_lines, without_blobs
from penstock_sidecar.compression.markup import is_page, without_markup
from penstock_sidecar.compression.tables import smaller_json
from penstock_sidecar.compression.texts import (
    LISTS,
    Text,
    conversation,
    last_user_message,
    texts_of,
)
from penstock_sidecar.compression.whitespace import without_blank_lines, without_runs
from penstock_sidecar.dialects.places import Step, with_texts_at
from penstock_sidecar.model import Api, JsonObject


@dataclass(frozen=True, slots=True, repr=False)
class Shortened:
    """`left_out` are the places of messages that are gone, in the document as it was."""

    document: JsonObject
    left_out: frozenset[int]


def shortened(api: Api, document: JsonObject, rules: Compression) -> Shortened | None:
    """None where there is nothing to shorten."""
    left_out = frozenset[int]()
    shorter = document
    if rules.max_history_tokens is not None:
        messages = conversation(api, document)
        left_out = older_messages(api, document, messages, rules.max_history_tokens)
        if left_out:
            kept = [each for place, each in enumerate(messages) if place not in left_out]
            shorter = {**document, LISTS[api]: kept}
    new = _new_texts(list(texts_of(api, shorter)), rules)
    if not new and not left_out:
        return None
    return Shortened(with_texts_at(shorter, new.items()), left_out)


def _new_texts(texts: Sequence[Text], rules: Compression) -> Mapping[tuple[Step, ...], str]:
    """Of those that became shorter."""
    last = -1 if rules.include_last_turn else last_user_message(texts)
    shortening = _Shortening(rules)
    new = {}
    for each in texts:
        if each.voice == "user":
            shortening.question = each.text
            if each.message == last:
                continue
        text = shortening.of(each)
        # No provider takes an empty one.
        if len(text) < len(each.text) and text.strip():
            new[each.path] = text
    return new


@dataclass(slots=True)
class _Shortening:
    rules: Compression
    question: str = ""
    """What the user said last, so far."""
    _repetitions: Repetitions = field(default_factory=Repetitions)

    def of(self, text: Text) -> str:
        return self._output(text.text) if text.voice == "tool" else self._prose(text.text)

    def _prose(self, text: str) -> str:
        text = self._told_once(text)
        return in_free_text(text, without_runs) if self.rules.whitespace else text

    def _told_once(self, text: str) -> str:
        if self.rules.boilerplate:
            text = in_free_text(text, without_boilerplate)
        if self.rules.duplicates:
            text = in_free_text(text, self._repetitions.without)
        return text

    def _output(self, text: str) -> str:
        if self.rules.duplicates:
            text = self._repetitions.of_output(text)
        if self.rules.tool_outputs:
            if (data := smaller_json(text)) is not None:
                return without_blobs(data)
            text = outside_fences(text, self._extracted)
        text = self._told_once(text)
        return in_free_text(text, without_blank_lines) if self.rules.whitespace else text

    def _extracted(self, text: str) -> str:
        if is_page(text):
            return without_boilerplate(without_markup(text))
        return fewer_lines(without_blobs(text), self.question)
