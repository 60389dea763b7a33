"""Whole ways through the sidecar without network, Redis or loop: bytes in, an outcome out."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar, get_args

from penstock_config.provider import Capability, Model, Provider, ProviderType
from penstock_sidecar.dialects.framing import Framing
from penstock_sidecar.errors import CallerError, UpstreamError, UpstreamUnsupported
from penstock_sidecar.metering.estimate import estimate_input
from penstock_sidecar.metering.features import unbounded_feature
from penstock_sidecar.model import Api, Candidate, Chunk, Request
from penstock_sidecar.normalise.anthropic import parse_count, parse_messages
from penstock_sidecar.normalise.embeddings import (
    parse_ollama_embed,
    parse_ollama_embeddings,
    parse_openai_embeddings,
)
from penstock_sidecar.normalise.ollama import parse_generate, parse_ollama_chat
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.normalise.openai_completions import parse_completion
from penstock_sidecar.normalise.openai_responses import parse_response
from penstock_sidecar.upstream.base import Call
from penstock_sidecar.upstream.first_content import FirstContent
from penstock_sidecar.upstream.plans import Plan, plan_of
from penstock_sidecar.upstream.provider import ProviderUpstream
from penstock_sidecar.upstream.redaction import Redactor
from penstock_sidecar.upstream.refusal import Refusals
from tests.fuzz.still import StillClock

T = TypeVar("T")
PARSERS: Final[Mapping[Api, Callable[[bytes, Mapping[str, str], str], Request]]] = {
    "openai-chat": parse_chat,
    "openai-completions": parse_completion,
    "openai-responses": parse_response,
    "openai-embeddings": parse_openai_embeddings,
    "anthropic-messages": parse_messages,
    "anthropic-count-tokens": parse_count,
    "ollama-chat": parse_ollama_chat,
    "ollama-generate": parse_generate,
    "ollama-embed": parse_ollama_embed,
    "ollama-embeddings": parse_ollama_embeddings,
}
ABLE: Final[tuple[Capability, ...]] = get_args(Capability)
HEADERS: Final = {"anthropic-version": "2023-06-01"}
PRESETS: Final[Mapping[ProviderType, str]] = {"openai": "openai"}
"""That of OpenAI serves all of OpenAI's dialects itself."""
OWN_WORDS: Final[Mapping[ProviderType, str]] = {
    "openai": "openai-chat",
    "azure-openai": "openai-chat",
    "anthropic": "anthropic-messages",
    "gemini": "gemini",
    "ollama": "ollama-chat",
}
OWN_VECTORS: Final[Mapping[ProviderType, str]] = {
    "openai": "openai-embeddings",
    "azure-openai": "openai-embeddings",
    "gemini": "gemini-embeddings",
    "ollama": "ollama-embed",
}


@dataclass(frozen=True, slots=True)
class Way:
    """From callers of an API to providers of a type."""

    api: Api
    type: ProviderType

    def __str__(self) -> str:
        return f"{self.api} to {self.type}"

    def provider(self) -> Provider:
        return Provider(
            id="n/p",
            type=self.type,
            preset=PRESETS.get(self.type),
            base_url="http://provider.invalid",
            needs_key=False,
            models=(Model(name="m", upstream_name="vendor-m", capabilities=ABLE),),
        )

    def plan(self) -> Plan:
        plan = plan_of(self.provider())
        assert plan, self.type
        return plan

    @property
    def served(self) -> bool:
        """Tokens are counted by those alone who count them."""
        found = self.plan().spoken(self.api, self.provider().models[0]) is not None
        return found and (self.passes or self.api != "anthropic-count-tokens")

    @property
    def passes(self) -> bool:
        return self.plan().passing(self.api, self.provider().models[0]) is not None

    @property
    def answered_in(self) -> str:
        """The dialect in which the provider answers."""
        if self.passes:
            return self.api
        return (OWN_VECTORS if "embed" in self.api else OWN_WORDS)[self.type]

    def framing(self) -> Framing:
        spoken = self.plan().spoken(self.api, self.provider().models[0])
        assert spoken
        return spoken.side.framing


TYPES: Final[tuple[ProviderType, ...]] = get_args(ProviderType)
WAYS: Final = tuple(way for api in PARSERS for type_ in TYPES if (way := Way(api, type_)).served)


class Coming:
    """A response whose bytes are here already."""

    label = "n/p/m"
    headers: Mapping[str, str] = {}

    def __init__(self, segments: Sequence[bytes]) -> None:
        self._segments = iter([segment for segment in segments if segment])

    def require(self, content_type: str) -> None: ...

    async def read(self) -> bytes:
        return next(self._segments, b"")

    async def read_all(self) -> bytes:
        return b"".join(self._segments)

    def content_came(self) -> None: ...

    async def drain(self) -> None: ...


class Posted:
    """A `Wire` that answers every letter with the same bytes, and keeps what was asked."""

    def __init__(self, segments: Sequence[bytes]) -> None:
        self.refusals = Refusals(Redactor(()))
        self.bodies: list[bytes] = []
        self._segments = segments

    @asynccontextmanager
    async def post(self, letter: Any) -> AsyncIterator[Coming]:
        self.bodies.append(letter.body)
        yield Coming(self._segments)


@dataclass(frozen=True, slots=True)
class Outcome:
    """All chunks, then the error, if any."""

    chunks: tuple[Chunk, ...]
    error: str = ""

    @property
    def size_bytes(self) -> int:
        return sum(len(chunk.data) for chunk in self.chunks)


def answered(way: Way, request: Request, segments: Sequence[bytes]) -> Outcome:
    """What becomes of a provider's answer. Whatever is not an `UpstreamError` goes through."""
    return at_once(_answered(way, request, Posted(segments)))


async def _answered(way: Way, request: Request, wire: Any) -> Outcome:
    provider = way.provider()
    upstream = FirstContent(ProviderUpstream(provider, way.plan(), wire, StillClock()))
    call = Call(request, Candidate(provider, provider.models[0], "t", "n/t"), None)
    chunks: list[Chunk] = []
    try:
        async with upstream.call(call) as answer:
            async for chunk in answer.chunks:
                chunks.append(chunk)  # noqa: PERF401  # what came before an error counts
    except UpstreamError as error:
        return Outcome(tuple(chunks), f"{type(error).__name__}: {error.public}")
    return Outcome(tuple(chunks))


def asked(way: Way, body: bytes) -> Sequence[bytes]:
    """What the provider is asked for a caller's body; nothing where it is refused as it should."""
    try:
        request = PARSERS[way.api](body, HEADERS, "call")
    except CallerError:
        return ()
    estimate_input(request)
    unbounded_feature(request, "openai")
    wire = Posted([])
    try:
        at_once(_answered(way, request, wire))
    except UpstreamUnsupported:
        return ()
    return wire.bodies


def at_once(coroutine: Coroutine[Any, Any, T]) -> T:
    """Its result, without a loop: nothing here ever waits."""
    try:
        coroutine.send(None)
    except StopIteration as returned:
        result: T = returned.value
        return result
    msg = "it waits for something"
    raise AssertionError(msg)
