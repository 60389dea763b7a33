"""Requests for embeddings: OpenAI's, and Ollama's two.

https://platform.openai.com/docs/api-reference/embeddings/create and docs/api.md of ollama/ollama.
No message repeats a value of the caller's: it may be his text.
"""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import OLLAMA_APIS, Api, JsonObject, Request
from penstock_sidecar.normalise.caching import cache_control
from penstock_sidecar.normalise.document import (
    model_of,
    read_document,
    refuse_other_case,
    without_own_fields,
)

NEEDS: Final = "`model` and `input`"
FORMER_NEEDS: Final = "`model` and `prompt`"
NO_TEXTS: Final[tuple[object, ...]] = (None, "", [])


def parse_openai_embeddings(body: bytes, headers: Mapping[str, str], call_id: str) -> Request:
    """`headers` in lower case. Raises `MalformedRequest`, naming the field and what to change."""
    document = read_document(body, NEEDS)
    tokens = _counted_tokens(document.get("input"))
    if tokens is None:
        _require_texts(document)
    return _request(body, document, headers, call_id, "openai-embeddings", tokens)


def parse_ollama_embed(body: bytes, headers: Mapping[str, str], call_id: str) -> Request:
    """Likewise; none at all is Ollama's way to load a model, and no error."""
    document = read_document(body, NEEDS)
    if document.get("input") not in NO_TEXTS:
        _require_texts(document)
    return _request(body, document, headers, call_id, "ollama-embed")


def parse_ollama_embeddings(body: bytes, headers: Mapping[str, str], call_id: str) -> Request:
    """Likewise, of the API that `/api/embed` has replaced."""
    document = read_document(body, FORMER_NEEDS)
    if not isinstance(document.get("prompt", ""), str | None):
        raise MalformedRequest("`prompt` must be a text", param="prompt")
    return _request(body, document, headers, call_id, "ollama-embeddings")


def _request(  # what the three have in common
    body: bytes,
    document: dict[str, object],
    headers: Mapping[str, str],
    call_id: str,
    api: Api,
    counted_tokens: int | None = None,
) -> Request:
    if api in OLLAMA_APIS:
        refuse_other_case(document)
    model = model_of(document)
    control = cache_control(headers, document.get("cache"))
    body, document = without_own_fields(body, document)
    return Request(
        call_id=call_id,
        api=api,
        model=model,
        stream=False,
        usage_wanted=False,
        body=body,
        document=document,
        headers=headers,
        cache_control=control,
        text_only=counted_tokens is None,
        counted_tokens=counted_tokens,
    )


def _counted_tokens(value: object) -> int | None:
    """How many there are in one list of tokens, or in several; `None` for text."""
    match value:
        case [int(), *_]:
            return _length(value) or None
        case [list(), *_]:
            lengths = [_length(one) for one in value]
            return sum(lengths) if all(lengths) else None
        case _:
            return None


def _length(tokens: object) -> int:
    """0 for what is no list of tokens."""
    if not isinstance(tokens, list) or any(type(token) is not int for token in tokens):
        return 0
    return len(tokens)


def _require_texts(document: JsonObject) -> None:
    """One text, or several."""
    value = document.get("input")
    if value is None:
        raise MalformedRequest("`input` is missing: send a text, or a list of texts", param="input")
    if isinstance(value, str):
        return
    if not isinstance(value, list) or not value:
        raise MalformedRequest("`input` must be a text, or a list with at least one", param="input")
    wrong = next((i for i, text in enumerate(value) if not isinstance(text, str)), None)
    if wrong is not None:
        param = f"input[{wrong}]"
        raise MalformedRequest(f"`{param}` must be a text", param=param)
