"""Whether one answer would have done in another's place. Pure.

Only what is plain is judged: an error that is none costs hits, one that goes unseen costs trust.
Answers are compared by their words alone: most are longer than the embedder's window.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final, Literal

from penstock_sidecar.dialects.document import parse

Verdict = Literal["same", "other", "unsure"]
Contradict = Callable[[str, str], bool]
"""Whether two texts differ in numbers, names, negation and the like, and not in wording alone."""

MAX_CHARACTERS: Final = 8192
"""Of an answer: its beginning says enough."""
BRIEF_CHARACTERS: Final = 240
"""Up to here a single number or name is the answer, and not a detail of it."""
FEW_CHARACTERS: Final = 40
"""Below, two wordings of one answer may have nothing in common: "Yes." and "Correct, it does"."""
ALIKE: Final = 0.9
UNLIKE: Final = 0.4
"""Cosines of counted trigrams. Guesses, on the safe side: two answers by one model to one question
at temperature 0 share most of their wording, answers to two questions at least their language."""
GRAM: Final = 3


def judged(kept: str, given: str, contradict: Contradict) -> Verdict:
    """`given` is what the model said when it was asked after all."""
    a, b = kept[:MAX_CHARACTERS], given[:MAX_CHARACTERS]
    if _essence(a) == _essence(b):
        return "same"
    if _is_json(a) and _is_json(b):
        return "other"
    if max(len(a), len(b)) <= BRIEF_CHARACTERS and contradict(a, b):
        return "other"
    return _by_wording(a, b, contradict)


def _by_wording(a: str, b: str, contradict: Contradict) -> Verdict:
    near = _cosine(_grams(a), _grams(b))
    if near >= ALIKE and not contradict(a, b):
        return "same"
    if near <= UNLIKE and min(len(a), len(b)) >= FEW_CHARACTERS:
        return "other"
    return "unsure"


def _essence(text: str) -> object:
    """Of JSON its value; of any other text the words and signs, however they are spaced."""
    value = _json(text)
    return " ".join(text.casefold().split()).rstrip(".! ") if value is None else (value,)


def _is_json(text: str) -> bool:
    return _json(text) is not None


def _json(text: str) -> object:
    """An object or array; None for anything else."""
    if text.lstrip()[:1] not in {"{", "["}:
        return None
    try:
        return parse(text.encode("utf-8", "replace"))
    except ValueError:
        return None


def _grams(text: str) -> Mapping[str, int]:
    """G. Salton, "The SMART Retrieval System", 1971, with letters for words."""
    plain = f" {' '.join(text.casefold().split())} "
    return Counter(plain[at : at + GRAM] for at in range(len(plain) - GRAM + 1))


def _cosine(a: Mapping[str, int], b: Mapping[str, int]) -> float:
    both = math.sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values()))
    return sum(n * b[gram] for gram, n in a.items() if gram in b) / both if both else 0.0
