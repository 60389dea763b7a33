"""How unusual the words are: experts' requests are short on everyday words in any language."""

import math
import re
from collections.abc import Set as AbstractSet
from importlib.resources import files
from typing import Final

LEAST_LETTERS: Final = 4
LEARNED_LETTERS: Final = 11
ENDINGS: Final = frozenset({"ed", "es", "er", "ly"})
ENGLISH_SHARE: Final = 0.3
"""Of the longer words: where so many are English, the others are rare rather than foreign."""
_ACRONYM: Final = re.compile("[A-Z][A-Z0-9]{1,6}")
_NAME: Final = re.compile(r"[A-ZÀ-ÞА-Я](?<=[\w,;:] .)[\w’'-]{3,}")
_LEARNED: Final = re.compile("[学學论論性律理义義权權说説症药法式机機制维度]")
"""Of words for what is taught."""


class Rarity:
    """Compares with the everyday words of English, and with shapes of words elsewhere."""

    def __init__(self, everyday: AbstractSet[str]) -> None:
        self._everyday = everyday

    @classmethod
    def load(cls) -> "Rarity":
        text = files("penstock_sidecar.classify").joinpath("everyday.txt").read_text("utf-8")
        lines = (line for line in text.splitlines() if not line.startswith("#"))
        return cls(frozenset(word for line in lines for word in line.split()))

    def features(self, asked: str, words: list[str]) -> dict[str, float]:
        """`asked` with its capitals; `words` of it in lower case."""
        longer = {word for word in words if len(word) >= LEAST_LETTERS}
        strange = {word for word in longer - self._everyday if not self._formed(word)}
        english = len(longer) - len(strange) >= ENGLISH_SHARE * len(longer) and asked.isascii()
        learned = sum(len(word) >= LEARNED_LETTERS for word in longer)
        values = {
            "rare:acronyms": math.sqrt(len(set(_ACRONYM.findall(asked)))),
            "rare:names": math.sqrt(min(9, len(_NAME.findall(asked)))),
            "rare:learned": math.sqrt(min(9, learned)),
            "rare:learned share": 4 * learned / (len(longer) + 4),
        }
        if english:
            values["rare:words"] = math.sqrt(min(16, len(strange)))
            values["rare:share"] = 3 * len(strange) / (len(longer) + 2)
        if not asked.isascii():
            values["rare:signs"] = 20 * len(_LEARNED.findall(asked)) / (len(asked) + 20)
        return values

    def _formed(self, word: str) -> bool:
        """Whether it is a plain form of a usual one, or a number."""
        everyday = self._everyday
        ending = word[-2:]
        return (
            word.isdigit()
            or (ending[-1] == "s" and word[:-1] in everyday)
            or (ending in ENDINGS and (word[:-2] in everyday or word[:-1] in everyday))
            or (word[-3:] == "ing" and (word[:-3] in everyday or word[:-3] + "e" in everyday))
        )
