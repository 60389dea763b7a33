"""The types of providers, each with a fake that speaks its dialects byte for byte."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from penstock_cli.stub import (
    Ok,
    StubProvider,
    ollama,
    ollama_generate,
    openai,
    openai_completions,
    openai_responses,
)
from penstock_cli.stub.answer import Asked, answer
from penstock_cli.stub.script import Dialect
from penstock_config.provider import Auth, Capability, Model, Price, Provider, ProviderType
from penstock_sidecar.model import Api
from penstock_sidecar.upstream.plans import plan_of
from tests.acceptance.streams.callers import SPEAKERS, Speaker
from tests.fakes.vendors.anthropic import Anthropic, AnthropicProvider
from tests.fakes.vendors.gemini import Gemini, GeminiProvider

NAMESPACE: Final = "team"
SAMENESS: Final[Mapping[Api, Dialect]] = {
    "openai-chat": openai,
    "openai-completions": openai_completions,
    "openai-responses": openai_responses,
    "anthropic-messages": Anthropic(),
    "ollama-chat": ollama,
    "ollama-generate": ollama_generate,
}
"""What providers answer that are asked in the caller's own words."""
ABLE: Final[tuple[Capability, ...]] = ("chat", "completions", "embeddings", "tools", "json")
PRICE: Final = Price(input_token=1_000_000, output_token=2_000_000)


def _model(name: str) -> Model:
    """Each dialect's callers have one to themselves: so a fake tells them apart."""
    return Model(
        name=name,
        upstream_name=f"vendor-{name}",
        capabilities=ABLE,
        context_window=100_000,
        max_output_tokens=4096,
        price=PRICE,
    )


class AzureProvider(StubProvider):
    """OpenAI's answers under Azure's paths."""

    def _routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/openai/v1/chat/completions", self._openai_chat)
        router.add_post("/openai/v1/completions", self._openai_completions)
        router.add_post("/openai/v1/responses", self._openai_responses)


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of provider. `chat` is what it answers to all others."""

    type: ProviderType
    base_path: str
    fake: Callable[[], StubProvider]
    chat: Dialect
    auth: Auth
    preset: str | None = None

    def __str__(self) -> str:
        return self.type

    def configured(self, fake: StubProvider, name: str, **changes: Any) -> Provider:
        models = tuple(_model(speaker.api) for speaker in SPEAKERS)
        fields: dict[str, Any] = {
            "id": f"{NAMESPACE}/{name}",
            "type": self.type,
            "preset": self.preset,
            "base_url": fake.url + self.base_path,
            "auth": self.auth,
            "needs_key": True,
            "models": models,
            **changes,
        }
        return Provider(**fields)

    def dialect(self, speaker: Speaker) -> Dialect:
        """What it answers to this caller's requests."""
        provider = self.configured(StubProvider(), "any")
        plan = plan_of(provider)
        assert plan
        passes = plan.passing(speaker.api, provider.models[0])
        return SAMENESS[speaker.api] if passes else self.chat

    def passes(self, speaker: Speaker) -> bool:
        """Bytes go through as they are."""
        return self.dialect(speaker) is SAMENESS[speaker.api]

    def opening(self, speaker: Speaker) -> int:
        """How many pieces come before the first content."""
        asked = Asked(1, "m", stream=True, prompt_bytes=10)
        pieces = self.dialect(speaker).stream(answer(Ok(text="one two"), asked))
        return next(number for number, piece in enumerate(pieces) if piece.tokens)


KEY: Final = Auth(scheme="Header", name="api-key")
KINDS: Final[tuple[Kind, ...]] = (
    Kind("openai", "/v1", StubProvider, openai, Auth(), "openai"),
    Kind("azure-openai", "", AzureProvider, openai, KEY),
    Kind("anthropic", "", AnthropicProvider, Anthropic(), Auth(scheme="Header", name="x-api-key")),
    Kind(
        "gemini",
        "/v1beta",
        GeminiProvider,
        Gemini(),
        Auth(scheme="Header", name="x-goog-api-key"),
    ),
    Kind("ollama", "", StubProvider, ollama, Auth()),
)
