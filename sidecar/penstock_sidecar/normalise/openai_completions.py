"""OpenAI's legacy completion request: https://platform.openai.com/docs/api-reference/completions.

Checks what routing, limits and cache build upon, as the chat's parser does.
"""

from collections.abc import Mapping

from penstock_sidecar.dialects.openai_completions.read import MAX_TOKENS
from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.model import JsonObject, Request
from penstock_sidecar.normalise.caching import cache_control
from penstock_sidecar.normalise.document import model_of, read_document, without_own_fields
from penstock_sidecar.normalise.fields import MAX_COUNT, count_field, flag_field
from penstock_sidecar.normalise.openai import MAX_CHOICES, usage_wanted


def parse_completion(body: bytes, headers: Mapping[str, str], call_id: str) -> Request:
    """`headers` in lower case. Raises `MalformedRequest`, naming the field and what to change."""
    document = read_document(body, "`model` and `prompt`")
    model = model_of(document)
    stream = flag_field(document, "stream")
    control = cache_control(headers, document.get("cache"))
    body, document = without_own_fields(body, document)
    return Request(
        call_id=call_id,
        api="openai-completions",
        model=model,
        stream=stream,
        usage_wanted=usage_wanted(document, stream=stream),
        body=body,
        document=document,
        headers=headers,
        max_output_tokens=_max_output_tokens(document),
        choices=_prompts(document) * _answers(document, stream=stream),
        cache_control=control,
    )


def _prompts(document: JsonObject) -> int:
    """A text, tokens, or a list of either."""
    match document.get("prompt"):
        case None:
            raise MalformedRequest("`prompt` is missing: send a text", param="prompt")
        case str() | [int(), *_]:
            return 1
        case [str() | [int(), *_], *_] as prompts if len(prompts) <= MAX_CHOICES:
            return len(prompts)
        case _:
            raise MalformedRequest(
                f"`prompt` must be a text, a list of tokens, or a list of 1 to {MAX_CHOICES} such",
                param="prompt",
            )


def _answers(document: JsonObject, *, stream: bool) -> int:
    """For each prompt: `best_of` are generated, and `n` of them come back."""
    wanted = count_field(document, "n", MAX_CHOICES) or 1
    made = count_field(document, "best_of", MAX_CHOICES) or wanted
    if made < wanted:
        raise MalformedRequest("`best_of` must not be less than `n`", param="best_of")
    if stream and made > wanted:
        raise MalformedRequest(
            "`best_of` must not be more than `n` with `stream: true`", param="best_of"
        )
    return made


def _max_output_tokens(document: JsonObject) -> int:
    """None at all may be asked for: with `echo`, to score a text."""
    value = document.get("max_tokens")
    if value is None:
        return MAX_TOKENS
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_COUNT:
        raise MalformedRequest(
            f"`max_tokens` must be an integer from 0 to {MAX_COUNT}", param="max_tokens"
        )
    return value
