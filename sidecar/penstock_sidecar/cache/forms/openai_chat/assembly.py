"""From the chunks of a stream to the plain answer that the provider would have given.

Only what is understood is put together: text by concatenation, tool calls by index, log
probabilities in order. A field that is not known is kept where all chunks agree on it; everything
else is `NotUnderstood`.
"""

from dataclasses import dataclass, field
from typing import Final

import orjson

from penstock_sidecar.cache.forms.openai_chunks import Chunks
from penstock_sidecar.cache.forms.pieces import agree, list_in, object_in, part, require, text_in
from penstock_sidecar.model import JsonObject

KINDS: Final = ("chat.completion.chunk", "chat.completion")
TEXTS: Final = frozenset({"content", "refusal", "reasoning_content", "reasoning"})
EXTRA: Final = "extra_content"
"""Holds Google's signature of the thoughts so far: the last one holds."""
CALL_FIELDS: Final = frozenset({"index", "id", "type", "function", EXTRA})
FUNCTION_FIELDS: Final = frozenset({"name", "arguments"})


def assembly() -> Chunks:
    """Chunks go in, one answer comes out."""
    return Chunks(_Choice, KINDS)


@dataclass(slots=True)
class _Choice:
    _role: str = "assistant"
    _finish: object = None
    _texts: dict[str, list[str]] = field(default_factory=dict)
    _calls: dict[int, "_Call"] = field(default_factory=dict)
    _logprobs: dict[str, list[object]] = field(default_factory=dict)
    _extra: JsonObject | None = None
    _fields: dict[str, object] = field(default_factory=dict)

    def add(self, choice: JsonObject) -> int:
        """Says how many characters came to be held of it."""
        held = 0
        for name, value in choice.items():
            match name:
                case "index":
                    pass
                case "delta":
                    held += self._add_delta(object_in(value or {}))
                case "finish_reason":
                    self._finish = value or self._finish
                case "logprobs":
                    held += self._add_logprobs(object_in(value or {}))
                case _:
                    agree(self._fields, name, value)
        return held

    def document(self, index: int) -> dict[str, object]:
        message: dict[str, object] = {"role": self._role, "content": None}
        message |= {name: "".join(pieces) for name, pieces in self._texts.items()}
        if self._extra:
            message[EXTRA] = self._extra
        if self._calls:
            message["tool_calls"] = [self._calls[i].document() for i in sorted(self._calls)]
        return {
            **self._fields,
            "index": index,
            "message": message,
            "logprobs": self._logprobs or None,
            "finish_reason": self._finish,
        }

    def _add_delta(self, delta: JsonObject) -> int:
        held = 0
        for name, value in delta.items():
            if value is None:
                continue
            match name:
                case "role":
                    self._role = text_in(value) or self._role
                case "tool_calls":
                    for call in map(object_in, list_in(value)):
                        held += part(self._calls, call, _Call).add(call)
                case "extra_content":
                    self._extra = object_in(value)
                    held += len(orjson.dumps(value))
                case _ if name in TEXTS:
                    held += self._add_text(name, text_in(value))
                case _:
                    require(not value)
        return held

    def _add_text(self, name: str, text: str) -> int:
        self._texts.setdefault(name, []).append(text)
        return len(text)

    def _add_logprobs(self, logprobs: JsonObject) -> int:
        held = 0
        for name, value in logprobs.items():
            if value is not None:
                self._logprobs.setdefault(name, []).extend(list_in(value))
                held += len(orjson.dumps(value))
        return held


@dataclass(slots=True)
class _Call:
    """A tool call: its name comes once, or each time in full; its arguments in pieces."""

    _fields: dict[str, object] = field(default_factory=dict)
    _function: dict[str, object] = field(default_factory=dict)
    _arguments: list[str] = field(default_factory=list)

    def add(self, call: JsonObject) -> int:
        """Says how many characters came."""
        function = object_in(call.get("function") or {})
        require(call.keys() <= CALL_FIELDS and function.keys() <= FUNCTION_FIELDS)
        agree(self._fields, "id", call.get("id"))
        agree(self._fields, "type", call.get("type"))
        agree(self._fields, EXTRA, call.get(EXTRA))
        agree(self._function, "name", function.get("name"))
        arguments = text_in(function.get("arguments") or "")
        self._arguments.append(arguments)
        return len(arguments)

    def document(self) -> dict[str, object]:
        function = {**self._function, "arguments": "".join(self._arguments)}
        return {"type": "function", **self._fields, "function": function}
