"""Cuts a word's inflection off, so that its forms are one word."""

from typing import Final

VOWELS: Final = frozenset("aeiouy")
KEPT_ENDINGS: Final = ("ss", "us", "is")
LEAST: Final = 3
"""Letters that must be left."""
LEAST_BEFORE: Final = 5
"""An ending that makes another kind of word."""


def stem(word: str) -> str:
    """Of lower-case English; other words lose at most a few letters, always the same ones.
    Comparatives (-er, -est) and negations (-less) stay what they are."""
    if len(word) < LEAST:
        return word
    word = _singular(word)
    if word.endswith("ied") or (word.endswith("ed") and word[0] in VOWELS):
        word = word[:-1] if len(word) == LEAST + 1 else word  # died, used
    if len(word) > LEAST_BEFORE and word.endswith(("ise", "ised", "ising")):
        word = word.replace("is", "iz")
    word = _of_noun(_of_adverb(word))
    for ending in ("ing", "ed"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= LEAST and VOWELS & set(rest):
            word = rest
            break
    return _bare(word)


def _singular(word: str) -> str:
    if len(word) <= LEAST or not word.endswith("s") or word.endswith(KEPT_ENDINGS):
        return word
    if word.endswith(("xes", "ches", "shes", "sses", "zes")):
        return word[:-2]
    return word[:-1]


def _of_adverb(word: str) -> str:
    """The adjective: frequently, automatically. Short ones mean something else: hardly, lately."""
    for ending in ("ically", "ly"):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= LEAST_BEFORE:
            return rest + ending[:-4] if len(ending) > LEAST else rest
    return word


def _of_noun(word: str) -> str:
    """The verb: notification, translation."""
    for ending, verb in (("ification", "ify"), ("ation", "ate")):
        rest = word.removesuffix(ending)
        if rest != word and len(rest) >= LEAST:
            return rest + verb
    return word


def _bare(word: str) -> str:
    """Without what a suffix changes before itself: a last e, y for i, one of two letters."""
    if len(word) > LEAST:
        word = word.removesuffix("e")
    if word[-1] in "iy":
        return word[:-1] + "i"
    return word[:-1] if len(word) > LEAST and word[-1] == word[-2] else word
