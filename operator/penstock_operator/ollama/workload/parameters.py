"""PARAMETER lines of a Modelfile as `/api/create` takes them: each of its own type.

Names and types are those of `api.Options` in Ollama's source, of older releases too.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from penstock_operator.api.ollama import Parameter
from penstock_operator.ollama.models_file import ParameterValue

CONTEXT: Final = "num_ctx"
LISTS: Final = frozenset({"stop"})
INTEGERS: Final = frozenset(
    {
        *("num_keep", "seed", "num_predict", "top_k", "repeat_last_n", "mirostat"),
        *(CONTEXT, "num_batch", "num_gpu", "main_gpu", "num_thread", "num_gqa"),
        "draft_num_predict",
    }
)
NUMBERS: Final = frozenset(
    {
        *("top_p", "min_p", "typical_p", "temperature", "tfs_z"),
        *("repeat_penalty", "presence_penalty", "frequency_penalty"),
        *("mirostat_tau", "mirostat_eta", "rope_frequency_base", "rope_frequency_scale"),
    }
)
TRUTHS: Final = frozenset(
    {
        *("use_mmap", "use_mlock", "numa", "low_vram", "f16_kv", "logits_all", "vocab_only"),
        "penalize_newline",
    }
)
TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})
"""What Ollama itself reads as a truth value in a Modelfile."""


def typed(parameters: Iterable[Parameter]) -> Mapping[str, ParameterValue]:
    """By name. Of `stop` every line counts, of others the last.

    A text that is none of its type stays a text: Ollama says what is wrong with it, and that
    reaches the provider's status.
    """
    found: dict[str, ParameterValue] = {}
    for each in parameters:
        if each.name in LISTS:
            before = found.get(each.name, ())
            found[each.name] = (*(before if isinstance(before, tuple) else ()), each.value)
        else:
            found[each.name] = _value(each.name, each.value)
    return found


def _value(name: str, text: str) -> ParameterValue:
    if name in TRUTHS:
        return text in TRUE if text in TRUE | FALSE else text
    if name in INTEGERS:
        return _integer(text)
    if name in NUMBERS:
        return _number(text)
    guess = _integer(text)  # of a newer Ollama
    return guess if not isinstance(guess, str) else _number(text)


def _integer(text: str) -> int | str:
    try:
        return int(text) if text.isascii() and "_" not in text else text
    except ValueError:
        return text


def _number(text: str) -> float | str:
    try:
        found = float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return text
    finite = found is not None and abs(found) < float("inf")  # JSON has no others
    return found if found is not None and finite else text
