"""What every acceptance test runs over: the sidecar's endpoints, and the types of providers.

`CASES` are loaded with all of AT1 to AT13 (gateways.md, section 4). Limits know no dialects, so the
other endpoints and types of providers are in `PAIRS`, each at least once: they are what tests run
over that ask what a request is charged, whatever becomes of it. Who adds an endpoint or a type of
provider adds a line there. Knows no fixtures.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, Self

from penstock_cli.stub import StubProvider
from penstock_config.provider import Auth, Provider, ProviderType
from penstock_sidecar.metering.estimate import HIDDEN_TOKENS
from tests.acceptance import endpoints
from tests.acceptance.endpoints import Answer, Words
from tests.fakes.vendors.anthropic import AnthropicProvider
from tests.fakes.vendors.azure import AzureStub
from tests.fakes.vendors.gemini import GeminiProvider
from tests.planes.plane import NAMESPACE, model

LARGEST = {"context_window": 128_000, "max_output_tokens": 16_384}
SMALL = model("small").model_copy(update=LARGEST)


class Fake(Protocol):
    """A provider that a sidecar can be pointed at."""

    @property
    def url(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One way to ask. `write` gives the request's document for a model, a text and the most output
    tokens there may be; `read` takes a response's body, which may be cut off anywhere."""

    name: str
    path: str
    streamed: bool
    write: Callable[[str, str, int | None], dict[str, Any]]
    read: Callable[[bytes], Answer]
    shown: tuple[bytes, ...] = (b'"content":"x', b'"reasoning_content":"t')
    """What only a piece of the metered provider's has in it, whichever dialect it spoke."""
    event_end: bytes = b"\n\n"
    hidden_tokens: int = 0
    """What is held for a template, beside the body's bytes."""

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
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Further fields of the provider's."""

    def configured(self, fake: Fake, name: str | None = None, **changes: Any) -> Provider:
        """As the operator would write it: `team/<name>`, with one model `small`. A name of its own
        has counters, budgets and health of its own; without one it is the type's."""
        fields: dict[str, Any] = {
            "id": f"{NAMESPACE}/{name or self.type}",
            "type": self.type,
            "base_url": fake.url + self.base_path,
            "needs_key": self.needs_key,
            "models": (SMALL,),
            **self.more,
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

OPENAI, OLLAMA = PROVIDERS
OPENAI_ITSELF = replace(OPENAI, more={"preset": "openai"})
"""It has responses of its own."""
ANTHROPIC = ProviderKind(
    "anthropic",
    "",
    needs_key=True,
    fake=AnthropicProvider,
    more={"auth": Auth(scheme="Header", name="x-api-key")},
)
GEMINI = ProviderKind(
    "gemini",
    "/v1beta",
    needs_key=True,
    fake=GeminiProvider,
    more={"auth": Auth(scheme="Header", name="x-goog-api-key")},
)
AZURE = ProviderKind(
    "azure-openai",
    "",
    needs_key=True,
    fake=AzureStub,
    more={"auth": Auth(scheme="Header", name="api-key")},
)


def _both(
    name: str,
    path: str,
    writes: tuple[endpoints.Write, endpoints.Write],
    reads: tuple[Words, Words],
    **more: Any,
) -> tuple[Endpoint, Endpoint]:
    """An endpoint's plain answers and its streams."""
    plain = Endpoint(name, path, False, writes[0], reads[0].read, **more)
    return plain, Endpoint(f"{name}-stream", path, True, writes[1], reads[1].read, **more)


def _streamed(write: endpoints.Write) -> tuple[endpoints.Write, endpoints.Write]:
    return write, endpoints.streamed(write)


PLAIN_CHAT, CHAT_STREAM = ENDPOINTS
MESSAGE, MESSAGE_STREAM = _both(
    "messages",
    "/v1/messages",
    _streamed(endpoints.message),
    (endpoints.MESSAGE, endpoints.MESSAGE_STREAM),
    shown=(b'"text":"x', b'"thinking":"t'),
)
RESPONSE, RESPONSE_STREAM = _both(
    "responses",
    "/v1/responses",
    _streamed(endpoints.response),
    (endpoints.RESPONSE, endpoints.RESPONSE_STREAM),
    shown=(b'"delta":"x', b'"delta":"t'),
    hidden_tokens=HIDDEN_TOKENS,
)
COMPLETION, COMPLETION_STREAM = _both(
    "completions",
    "/v1/completions",
    (endpoints.completion, endpoints.completion_stream),
    (endpoints.COMPLETION, endpoints.COMPLETION),
    shown=(b'"text":"x', b'"text":"t'),
)
OLLAMA_CHAT, OLLAMA_CHAT_STREAM = _both(
    "ollama-chat",
    "/api/chat",
    _streamed(endpoints.ollama_chat),
    (endpoints.OLLAMA, endpoints.OLLAMA),
    shown=(b'"content":"x', b'"thinking":"t'),
    event_end=b"\n",
)
GENERATE, GENERATE_STREAM = _both(
    "ollama-generate",
    "/api/generate",
    _streamed(endpoints.ollama_generate),
    (endpoints.OLLAMA, endpoints.OLLAMA),
    shown=(b'"response":"x', b'"thinking":"t'),
    event_end=b"\n",
    hidden_tokens=HIDDEN_TOKENS,
)
PAIRS = (
    Case(MESSAGE, ANTHROPIC),
    Case(MESSAGE_STREAM, ANTHROPIC),
    Case(CHAT_STREAM, ANTHROPIC),
    Case(PLAIN_CHAT, GEMINI),
    Case(MESSAGE_STREAM, GEMINI),
    Case(CHAT_STREAM, AZURE),
    Case(RESPONSE, OPENAI_ITSELF),
    Case(RESPONSE_STREAM, OPENAI_ITSELF),
    Case(RESPONSE_STREAM, GEMINI),
    Case(COMPLETION, OPENAI),
    Case(COMPLETION_STREAM, OPENAI),
    Case(OLLAMA_CHAT, ANTHROPIC),
    Case(OLLAMA_CHAT_STREAM, OLLAMA),
    Case(GENERATE, AZURE),
    Case(GENERATE_STREAM, OLLAMA),
)
"""Passed on where the dialects are the same, else translated."""
EVERY = CASES + PAIRS
EVERY_PROVIDER = (*PROVIDERS, ANTHROPIC, GEMINI, AZURE)
