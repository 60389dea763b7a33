"""In which script and, roughly, in which language a question is."""

import unicodedata
from typing import Final

from penstock_sidecar.cache.semantic.guard.reading import Reading

LEAST_WORDS: Final = 5
"""Fewer do not show a language."""
LEAST_SHARE: Final = 0.12
"""Of an English sentence's words are no words of content."""


def scripts(text: str) -> frozenset[str]:
    """Of its letters: LATIN, CYRILLIC, CJK and so on, as Unicode names begin."""
    if text.isascii():
        return _LATIN if any(map(str.isalpha, text)) else frozenset()
    return frozenset(
        unicodedata.name(letter, "UNKNOWN").split(" ", 1)[0].split("-", 1)[0]
        for letter in set(text)
        if letter.isalpha()
    )


def language(reading: Reading) -> tuple[str, ...] | None:
    """`None` for English and what is too short to tell; else all its words: what this guard
    calls harmless is harmless in English alone."""
    share = 1 - len(reading.words) / max(1, len(reading.said))
    return None if share > LEAST_SHARE or len(reading.said) < LEAST_WORDS else reading.said


_LATIN: Final = frozenset({"LATIN"})
