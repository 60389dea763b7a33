"""Which APIs have a form. One that has none is never cached."""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.cache.forms import (
    anthropic_messages,
    embeddings,
    ollama,
    openai_chat,
    openai_completions,
    openai_responses,
)
from penstock_sidecar.cache.forms.form import Form
from penstock_sidecar.model import Api

FORMS: Final[Mapping[Api, Form]] = {
    "openai-chat": openai_chat.FORM,
    "openai-completions": openai_completions.FORM,
    "openai-responses": openai_responses.FORM,
    "openai-embeddings": embeddings.OPENAI_FORM,
    "anthropic-messages": anthropic_messages.FORM,
    "ollama-chat": ollama.CHAT_FORM,
    "ollama-generate": ollama.GENERATE_FORM,
    "ollama-embed": embeddings.OLLAMA_FORM,
}
"""Left out on purpose: `anthropic-count-tokens`, whose answer is cheaper than a lookup of it, and
`ollama-embeddings`, which counts no tokens, so that nobody could say what a hit has saved; Ollama
itself has replaced it by `ollama-embed`."""


def form_of(api: Api) -> Form | None:
    return FORMS.get(api)
