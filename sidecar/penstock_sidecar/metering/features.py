"""What of a request has no price that is known beforehand: refused where a budget refuses.

A field is bounded when it changes nothing in the bill, or only what is bounded anyway: input by the
body's bytes and the number of pictures, output by its cap and the number of answers. What is not
known to be so is not bounded: hosted tools and searches, sound, files, predictions (rejected tokens
are billed as output, beside the cap), templates (they can loop), dearer service tiers, plugins.
https://platform.openai.com/docs/api-reference/chat/create, and what others add to it.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from types import MappingProxyType
from typing import Final

from penstock_config.provider import ProviderType
from penstock_sidecar.metering import (
    features_anthropic,
    features_embeddings,
    features_gemini,
    features_ollama,
    features_openai,
)
from penstock_sidecar.metering.parts import (
    IMAGE_PARTS,
    TEXT_PARTS,
    image_url,
    kind_of,
    messages_of,
    parts_of,
)
from penstock_sidecar.metering.terms import dear_tier, hosted_tool, long_cache
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
THINKING: Final = frozenset({"effort", "max_tokens", "enabled", "exclude", "summary"})
"""Of `reasoning`, at OpenRouter. A mode that asks several models at once is not among them."""


def unbounded_feature(request: Request, provider_type: ProviderType) -> str | None:
    """The path of a field for which there is no most that it can cost there; `None` where all are
    bounded. Names only what the protocol names, and other fields by name, never by value."""
    found = BY_API.get(request.api, _of_chat)(request)
    if of_provider := BY_PROVIDER.get(provider_type):
        found = chain(found, of_provider(request))
    return next(found, None)


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
    return "service_tier" if dear_tier(value) else None


def _retention(value: object, _: Request) -> str | None:
    return "prompt_cache_retention" if long_cache(value) else None


def _reasoning(value: object, _: Request) -> str | None:
    within_cap = isinstance(value, Mapping) and value.keys() <= THINKING
    return None if within_cap else "reasoning"


def _modalities(value: object, _: Request) -> str | None:
    return None if value == ["text"] else "modalities"


def _best_of(value: object, request: Request) -> str | None:
    return None if isinstance(value, int) and value <= request.choices else "best_of"


def _tools(value: object, _: Request) -> str | None:
    place = hosted_tool(value)
    return None if place is None else f"tools[{place}]"


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
        "anthropic-messages": features_anthropic.of_messages,
        "openai-completions": features_openai.of_completion,
        "openai-responses": features_openai.of_response,
        "openai-embeddings": features_embeddings.of_openai,
        "ollama-embed": features_embeddings.of_ollama,
        "ollama-embeddings": features_embeddings.of_ollama,
        "ollama-chat": features_ollama.of_chat,
        "ollama-generate": features_ollama.of_generate,
    }
)
"""Each finds the fields that are not bounded; what has none of its own is judged as chat is."""
BY_PROVIDER: Final[Mapping[ProviderType, Callable[[Request], Iterator[str]]]] = MappingProxyType(
    {"gemini": features_gemini.of_gemini}
)
"""The same of those who bill what others do not."""
