"""From the chunks of a stream to the plain completion."""

from dataclasses import dataclass, field

import orjson

from penstock_sidecar.cache.forms.pieces import (
    DROPPED,
    FIRST_SEEN,
    Frames,
    agree,
    keep,
    list_in,
    object_in,
    openai_usage,
    part,
    require,
    text_in,
)
from penstock_sidecar.dialects.framing import SSE
from penstock_sidecar.model import JsonObject, Usage


@dataclass(slots=True)
class Assembly:
    """Chunks go in, one completion comes out."""

    size_bytes: int = 0
    _frames: Frames = field(default_factory=lambda: Frames(SSE))
    _fields: dict[str, object] = field(default_factory=dict)
    _choices: dict[int, "_Choice"] = field(default_factory=dict)
    _usage: object = None

    def add(self, data: bytes) -> None:
        for chunk in self._frames.documents(data):
            self._add(chunk)

    def document(self, usage: Usage) -> dict[str, object]:
        self._frames.end()
        choices = [self._choices[index].document(index) for index in sorted(self._choices)]
        usage_document = self._usage or openai_usage(usage)
        return {**self._fields, "choices": choices, "usage": usage_document}

    def _add(self, chunk: JsonObject) -> None:
        for name, value in chunk.items():
            match name:
                case "choices":
                    for choice in map(object_in, list_in(value)):
                        self.size_bytes += part(self._choices, choice, _Choice).add(choice)
                case "usage":
                    self._usage = value or self._usage
                case "error":
                    require(not value)
                case _:
                    self._add_field(name, value)

    def _add_field(self, name: str, value: object) -> None:
        if name in FIRST_SEEN:
            keep(self._fields, name, value)
        elif name not in DROPPED:
            agree(self._fields, name, value)


@dataclass(slots=True)
class _Choice:
    _texts: list[str] = field(default_factory=list)
    _finish: object = None
    _logprobs: dict[str, list[object]] = field(default_factory=dict)
    _fields: dict[str, object] = field(default_factory=dict)

    def add(self, choice: JsonObject) -> int:
        """Says how many characters are held of it."""
        text = text_in(choice.get("text") or "")
        self._texts.append(text)
        held = len(text)
        for name, value in choice.items():
            match name:
                case "index" | "text":
                    pass
                case "finish_reason":
                    self._finish = value or self._finish
                case "logprobs":
                    held += self._add_logprobs(object_in(value or {}))
                case _:
                    agree(self._fields, name, value)
        return held

    def document(self, index: int) -> dict[str, object]:
        return {
            **self._fields,
            "text": "".join(self._texts),
            "index": index,
            "logprobs": self._logprobs or None,
            "finish_reason": self._finish,
        }

    def _add_logprobs(self, logprobs: JsonObject) -> int:
        """Lists beside each other, an entry for each token."""
        for name, value in logprobs.items():
            if value is not None:
                self._logprobs.setdefault(name, []).extend(list_in(value))
        return len(orjson.dumps(logprobs))
