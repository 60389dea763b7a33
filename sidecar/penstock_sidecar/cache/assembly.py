"""From the chunks of a stream to the plain answer that the provider would have given.

Only what is understood is put together: text by concatenation, tool calls by index, log
probabilities in order. A field that is not known is kept where all chunks agree on it; everything
else is `NotUnderstood`, for a wrong answer in a cache is wrong for a long time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

import orjson

from penstock_sidecar.model import Usage

Json = Mapping[str, object]
T = TypeVar("T")

FIRST_SEEN: Final = frozenset({"id", "created", "model", "system_fingerprint", "service_tier"})
"""Of a whole answer; some providers count `created` up from chunk to chunk."""
DROPPED: Final = frozenset({"obfuscation", "x_groq"})
"""Of one chunk and no answer: OpenAI's padding, Groq's request id."""
TEXTS: Final = frozenset({"content", "refusal", "reasoning_content", "reasoning"})
EXTRA: Final = "extra_content"
"""Holds Google's signature of the thoughts so far: the last one holds."""
CALL_FIELDS: Final = frozenset({"index", "id", "type", "function", EXTRA})
FUNCTION_FIELDS: Final = frozenset({"name", "arguments"})
MAX_PARTS: Final = 128
"""Choices, tool calls and unknown fields: OpenAI's own bound on `n` and on tools."""


class NotUnderstood(Exception):
    """A chunk that cannot be put together with the others."""


@dataclass(slots=True)
class Assembly:
    """Chunks go in, one answer comes out."""

    _fields: dict[str, object] = field(default_factory=dict)
    _choices: dict[int, "_Choice"] = field(default_factory=dict)
    _usage: object = None

    @property
    def size_bytes(self) -> int:
        """About how much is held."""
        return sum(choice.size_bytes for choice in self._choices.values())

    def add(self, data: bytes) -> None:
        """Takes one or more server-sent events, whole ones. Raises `NotUnderstood`."""
        for chunk in _events(data):
            self._add_chunk(chunk)

    def document(self, usage: Usage) -> dict[str, object]:
        """The answer so far. `usage` speaks where the stream itself had none to show."""
        choices = [self._choices[index].document(index) for index in sorted(self._choices)]
        return {
            **self._fields,
            "object": "chat.completion",
            "choices": choices,
            "usage": self._usage or _usage_document(usage),
        }

    def _add_chunk(self, chunk: Json) -> None:
        for name, value in chunk.items():
            match name:
                case "choices":
                    for choice in map(_object, _list(value)):
                        _part(self._choices, choice, _Choice).add(choice)
                case "usage":
                    self._usage = value or self._usage
                case "object":
                    _require(value == "chat.completion.chunk")
                case "error":
                    _require(not value)
                case _:
                    self._add_field(name, value)

    def _add_field(self, name: str, value: object) -> None:
        if name in FIRST_SEEN:
            _keep(self._fields, name, value)
        elif name not in DROPPED:
            _agree(self._fields, name, value)


@dataclass(slots=True)
class _Choice:
    size_bytes: int = 0
    _role: str = "assistant"
    _finish: object = None
    _texts: dict[str, list[str]] = field(default_factory=dict)
    _calls: dict[int, "_Call"] = field(default_factory=dict)
    _logprobs: dict[str, list[object]] = field(default_factory=dict)
    _extra: Json | None = None
    _fields: dict[str, object] = field(default_factory=dict)

    def add(self, choice: Json) -> None:
        for name, value in choice.items():
            match name:
                case "index":
                    pass
                case "delta":
                    self._add_delta(_object(value or {}))
                case "finish_reason":
                    self._finish = value or self._finish
                case "logprobs":
                    self._add_logprobs(_object(value or {}))
                case _:
                    _agree(self._fields, name, value)

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

    def _add_delta(self, delta: Json) -> None:
        for name, value in delta.items():
            if value is None:
                continue
            match name:
                case "role":
                    self._role = _text(value) or self._role
                case "tool_calls":
                    for call in map(_object, _list(value)):
                        self.size_bytes += _part(self._calls, call, _Call).add(call)
                case "extra_content":
                    self._extra = _object(value)
                    self.size_bytes += len(orjson.dumps(value))
                case _ if name in TEXTS:
                    self._add_text(name, _text(value))
                case _:
                    _require(not value)

    def _add_text(self, name: str, text: str) -> None:
        self._texts.setdefault(name, []).append(text)
        self.size_bytes += len(text)

    def _add_logprobs(self, logprobs: Json) -> None:
        for name, value in logprobs.items():
            if value is not None:
                self._logprobs.setdefault(name, []).extend(_list(value))
                self.size_bytes += len(orjson.dumps(value))


@dataclass(slots=True)
class _Call:
    """A tool call: its name comes once, or each time in full; its arguments in pieces."""

    _fields: dict[str, object] = field(default_factory=dict)
    _function: dict[str, object] = field(default_factory=dict)
    _arguments: list[str] = field(default_factory=list)

    def add(self, call: Json) -> int:
        """Says how many characters came."""
        function = _object(call.get("function") or {})
        _require(call.keys() <= CALL_FIELDS and function.keys() <= FUNCTION_FIELDS)
        _agree(self._fields, "id", call.get("id"))
        _agree(self._fields, "type", call.get("type"))
        _agree(self._fields, EXTRA, call.get(EXTRA))
        _agree(self._function, "name", function.get("name"))
        arguments = _text(function.get("arguments") or "")
        self._arguments.append(arguments)
        return len(arguments)

    def document(self) -> dict[str, object]:
        function = {**self._function, "arguments": "".join(self._arguments)}
        return {"type": "function", **self._fields, "function": function}


def _events(data: bytes) -> Iterator[Json]:
    """The JSON of each event; comments, empty lines and `[DONE]` have none."""
    for raw in data.splitlines():
        line = raw.strip()
        if not line or line.startswith(b":"):
            continue
        _require(line.startswith(b"data:"))
        text = line.removeprefix(b"data:").strip()
        if text != b"[DONE]":
            yield _parsed(text)


def _parsed(text: bytes) -> Json:
    try:
        return _object(orjson.loads(text))
    except orjson.JSONDecodeError:
        raise NotUnderstood from None


def _part(parts: dict[int, T], document: Json, make: Callable[[], T]) -> T:
    """The choice or tool call that the document's `index` names."""
    index = document.get("index")
    if not isinstance(index, int):
        raise NotUnderstood
    if index not in parts:
        _require(len(parts) < MAX_PARTS)
        parts[index] = make()
    return parts[index]


def _keep(fields: dict[str, object], name: str, value: object) -> object:
    """Keeps the first value that says something; returns it."""
    if value is None or value in ("", [], {}):
        return value
    _require(name in fields or len(fields) < MAX_PARTS)
    return fields.setdefault(name, value)


def _agree(fields: dict[str, object], name: str, value: object) -> None:
    """The same, where a later value must be equal to the first."""
    _require(_keep(fields, name, value) == value)


def _usage_document(usage: Usage) -> dict[str, object]:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_input_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def _object(value: object) -> Json:
    if isinstance(value, Mapping):
        return value
    raise NotUnderstood


def _list(value: object) -> list[object]:
    if isinstance(value, list):
        return value
    raise NotUnderstood


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise NotUnderstood


def _require(fact: object) -> None:
    if not fact:
        raise NotUnderstood
