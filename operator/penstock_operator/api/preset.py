"""Providers known by name: what `preset` fills in."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

ProviderType = Literal["openai", "azure-openai", "anthropic", "gemini", "ollama"]
PresetName = Literal[
    "anthropic",
    "cerebras",
    "deepseek",
    "fireworks",
    "gemini",
    "groq",
    "huggingface",
    "mistral",
    "openai",
    "openrouter",
    "perplexity",
    "together",
    "vllm",
    "xai",
]


class Preset(NamedTuple):
    """`base_url` of `None`: everybody runs his own, and must say where."""

    type: ProviderType
    base_url: str | None


PRESETS: Final[Mapping[PresetName, Preset]] = MappingProxyType(
    {
        "anthropic": Preset("anthropic", "https://api.anthropic.com"),
        "cerebras": Preset("openai", "https://api.cerebras.ai/v1"),
        "deepseek": Preset("openai", "https://api.deepseek.com/v1"),
        "fireworks": Preset("openai", "https://api.fireworks.ai/inference/v1"),
        "gemini": Preset("gemini", "https://generativelanguage.googleapis.com/v1beta"),
        "groq": Preset("openai", "https://api.groq.com/openai/v1"),
        "huggingface": Preset("openai", "https://router.huggingface.co/v1"),
        "mistral": Preset("openai", "https://api.mistral.ai/v1"),
        "openai": Preset("openai", "https://api.openai.com/v1"),
        "openrouter": Preset("openai", "https://openrouter.ai/api/v1"),
        "perplexity": Preset("openai", "https://api.perplexity.ai"),
        "together": Preset("openai", "https://api.together.xyz/v1"),
        "vllm": Preset("openai", None),
        "xai": Preset("openai", "https://api.x.ai/v1"),
    }
)
