"""What of a request has no price that is known beforehand: refused where a budget refuses.

A field is bounded when it changes nothing in the bill, or only what is bounded anyway: input by the
body's bytes and the number of pictures, output by its cap and the number of answers. What is not
known to be so is not bounded: hosted tools and searches, sound, files, predictions (rejected tokens
are billed as output, beside the cap), templates (they can loop), dearer service tiers, plugins.
https://platform.openai.com/docs/api-reference/chat/create, and what others add to it.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final

from penstock_sidecar.metering import features_embeddings
from penstock_sidecar.metering.parts import (
    IMAGE_PARTS,
    TEXT_PARTS,
    image_url,
    kind_of,
    messages_of,
    parts_of,
)
from penstock_sidecar.model import Api, JsonObject, Request

KNOWN_FIELDS: Final = frozenset(
    # OpenAI's own.
    "model messages max_tokens max_completion_tokens n stream stream_options temperature top_p stop"  # noqa: SIM905  # words, not sixty lines
    " frequency_penalty presence_penalty logit_bias logprobs top_logprobs seed user metadata store"
    " safety_identifier prompt_cache_key reasoning_effort verbosity"
    " response_format functions function_call tool_choice parallel_tool_calls"
    # Sampling, at vLLM, Together, Fireworks, Groq, OpenRouter and Mistral.
    " top_k top_a min_p typical_p repetition_penalty length_penalty min_tokens ignore_eos"
    " random_seed stop_token_ids include_stop_str_in_output skip_special_tokens bad_words"
    " spaces_between_special_tokens guided_json guided_regex guided_choice guided_grammar"
    " structured_outputs safe_prompt"
    # Thinking: within the cap on output.
    " thinking enable_thinking thinking_budget include_reasoning reasoning_format"
    " separate_reasoning".split()
)
PLAIN_TIERS: Final = frozenset(
    {"auto", "default", "flex", "on_demand", "standard", "standard_only"}
)
"""At the listed price or below. `auto` is what absence means too."""
SHORT_CACHES: Final = frozenset({"in_memory", "in-memory"})
"""OpenAI spells it both ways. What is kept for a day is dearer to write at its newer models."""
THINKING: Final = frozenset({"effort", "max_tokens", "enabled", "exclude", "summary"})
"""Of `reasoning`, at OpenRouter. A mode that asks several models at once is not among them."""
OWN_TOOLS: Final = frozenset({"function", "custom"})
"""The caller runs them himself."""


def unbounded_feature(request: Request) -> str | None:
    """The path of a field for which there is no most that it can cost; `None` where all are
    bounded. Names only what the protocol names, and other fields by name, never by value."""
    return next(BY_API.get(request.api, _of_chat)(request), None)


def _of_chat(request: Request) -> Iterator[str]:
    for name, value in request.document.items():
        if value is not None and name not in KNOWN_FIELDS:
            found = _JUDGES[name](value, request) if name in _JUDGES else name
            if found is not None:
                yield found
    for path, message in messages_of(request.document):
        if message.get("audio") is not None:
            yield f"{path}.audio"
    for path, part in parts_of(request.document):
        if (wrong := _of_part(part)) is not None:
            yield f"{path}.{wrong}"


def _of_part(part: JsonObject) -> str | None:
    kind = kind_of(part)
    if kind in TEXT_PARTS:
        return None
    if kind not in IMAGE_PARTS:
        return "type"
    url = image_url(part)
    return "image_url" if url.startswith("data:") and not url.startswith("data:image/") else None


def _service_tier(value: object, _: Request) -> str | None:
    return None if isinstance(value, str) and value in PLAIN_TIERS else "service_tier"


def _retention(value: object, _: Request) -> str | None:
    kept_short = isinstance(value, str) and value in SHORT_CACHES
    return None if kept_short else "prompt_cache_retention"


def _reasoning(value: object, _: Request) -> str | None:
    within_cap = isinstance(value, Mapping) and value.keys() <= THINKING
    return None if within_cap else "reasoning"


def _modalities(value: object, _: Request) -> str | None:
    return None if value == ["text"] else "modalities"


def _best_of(value: object, request: Request) -> str | None:
    return None if isinstance(value, int) and value <= request.choices else "best_of"


def _tools(value: object, _: Request) -> str | None:
    for index, tool in enumerate(value if isinstance(value, list) else [None]):
        if not isinstance(tool, Mapping) or kind_of(tool) not in OWN_TOOLS:
            return f"tools[{index}]"
    return None


_JUDGES: Final[Mapping[str, Callable[[object, Request], str | None]]] = MappingProxyType(
    {
        "service_tier": _service_tier,
        "prompt_cache_retention": _retention,
        "reasoning": _reasoning,
        "modalities": _modalities,
        "best_of": _best_of,
        "tools": _tools,
    }
)
"""Fields that are bounded by some of their values."""

BY_API: Final[Mapping[Api, Callable[[Request], Iterator[str]]]] = MappingProxyType(
    {
        "openai-embeddings": features_embeddings.of_openai,
        "ollama-embed": features_embeddings.of_ollama,
        "ollama-embeddings": features_embeddings.of_ollama,
    }
)
"""Each finds the fields that are not bounded; what has none of its own is judged as chat is."""
