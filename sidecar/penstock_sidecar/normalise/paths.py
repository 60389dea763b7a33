"""Which path of which API is read by what."""

from collections.abc import Callable, Mapping
from typing import Final

from penstock_sidecar.model import Request
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

Parse = Callable[[bytes, Mapping[str, str], str], Request]
"""Body, headers (names in lower case) and call id to a request, or a `CallerError`."""

PARSES: Final[Mapping[str, Parse]] = {
    "/v1/chat/completions": parse_chat,
    "/v1/completions": parse_completion,
    "/v1/responses": parse_response,
    "/v1/embeddings": parse_openai_embeddings,
    "/v1/messages": parse_messages,
    "/v1/messages/count_tokens": parse_count,
    "/api/chat": parse_ollama_chat,
    "/api/generate": parse_generate,
    "/api/embed": parse_ollama_embed,
    "/api/embeddings": parse_ollama_embeddings,
}
"""All that a model is asked by, with POST."""
OLLAMAS: Final = "/api/"
"""How the paths of Ollama's own API begin."""
