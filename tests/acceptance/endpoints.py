"""How applications ask in the dialects that came after chat completions, and what they make of it.

What they read is text, finish and usage alone: of a stream each event that has some of it.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]
Write = Callable[[str, str, int | None], Document]


@dataclass(frozen=True, slots=True)
class Answer:
    """What an application makes of a response. `finish` is `None` where it broke off; tokens are
    `None` where no usage came."""

    text: str
    finish: str | None
    input_tokens: int | None
    output_tokens: int | None
    complete: bool
    """A stream's last event came, or the whole document."""


Read = Callable[[bytes], Answer]


def streamed(write: Write) -> Write:
    return lambda *asked: {**write(*asked), "stream": True}


def message(model: str, text: str, max_tokens: int | None) -> Document:
    """Anthropic asks for a limit, so there is always one."""
    most = 4096 if max_tokens is None else max_tokens
    said = [{"role": "user", "content": text}]
    return {"model": model, "max_tokens": most, "messages": said}


def response(model: str, text: str, max_tokens: int | None) -> Document:
    limit = {} if max_tokens is None else {"max_output_tokens": max_tokens}
    return {"model": model, "input": text} | limit


def completion(model: str, text: str, max_tokens: int | None) -> Document:
    limit = {} if max_tokens is None else {"max_tokens": max_tokens}
    return {"model": model, "prompt": text} | limit


def completion_stream(model: str, text: str, max_tokens: int | None) -> Document:
    more = {"stream": True, "stream_options": {"include_usage": True}}
    return completion(model, text, max_tokens) | more


def ollama_chat(model: str, text: str, max_tokens: int | None) -> Document:
    said = [{"role": "user", "content": text}]
    return {"model": model, "messages": said, **_options(max_tokens), "stream": False}


def ollama_generate(model: str, text: str, max_tokens: int | None) -> Document:
    return {"model": model, "prompt": text, **_options(max_tokens), "stream": False}


def _options(max_tokens: int | None) -> Document:
    return {} if max_tokens is None else {"options": {"num_predict": max_tokens}}


@dataclass(frozen=True, slots=True)
class Words:
    """Paths in a dialect's documents; the first that leads somewhere holds."""

    text: tuple[str, ...]
    finish: tuple[str, ...]
    given: tuple[str, ...]
    output: tuple[str, ...]
    ends: frozenset[object] = frozenset({None})
    """`type` of what may be the last."""

    def read(self, body: bytes) -> Answer:
        """Of a whole answer, or a stream of either framing; it may be cut off anywhere."""
        documents = [*_documents(body)]
        return Answer(
            "".join(str(_first(document, self.text) or "") for document in documents),
            _last(documents, self.finish),
            _last(documents, self.given),
            _last(documents, self.output),
            complete=any(document.get("type") in self.ends for document in documents[-1:]),
        )


MESSAGE = Words(
    ("content.0.text",),
    ("stop_reason",),
    ("usage.input_tokens",),
    ("usage.output_tokens",),
    frozenset({"message"}),
)
MESSAGE_STREAM = Words(
    ("delta.text",),
    ("delta.stop_reason",),
    ("usage.input_tokens", "message.usage.input_tokens"),
    ("usage.output_tokens",),
    frozenset({"message_stop"}),
)
RESPONSE = Words(
    ("output.0.content.0.text",), ("status",), ("usage.input_tokens",), ("usage.output_tokens",)
)
RESPONSE_STREAM = Words(
    ("delta",),
    ("response.incomplete_details.reason", "response.status"),
    ("response.usage.input_tokens",),
    ("response.usage.output_tokens",),
    frozenset({"response.completed", "response.incomplete"}),
)
COMPLETION = Words(
    ("choices.0.text",),
    ("choices.0.finish_reason",),
    ("usage.prompt_tokens",),
    ("usage.completion_tokens",),
)
OLLAMA = Words(
    ("message.content", "response"), ("done_reason",), ("prompt_eval_count",), ("eval_count",)
)


def _documents(body: bytes) -> Iterator[Document]:
    for line in body.split(b"\n"):
        try:
            found = json.loads(line.removeprefix(b"data: "))
        except ValueError:
            continue
        if isinstance(found, dict):
            yield found


def _last(documents: list[Document], paths: tuple[str, ...]) -> Any:
    found = [value for document in documents if (value := _first(document, paths)) is not None]
    return found[-1] if found else None


def _first(document: Document, paths: tuple[str, ...]) -> Any:
    return next((v for path in paths if (v := _at(document, path)) is not None), None)


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(name)
        elif isinstance(value, list) and name.isdigit():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value
