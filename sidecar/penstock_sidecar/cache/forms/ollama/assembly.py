"""From the lines of a stream to the plain answer."""

from dataclasses import dataclass, field
from typing import Final

import orjson

from penstock_sidecar.cache.forms.ollama.said import CALLS, LAST, LOGPROBS, THINKING, Said
from penstock_sidecar.cache.forms.pieces import (
    Frames,
    agree,
    list_in,
    object_in,
    require,
    text_in,
)
from penstock_sidecar.dialects.framing import LINES
from penstock_sidecar.model import JsonObject, Usage

CREATED: Final = "created_at"
"""A plain answer's is that of its end."""
ABSENT: Final[tuple[object, ...]] = (None, "", 0, False, [])


@dataclass(slots=True)
class Assembly:
    """Lines go in, one answer comes out."""

    _said: Said
    size_bytes: int = 0
    _frames: Frames = field(default_factory=lambda: Frames(LINES))
    _fields: dict[str, object] = field(default_factory=dict)
    _last: dict[str, object] = field(default_factory=dict)
    _rest: dict[str, object] = field(default_factory=dict)
    """Of what holds the words."""
    _texts: dict[str, list[str]] = field(default_factory=dict)
    _lists: dict[str, list[object]] = field(default_factory=dict)
    """Calls and log probabilities, in order."""

    def add(self, data: bytes) -> None:
        for line in self._frames.documents(data):
            require(not self._last)
            self._add(line)

    def document(self, _: Usage) -> dict[str, object]:
        """Its usage is the last line's: Ollama leaves out zeros."""
        self._frames.end()
        texts = {name: "".join(pieces) for name, pieces in self._texts.items()}
        lists = dict(self._lists)
        logprobs = {LOGPROBS: lists.pop(LOGPROBS)} if LOGPROBS in lists else {}
        around = {**self._fields, **self._last, **logprobs}
        return self._said.within(around, {**self._rest, self._said.text: "", **texts, **lists})

    def _add(self, line: JsonObject) -> None:
        words = self._said.of(line)
        require(words is not None or line.get("done"))
        self._add_words(words or {})
        ends = line.get("done") is True
        for name, value in self._said.around(line).items():
            if name == LOGPROBS:
                self._extend(name, value)
            elif name == CREATED:
                self._fields[name] = text_in(value)
            elif name not in LAST:
                require(name != "error" or not value)
                agree(self._fields, name, value)
            elif ends:
                self._last[name] = value
                self.size_bytes += len(orjson.dumps(value))
            else:
                require(value in ABSENT)

    def _add_words(self, words: JsonObject) -> None:
        for name in (self._said.text, THINKING):
            if text := text_in(words.get(name) or ""):
                self._texts.setdefault(name, []).append(text)
                self.size_bytes += len(text)
        self._extend(CALLS, words.get(CALLS))
        for name, value in self._said.rest(words).items():
            agree(self._rest, name, value)

    def _extend(self, name: str, value: object) -> None:
        if value:
            self._lists.setdefault(name, []).extend(map(object_in, list_in(value)))
            self.size_bytes += len(orjson.dumps(value))
