"""Of each type of provider: what becomes of what a request may ask for."""

from collections.abc import Mapping
from typing import Final, Literal

from penstock_config.provider import Provider, ProviderType
from penstock_sidecar.dialects import anthropic, gemini, ollama, openai_chat
from penstock_sidecar.dialects.anthropic.traits import traits_of
from penstock_sidecar.dialects.dialect import ProviderSide
from penstock_sidecar.dialects.embeddings import gemini as gemini_embeddings
from penstock_sidecar.dialects.embeddings import ollama as ollama_embeddings
from penstock_sidecar.dialects.embeddings import openai as openai_embeddings
from penstock_sidecar.dialects.features import Feature, Lacks
from penstock_sidecar.dialects.openai_chat.write import lacks_of
from penstock_sidecar.dialects.prompt import Prompt
from penstock_sidecar.dialects.quirks import BY_PRESET, OPENAI, PLAIN
from penstock_sidecar.dialects.texts import Texts
from penstock_sidecar.model import Api
from penstock_sidecar.translation.vocabulary import ARGUMENTS
from penstock_sidecar.upstream.plans import plan_of

Fate = Literal["kept", "altered", "dropped", "refused"]

CHATS: Final[Mapping[ProviderType, ProviderSide[Prompt]]] = {
    "openai": openai_chat.providers(OPENAI),
    "azure-openai": openai_chat.providers(OPENAI),
    "anthropic": anthropic.PROVIDERS,
    "gemini": gemini.PROVIDERS,
    "ollama": ollama.PROVIDERS,
}
EMBEDDERS: Final[Mapping[ProviderType, ProviderSide[Texts]]] = {
    "openai": openai_embeddings.PROVIDERS,
    "azure-openai": openai_embeddings.PROVIDERS,
    "gemini": gemini_embeddings.PROVIDERS,
    "ollama": ollama_embeddings.PROVIDERS,
}
"""Anthropic makes no embeddings."""
EMBEDDING_FEATURES: Final = (
    Feature.COUNTED,
    Feature.DIMENSIONS,
    Feature.TASK,
    Feature.CUT,
    Feature.UNCUT,
    Feature.USER,
)
CHAT_FEATURES: Final = tuple(
    feature for feature in Feature if feature not in {*EMBEDDING_FEATURES} - {Feature.USER}
)
NARROWER: Final[Mapping[str, tuple[ProviderType, ...]]] = {
    ARGUMENTS: ("anthropic", "gemini", "ollama"),
    "a stop sequence of white space alone": ("anthropic",),
    "a file as data that is no PDF": ("anthropic",),
    "messages in which nothing is said": ("anthropic",),
    "a picture or file by a URL that begins with neither `https://` nor `gs://`": ("gemini",),
    "a tool's result without a call before it": ("gemini",),
    "a strict schema with a keyword that Gemini ignores": ("gemini",),
}
"""What is refused of features that are kept, and by whom."""
COMMON: Final = lacks_of(PLAIN)
"""What all that speak OpenAI's dialect lack."""
CLAUDES: Final = (
    "claude-sonnet-4-5",
    "claude-opus-4-6",
    "claude-opus-4-7",
    "claude-fable-5-1",
    "claude-opus-5-5",
)
"""One of each kind."""


def fate(feature: Feature, lacks: Lacks) -> Fate:
    if feature in lacks.refused:
        return "refused"
    if feature in lacks.dropped:
        return "dropped"
    return "altered" if feature in lacks.altered else "kept"


def preset_fates(preset: str) -> tuple[frozenset[Feature], frozenset[Feature]]:
    """What a provider of this preset drops and refuses beside what all do."""
    lacks = lacks_of(BY_PRESET[preset])
    return lacks.dropped - COMMON.dropped, lacks.refused - COMMON.refused


def model_fates(model: str) -> tuple[frozenset[Feature], frozenset[Feature]]:
    """What this model of Anthropic's drops and refuses beside its dialect."""
    traits = traits_of(model)
    return traits.drops, traits.refuses


def passages(type_: ProviderType) -> Mapping[Api, str | None]:
    """What passes untouched, and which capability the model needs for it. Of OpenAI itself, where
    presets differ."""
    preset = "openai" if type_ == "openai" else None
    provider = Provider(
        id="a/b", type=type_, preset=preset, base_url="http://x", needs_key=False, models=()
    )
    return {api: spoken.needs for api, spoken in plan_of(provider).same.items()}
