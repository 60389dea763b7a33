"""What each type of provider speaks itself, and under which paths; all else is translated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from penstock_config.provider import Capability, Model, Provider
from penstock_sidecar.dialects import (
    anthropic,
    gemini,
    ollama,
    ollama_generate,
    openai_chat,
    openai_completions,
    openai_responses,
)
from penstock_sidecar.dialects.dialect import Ask, CallerSide, Passage, ProviderSide
from penstock_sidecar.dialects.quirks import quirks_of
from penstock_sidecar.model import Api, Request

CALLERS: Final[Mapping[Api, CallerSide[Any]]] = {
    "openai-chat": openai_chat.CALLERS,
    "openai-completions": openai_completions.CALLERS,
    "openai-responses": openai_responses.CALLERS,
    "ollama-chat": ollama.CALLERS,
    "ollama-generate": ollama_generate.CALLERS,
    "anthropic-messages": anthropic.CALLERS,
}
"""For those whose provider speaks another dialect."""
PASSAGES: Final[Mapping[Api, Passage]] = {
    "openai-chat": openai_chat.PASSAGE,
    "openai-completions": openai_completions.PASSAGE,
    "openai-responses": openai_responses.PASSAGE,
    "ollama-chat": ollama.PASSAGE,
    "ollama-generate": ollama_generate.PASSAGE,
    "anthropic-messages": anthropic.PASSAGE,
    "anthropic-count-tokens": anthropic.COUNT_PASSAGE,
}
COUNTING_TYPES: Final = frozenset({"anthropic"})
"""Of providers: those that tell how many tokens a request has."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """One API of a provider. `path` is below its base URL, and may hold a query."""

    side: ProviderSide[Any]
    path: Callable[[Ask], str]
    needs: Capability | None = None
    """Only of models that can do this."""
    headers: Callable[[Request], Mapping[str, str]] = lambda _: {}
    """What it gets beside the provider's own, and those of the caller's that it may see."""

    def serves(self, model: Model) -> bool:
        return self.needs is None or self.needs in model.capabilities


@dataclass(frozen=True, slots=True)
class Plan:
    """`same` holds those that callers speak too: there bytes pass through."""

    chat: Spoken
    same: Mapping[Api, Spoken] = field(default_factory=dict)

    def passing(self, api: Api, model: Model) -> Spoken | None:
        """What serves callers of this API in their own words."""
        spoken = self.same.get(api)
        return spoken if spoken and spoken.serves(model) else None

    def spoken(self, api: Api, model: Model) -> Spoken:
        """What serves a caller of this API."""
        return self.passing(api, model) or self.chat


def plan_of(provider: Provider) -> Plan | None:
    """`None` for a type that this version does not speak."""
    match provider.type:
        case "openai":
            chat = Spoken(
                openai_chat.providers(quirks_of(provider.base_url)), _at("/chat/completions")
            )
            completions = Spoken(openai_completions.PROVIDERS, _at("/completions"), "completions")
            return Plan(chat, {"openai-chat": chat, "openai-completions": completions})
        case "gemini":
            return Plan(Spoken(gemini.PROVIDERS, gemini.path_of))
        case "anthropic":
            return _anthropic(provider)
        case "ollama":
            return _ollama()
        case _:
            return None


def _anthropic(provider: Provider) -> Plan:
    headers = anthropic.headers_for(provider.headers)
    messages = Spoken(anthropic.PROVIDERS, _at("/v1/messages"), headers=headers)
    count = Spoken(anthropic.COUNTS, _at("/v1/messages/count_tokens"), headers=headers)
    return Plan(messages, {"anthropic-messages": messages, "anthropic-count-tokens": count})


def _ollama() -> Plan:
    chat = Spoken(ollama.PROVIDERS, _at("/api/chat"))
    generate = Spoken(ollama_generate.PROVIDERS, _at("/api/generate"))
    return Plan(chat, {"ollama-chat": chat, "ollama-generate": generate})


def _at(path: str) -> Callable[[Ask], str]:
    return lambda _: path
