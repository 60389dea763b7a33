"""What every acceptance test runs over: the sidecar's endpoints, and the types of providers.

Who adds an endpoint or a type of provider adds a line to `ENDPOINTS` or `PROVIDERS` here, and all
promises of AT1 to AT13 (gateways.md, section 4) are tested of it. Knows no fixtures.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

from penstock_cli.stub import StubProvider
from penstock_config.provider import Provider, ProviderType
from tests.planes.plane import NAMESPACE, model

LARGEST = {"context_window": 128_000, "max_output_tokens": 16_384}
SMALL = model("small").model_copy(update=LARGEST)


class Fake(Protocol):
    """A provider that a sidecar can be pointed at."""

    @property
    def url(self) -> str: ...


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


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to ask. `write` gives the request's document for a model, a text and the most output
    tokens there may be; `read` takes a response's body, which may be cut off anywhere."""

    name: str
    path: str
    streamed: bool
    write: Callable[[str, str, int | None], dict[str, Any]]
    read: Callable[[bytes], Answer]

    def body(
        self, model: str, text: str = "hello", *, max_tokens: int | None = None, **fields: Any
    ) -> bytes:
        """`fields` are further ones of the document: `n`, `tools`, `user`."""
        return json.dumps(self.write(model, text, max_tokens) | fields).encode()

    def body_of(self, size_bytes: int, model: str, *, max_tokens: int | None = None) -> bytes:
        """A body of exactly this size: tokens are estimated by bytes, before any are counted."""
        empty = len(self.body(model, "", max_tokens=max_tokens))
        assert size_bytes > empty, f"an empty request has {empty} bytes"
        return self.body(model, "a" * (size_bytes - empty), max_tokens=max_tokens)


@dataclass(frozen=True, slots=True)
class ProviderKind:
    """One type of provider, and the fake that serves it unless a test brings its own."""

    type: ProviderType
    base_path: str
    """What a base URL has behind the host."""
    needs_key: bool
    fake: Callable[..., StubProvider]
    """Takes `port`."""

    def configured(self, fake: Fake, name: str | None = None, **changes: Any) -> Provider:
        """As the operator would write it: `team/<name>`, with one model `small`. A name of its own
        has counters, budgets and health of its own; without one it is the type's."""
        fields: dict[str, Any] = {
            "id": f"{NAMESPACE}/{name or self.type}",
            "type": self.type,
            "base_url": fake.url + self.base_path,
            "needs_key": self.needs_key,
            "models": (SMALL,),
        }
        return Provider(**fields | changes)


@dataclass(frozen=True, slots=True)
class Case:
    """One endpoint, served by one type of provider."""

    endpoint: Endpoint
    provider: ProviderKind

    def __str__(self) -> str:
        return f"{self.provider.type}-{self.endpoint.name}"


def _chat(model: str, text: str, max_tokens: int | None) -> dict[str, Any]:
    limit = {} if max_tokens is None else {"max_tokens": max_tokens}
    return {"model": model, "messages": [{"role": "user", "content": text}]} | limit


def _chat_stream(model: str, text: str, max_tokens: int | None) -> dict[str, Any]:
    more = {"stream": True, "stream_options": {"include_usage": True}}
    return _chat(model, text, max_tokens) | more


def _read_chat(body: bytes) -> Answer:
    try:
        document = json.loads(body)
    except ValueError:
        return Answer("", None, None, None, complete=False)
    return _Reading().add(document, "message").answer(complete=True)


def _read_chat_stream(body: bytes) -> Answer:
    reading, complete = _Reading(), False
    for event in body.split(b"\n\n")[:-1]:
        data = event.removeprefix(b"data: ")
        if data == b"[DONE]":
            complete = True
        elif event != data:
            reading.add(json.loads(data), "delta")
    return reading.answer(complete=complete)


@dataclass(slots=True)
class _Reading:
    """Of OpenAI's documents and events, one after the other."""

    text: str = ""
    finish: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None

    def add(self, document: dict[str, Any], part: str) -> Self:
        for choice in document.get("choices", ()):
            self.text += choice[part].get("content") or ""
            self.finish = choice["finish_reason"] or self.finish
        if usage := document.get("usage"):
            self.input_tokens = usage["prompt_tokens"]
            self.output_tokens = usage["completion_tokens"]
        return self

    def answer(self, *, complete: bool) -> Answer:
        return Answer(self.text, self.finish, self.input_tokens, self.output_tokens, complete)


CHAT = "/v1/chat/completions"
ENDPOINTS = (
    Endpoint("chat", CHAT, streamed=False, write=_chat, read=_read_chat),
    Endpoint("chat-stream", CHAT, streamed=True, write=_chat_stream, read=_read_chat_stream),
)
PROVIDERS = (
    ProviderKind("openai", "/v1", needs_key=True, fake=StubProvider),
    ProviderKind("ollama", "", needs_key=False, fake=StubProvider),
)
CASES = tuple(Case(endpoint, provider) for provider in PROVIDERS for endpoint in ENDPOINTS)
