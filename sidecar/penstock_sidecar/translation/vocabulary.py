"""Of each caller's API: what becomes of its fields where the provider speaks another dialect."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from penstock_sidecar.dialects.anthropic import read as messages
from penstock_sidecar.dialects.embeddings import ollama as ollama_embeddings
from penstock_sidecar.dialects.embeddings import openai as openai_embeddings
from penstock_sidecar.dialects.ollama import options
from penstock_sidecar.dialects.ollama import read as ollama_chat
from penstock_sidecar.dialects.ollama_generate import read as ollama_generate
from penstock_sidecar.dialects.openai_chat import read as chat
from penstock_sidecar.dialects.openai_completions import read as completions
from penstock_sidecar.dialects.openai_responses import read as responses
from penstock_sidecar.model import Api


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every field that the vendor publishes is in exactly one of these; one that nobody knows is
    refused too."""

    translated: frozenset[str]
    dropped: frozenset[str]
    neutral: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    """Refused, but for these values, which ask for nothing."""
    refused: frozenset[str] = frozenset()
    narrower: tuple[str, ...] = ()
    """What is refused of fields that are translated, in words."""


TOOLS_OF_OTHERS: Final = "tools that run elsewhere than with the caller"
UNKNOWN_PARTS: Final = "parts of a message that are no text, picture, sound, file, call or result"
URL_DATA: Final = "a data URL that is not base64"
OF_THREE: Final = "pictures that are no PNG, JPEG, GIF or WebP"
ARGUMENTS: Final = "arguments of a former call that are no JSON object"

VOCABULARIES: Final[Mapping[Api, Vocabulary]] = {
    "openai-chat": Vocabulary(
        chat.TRANSLATED,
        chat.HARMLESS,
        chat.NEUTRAL,
        frozenset({"audio", "moderation", "web_search_options"}),
        (TOOLS_OF_OTHERS, UNKNOWN_PARTS, URL_DATA, "an answer of before that is sound"),
    ),
    "openai-completions": Vocabulary(
        completions.TRANSLATED,
        completions.HARMLESS,
        completions.NEUTRAL,
        narrower=(
            "several prompts at once",
            "a prompt of tokens",
            "`best_of` above `n`",
            "`echo` together with `logprobs`",
            "`max_tokens` of 0",
        ),
    ),
    "openai-responses": Vocabulary(
        responses.TRANSLATED | {"previous_response_id"},
        responses.HARMLESS,
        responses.NEUTRAL,
        frozenset({"access_programs", "conversation", "image", "moderation", "prompt"}),
        (TOOLS_OF_OTHERS, UNKNOWN_PARTS, URL_DATA, "items of tools that ran elsewhere"),
    ),
    "openai-embeddings": Vocabulary(
        openai_embeddings.TRANSLATED | {"input_type"}, openai_embeddings.HARMLESS
    ),
    "anthropic-messages": Vocabulary(
        messages.TRANSLATED,
        messages.HARMLESS,
        messages.NEUTRAL,
        frozenset({"container"}),
        (TOOLS_OF_OTHERS, UNKNOWN_PARTS, "citations", "files kept at Anthropic"),
    ),
    "ollama-chat": Vocabulary(
        ollama_chat.TRANSLATED,
        ollama_chat.HARMLESS,
        ollama_chat.NEUTRAL,
        narrower=(OF_THREE, ARGUMENTS, "a tool's result without a call before it"),
    ),
    "ollama-generate": Vocabulary(
        ollama_generate.TRANSLATED,
        ollama_chat.HARMLESS,
        ollama_generate.NEUTRAL,
        frozenset({"height", "steps", "width"}),
        (OF_THREE,),
    ),
    "ollama-embed": Vocabulary(ollama_embeddings.TRANSLATED, ollama_embeddings.HARMLESS),
    "ollama-embeddings": Vocabulary(
        ollama_embeddings.FORMER_TRANSLATED, ollama_embeddings.HARMLESS
    ),
}
"""`anthropic-count-tokens` takes what messages take; but for Anthropic's own, tokens are estimated.
"""
OPTIONS: Final = Vocabulary(options.TRANSLATED_OPTIONS, options.HARMLESS_OPTIONS)
"""Of Ollama's `options`, for chat and generate."""
