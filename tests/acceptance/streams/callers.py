"""What callers say and make of an answer, in each dialect that streams."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from penstock_sidecar.model import Api

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Heard:
    """Of an answer, or as much of it as came."""

    text: str = ""
    complete: bool = False
    """Its end mark is there."""
    error: bool = False
    """It ends with an error, as the dialect's clients know one."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """One API. `text_of` and `error_of` take a stream's document, `plain` a whole one's text."""

    api: Api
    path: str
    asked: Callable[[str], dict[str, Any]]
    text_of: Callable[[Document], str]
    plain: Callable[[Document], str]
    ends: Callable[[Document], bool]
    event_end: bytes = b"\n\n"

    def __str__(self) -> str:
        return self.api

    def body(self, model: str, text: str = "hello", *, stream: bool = True) -> bytes:
        return json.dumps(self.asked(text) | {"model": model, "stream": stream}).encode()

    def heard(self, body: bytes) -> Heard:
        """Of a stream."""
        documents = list(self._documents(body))
        text = "".join(self.text_of(document) for document in documents)
        ended = body.endswith(DONE) or any(map(self.ends, documents))
        return Heard(text, ended, bool(documents) and _is_error(documents[-1]))

    def _documents(self, body: bytes) -> Iterator[Document]:
        for event in body.split(self.event_end):
            lines = event.split(b"\n")
            for line in lines if self.event_end == b"\n\n" else [b"data: " + event]:
                if line.startswith(b"data:") and line[5:].strip() not in {b"", b"[DONE]"}:
                    found = json.loads(line[5:])
                    assert isinstance(found, dict)
                    yield found


DONE: Final = b"data: [DONE]\n\n"


def _is_error(document: Document) -> bool:
    return document.get("type") == "error" or bool(document.get("error"))


def _chat(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def _messages(text: str) -> dict[str, Any]:
    return {"max_tokens": 100, **_chat(text)}


def _choices(part: str) -> Callable[[Document], str]:
    def text_of(document: Document) -> str:
        choices = document.get("choices") or ()
        return "".join((choice.get(part) or {}).get("content") or "" for choice in choices)

    return text_of


def _completion(document: Document) -> str:
    return "".join(choice["text"] for choice in document.get("choices") or ())


def _response(document: Document) -> str:
    parts = [part for item in document["output"] for part in item.get("content", ())]
    return "".join(part.get("text", "") for part in parts)


def _of_type(kind: str, *path: str) -> Callable[[Document], str]:
    def text_of(document: Document) -> str:
        if document.get("type") != kind:
            return ""
        found: Any = document
        for name in path:
            found = found.get(name, {})
        return found if isinstance(found, str) else ""

    return text_of


def _is_type(kind: str) -> Callable[[Document], bool]:
    return lambda document: document.get("type") == kind


def _never(_: Document) -> bool:
    """Its end mark is no document."""
    return False


def _done(document: Document) -> bool:
    return document.get("done") is True


def _ollama(document: Document) -> str:
    return str((document.get("message") or {}).get("content") or "")


def _generated(document: Document) -> str:
    return str(document.get("response") or "")


SPEAKERS: Final[tuple[Speaker, ...]] = (
    Speaker(
        "openai-chat",
        "/v1/chat/completions",
        _chat,
        _choices("delta"),
        _choices("message"),
        _never,
    ),
    Speaker(
        "openai-completions",
        "/v1/completions",
        lambda text: {"prompt": text},
        _completion,
        _completion,
        _never,
    ),
    Speaker(
        "openai-responses",
        "/v1/responses",
        lambda text: {"input": text},
        _of_type("response.output_text.delta", "delta"),
        _response,
        _is_type("response.completed"),
    ),
    Speaker(
        "anthropic-messages",
        "/v1/messages",
        _messages,
        _of_type("content_block_delta", "delta", "text"),
        lambda document: "".join(part.get("text", "") for part in document["content"]),
        _is_type("message_stop"),
    ),
    Speaker("ollama-chat", "/api/chat", _chat, _ollama, _ollama, _done, b"\n"),
    Speaker(
        "ollama-generate",
        "/api/generate",
        lambda text: {"prompt": text},
        _generated,
        _generated,
        _done,
        b"\n",
    ),
)
