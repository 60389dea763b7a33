"""`options` of a request: sampling, the limit of output, and what is not the caller's to say."""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.fields import integer_field, number_field, stop_of
from penstock_sidecar.dialects.prompt import Sampling
from penstock_sidecar.model import JsonObject

LOADING: Final = frozenset(
    "num_ctx num_batch num_gpu main_gpu num_thread draft_num_predict use_mmap use_mlock numa"  # noqa: SIM905  # words
    " low_vram f16_kv logits_all vocab_only embedding_only".split()
)
"""How a model is loaded. Ollama loads it anew for whoever asks for another `num_ctx` than it has,
which takes memory that was planned for others, and their time. So no provider gets these: the
platform says them. What does not fit its context is refused before (`context_length_exceeded`)."""
HARMLESS_OPTIONS: Final = LOADING | frozenset(
    "num_keep repeat_last_n typical_p tfs_z mirostat mirostat_eta mirostat_tau"  # noqa: SIM905  # words
    " penalize_newline".split()
)
"""Dropped for providers of other types: fine tuning of the sampler, half of which Ollama itself
does not heed any more."""
TRANSLATED_OPTIONS: Final = frozenset(
    "temperature top_p top_k min_p seed frequency_penalty presence_penalty repeat_penalty stop"  # noqa: SIM905  # words
    " num_predict".split()
)
NEUTRAL_OPTIONS: Final[Mapping[str, object]] = {
    "seed": -1,
    "top_k": 0,
    "min_p": 0,
    "repeat_penalty": 1,
}
"""These values ask for nothing."""


def sampling_of(document: JsonObject) -> Sampling:
    """Raises `Unspeakable` for an option that no other dialect could be told."""
    options = _said(document)
    return Sampling(
        temperature=number_field(options, "temperature", "options.temperature"),
        top_p=number_field(options, "top_p", "options.top_p"),
        top_k=integer_field(options, "top_k", "options.top_k"),
        min_p=number_field(options, "min_p", "options.min_p"),
        seed=integer_field(options, "seed", "options.seed"),
        frequency_penalty=number_field(options, "frequency_penalty", "options.frequency_penalty"),
        presence_penalty=number_field(options, "presence_penalty", "options.presence_penalty"),
        repetition_penalty=number_field(options, "repeat_penalty", "options.repeat_penalty"),
        stop=stop_of(options.get("stop"), "options.stop"),
        logprobs=document.get("logprobs") is True,
        top_logprobs=integer_field(document, "top_logprobs"),
    )


def num_predict_of(document: JsonObject) -> int | None:
    """`None` is no limit, which Ollama says with -1. It cuts fractions off."""
    value = options_of(document).get("num_predict")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if value >= 1 else None


def options_of(document: JsonObject) -> JsonObject:
    options = document.get("options")
    return options if isinstance(options, Mapping) else {}


def _said(document: JsonObject) -> JsonObject:
    """Those that ask for something."""
    said = {}
    for name, value in options_of(document).items():
        if value is None or name in HARMLESS_OPTIONS:
            continue
        if name not in TRANSLATED_OPTIONS:
            raise Unspeakable(f"options.{name}")
        if name not in NEUTRAL_OPTIONS or value != NEUTRAL_OPTIONS[name]:
            said[name] = value
    return said
