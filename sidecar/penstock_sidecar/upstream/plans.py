"""What each type of provider speaks itself, and under which paths; all else is translated."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from penstock_config.provider import Capability, Model, Provider, ProviderType
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
from penstock_sidecar.dialects.embeddings import gemini as gemini_embed
from penstock_sidecar.dialects.embeddings import ollama as ollama_embed
from penstock_sidecar.dialects.embeddings import openai as openai_embeddings
from penstock_sidecar.dialects.embeddings.passage import PASSAGE as EMBEDDINGS_PASSAGE
from penstock_sidecar.dialects.ollama.passage import embedding_body
from penstock_sidecar.dialects.quirks import quirks_of
from penstock_sidecar.model import EMBEDDING_APIS, Api, Request
from penstock_sidecar.upstream.azure import azure_paths, has_responses
from penstock_sidecar.upstream.incoming import MAX_ANSWER_BYTES, MAX_VECTORS_BYTES

CALLERS: Final[Mapping[Api, CallerSide[Any]]] = {
    "openai-chat": openai_chat.CALLERS,
    "openai-completions": openai_completions.CALLERS,
    "openai-responses": openai_responses.CALLERS,
    "openai-embeddings": openai_embeddings.CALLERS,
    "ollama-chat": ollama.CALLERS,
    "ollama-generate": ollama_generate.CALLERS,
    "ollama-embed": ollama_embed.CALLERS,
    "ollama-embeddings": ollama_embed.FORMER_CALLERS,
    "anthropic-messages": anthropic.CALLERS,
}
"""For those whose provider speaks another dialect."""
OLLAMA_EMBEDDINGS_PASSAGE: Final = replace(EMBEDDINGS_PASSAGE, body=embedding_body)
PASSAGES: Final[Mapping[Api, Passage]] = {
    "openai-chat": openai_chat.PASSAGE,
    "openai-completions": openai_completions.PASSAGE,
    "openai-responses": openai_responses.PASSAGE,
    "openai-embeddings": EMBEDDINGS_PASSAGE,
    "ollama-chat": ollama.PASSAGE,
    "ollama-generate": ollama_generate.PASSAGE,
    "ollama-embed": OLLAMA_EMBEDDINGS_PASSAGE,
    "ollama-embeddings": OLLAMA_EMBEDDINGS_PASSAGE,
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
    max_answer_bytes: int = MAX_ANSWER_BYTES

    def serves(self, model: Model) -> bool:
        return self.needs is None or self.needs in model.capabilities


@dataclass(frozen=True, slots=True)
class Plan:
    """`same` holds those that callers speak too: there bytes pass through."""

    chat: Spoken
    same: Mapping[Api, Spoken] = field(default_factory=dict)
    embed: Spoken | None = None
    """`None`: it makes no embeddings."""

    def passing(self, api: Api, model: Model) -> Spoken | None:
        """What serves callers of this API in their own words."""
        spoken = self.same.get(api)
        return spoken if spoken and spoken.serves(model) else None

    def spoken(self, api: Api, model: Model) -> Spoken | None:
        """What serves a caller of this API; `None` where nothing does."""
        other = self.embed if api in EMBEDDING_APIS else self.chat
        return self.passing(api, model) or other


def plan_of(provider: Provider) -> Plan:
    """By its type."""
    return _PLANS[provider.type](provider)


def _azure(provider: Provider) -> Plan:
    plan = _openai_at(provider, azure_paths(provider.api_version))
    if has_responses(provider.api_version):
        return plan
    same = dict(plan.same)
    same.pop("openai-responses", None)
    return replace(plan, same=same)


def _openai(provider: Provider) -> Plan:
    return _openai_at(provider, _at)


def _openai_at(provider: Provider, at: Callable[[str], Callable[[Ask], str]]) -> Plan:
    """`at` makes a path of OpenAI's the provider's."""
    quirks = quirks_of(provider.base_url, provider.preset, provider.type)
    chat = Spoken(openai_chat.providers(quirks), at("/chat/completions"))
    completions = Spoken(openai_completions.PROVIDERS, at("/completions"), "completions")
    embed = _embeds(openai_embeddings.PROVIDERS, at("/embeddings"))
    same: dict[Api, Spoken] = {
        "openai-chat": chat,
        "openai-completions": completions,
        "openai-embeddings": embed,
    }
    if quirks.responses:
        same["openai-responses"] = Spoken(openai_responses.PROVIDERS, at("/responses"))
    return Plan(chat, same, embed)


def _anthropic(provider: Provider) -> Plan:
    headers = anthropic.headers_for(provider.headers)
    messages = Spoken(anthropic.PROVIDERS, _at("/v1/messages"), headers=headers)
    count = Spoken(anthropic.COUNTS, _at("/v1/messages/count_tokens"), headers=headers)
    return Plan(messages, {"anthropic-messages": messages, "anthropic-count-tokens": count})


def _gemini(_: Provider) -> Plan:
    embed = _embeds(gemini_embed.PROVIDERS, gemini_embed.path)
    return Plan(Spoken(gemini.PROVIDERS, gemini.path_of), embed=embed)


def _ollama(_: Provider) -> Plan:
    chat = Spoken(ollama.PROVIDERS, _at("/api/chat"))
    generate = Spoken(ollama_generate.PROVIDERS, _at("/api/generate"))
    embed = _embeds(ollama_embed.PROVIDERS, _at("/api/embed"))
    former = _embeds(ollama_embed.FORMER_PROVIDERS, _at("/api/embeddings"))
    same: dict[Api, Spoken] = {
        "ollama-chat": chat,
        "ollama-generate": generate,
        "ollama-embed": embed,
        "ollama-embeddings": former,
    }
    return Plan(chat, same, embed)


def _embeds(side: ProviderSide[Any], path: Callable[[Ask], str]) -> Spoken:
    return Spoken(side, path, max_answer_bytes=MAX_VECTORS_BYTES)


def _at(path: str) -> Callable[[Ask], str]:
    return lambda _: path


_PLANS: Final[Mapping[ProviderType, Callable[[Provider], Plan]]] = {
    "openai": _openai,
    "azure-openai": _azure,
    "anthropic": _anthropic,
    "gemini": _gemini,
    "ollama": _ollama,
}
