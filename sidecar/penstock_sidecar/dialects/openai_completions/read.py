"""Reads a request: one prompt becomes one user turn.

What only a model of texts can do is named: to go on from tokens, to fill in before a suffix, to
rank its own answers.
"""

from collections.abc import Mapping
from typing import Final, cast

from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.fields import (
    integer_field,
    number_field,
    object_of,
    refuse_unknown,
    stop_of,
)
from penstock_sidecar.dialects.prompt import Prompt, Sampling, Text, Turn
from penstock_sidecar.model import JsonObject

MAX_TOKENS: Final = 16
"""The API's own default."""
SPELLED: Final = {"messages": "prompt", "choices": "n", "top_logprobs": "logprobs"}
TRANSLATED: Final = frozenset(
    "model prompt stream stream_options max_tokens n best_of echo logprobs logit_bias stop user"  # noqa: SIM905  # words
    " temperature top_p top_k min_p seed frequency_penalty presence_penalty"
    " repetition_penalty".split()
)
HARMLESS: Final = frozenset({"metadata", "store", "service_tier", "safety_identifier"})
NEUTRAL: Final[Mapping[str, tuple[object, ...]]] = {"suffix": ("",)}
"""Have no words elsewhere, but these values ask for nothing."""


def read_request(document: JsonObject) -> Prompt:
    """Raises `Unspeakable`."""
    refuse_unknown(document, TRANSLATED, HARMLESS, NEUTRAL)
    most = integer_field(document, "max_tokens")
    if most == 0:
        raise Unspeakable("max_tokens", " where it is 0")
    text = prompt_text(document)
    user = document.get("user")
    return Prompt(
        turns=(Turn("user", (Text(text, "prompt"),), "prompt"),),
        max_output_tokens=MAX_TOKENS if most is None else most,
        sampling=_sampling(document),
        user=user if isinstance(user, str) and user else None,
        spelled=SPELLED,
    )


def prompt_text(document: JsonObject) -> str:
    """Raises `Unspeakable` for tokens, and for more than one prompt."""
    match document.get("prompt"):
        case str(text) | [str(text)]:
            return text
        case _:
            raise Unspeakable("prompt", " unless it is one text")


def echo_of(document: JsonObject) -> str:
    """What comes before each answer."""
    return prompt_text(document) if document.get("echo") is True else ""


def _sampling(document: JsonObject) -> Sampling:
    choices = integer_field(document, "n") or 1
    if (integer_field(document, "best_of") or choices) > choices:
        raise Unspeakable("best_of", " where it is more than `n`")
    logprobs = integer_field(document, "logprobs")
    if logprobs is not None and document.get("echo") is True:
        raise Unspeakable("echo", " together with `logprobs`")
    return Sampling(
        temperature=number_field(document, "temperature"),
        top_p=number_field(document, "top_p"),
        top_k=integer_field(document, "top_k"),
        min_p=number_field(document, "min_p"),
        seed=integer_field(document, "seed"),
        frequency_penalty=number_field(document, "frequency_penalty"),
        presence_penalty=number_field(document, "presence_penalty"),
        repetition_penalty=number_field(document, "repetition_penalty"),
        stop=stop_of(document.get("stop"), "stop"),
        choices=choices,
        logprobs=logprobs is not None,
        top_logprobs=logprobs or None,
        logit_bias=cast("Mapping[str, float]", object_of(document.get("logit_bias"))),
    )
