"""A reading as numbers: what the weights weigh, each under a name that explains it."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Final

from penstock_sidecar.classify.instruction import Instruction, head_of, instruction_of
from penstock_sidecar.classify.lexicon import Lexicon, unspaced_characters, words_of
from penstock_sidecar.classify.rarity import Rarity
from penstock_sidecar.classify.reading import Reading
from penstock_sidecar.classify.shape import prose_of, shape_of

Features = Mapping[str, float]
"""Values from about -3 to 3; what is absent is 0."""

LEADING_CHARACTERS: Final = 24
LAST_WORDS: Final = 3
UNSPACED_PER_WORD: Final = 1.7
"""Characters of Chinese or Japanese that say as much as a word."""
MOST_OF_A_GROUP: Final = 4
GREETING: Final = "greeting"
"""Nothing else was said, nor before."""
GREETING_WORDS: Final = 6
GREETING_CHARACTERS: Final = 12
"""In a script without spaces."""
WORK: Final = frozenset(
    {
        *("translate", "summarise", "extract", "creative", "reason_act", "maths", "puzzle"),
        *("code_act", "code_thing", "code_tongue"),
    }
)
"""Groups of which one occurs in nearly every request that is no talk."""
POLITE: Final = frozenset({"greeting", "thanks"})
SMALL: Final = ("common", "greeting", "thanks")
"""Groups that say nothing of a turn before or of a system prompt."""
LONG_WORD: Final = 9
MOST_BYTES: Final = 6
"""Of a character in JSON, escaped."""


class Extractor:
    """Finds the features of readings."""

    def __init__(self, lexicon: Lexicon, rarity: Rarity) -> None:
        self._lexicon = lexicon
        self._rarity = rarity

    def features(self, reading: Reading) -> Features:
        """Only those that are not zero."""
        prose = prose_of(reading.text)
        found = instruction_of(prose)
        asked = found.asked.lower()
        words = words_of(asked)
        if not reading.former and self._greets(asked, words):
            return {GREETING: 1.0}
        values = self._words(asked, words)
        values.update(shape_of(reading.text, prose, found.asked))
        values.update(_sizes(reading, prose, found, words))
        values.update(self._rarity.features(found.asked, words))
        values.update(self._around(reading))
        return {name: value for name, value in values.items() if value}

    def _words(self, asked: str, words: list[str]) -> dict[str, float]:
        found = Counter(self._lexicon.groups_of_words(words))
        found.update(self._lexicon.groups_of_phrases(words, asked))
        found.update(self._lexicon.groups_of_signs(asked))
        values = {
            f"words:{group}": math.sqrt(min(count, MOST_OF_A_GROUP))
            for group, count in found.items()
        }
        for group in self._leading(asked, words):
            values[f"lead:{group}"] = 1.0
        if not any(group != "common" for group in found):
            values["words:none"] = 1.0
            values["words:unknown"] = float("common" not in found)
        values["words:no task"] = float(WORK.isdisjoint(found))
        return values

    def _greets(self, asked: str, words: list[str]) -> bool:
        """Whether nothing but a greeting or thanks is said, with small words around it."""
        if len(words) > GREETING_WORDS:
            return False
        if unspaced_characters(asked):
            groups = set(self._lexicon.groups_of_signs(asked))
            return bool(groups) and groups <= POLITE and len(asked) <= GREETING_CHARACTERS
        groups_of = self._lexicon.groups_of_words
        polite = [not POLITE.isdisjoint(groups_of((word,))) for word in words]
        return any(polite) and all(
            is_polite or "common" in groups_of((word,))
            for word, is_polite in zip(words, polite, strict=True)
        )

    def _leading(self, asked: str, words: list[str]) -> set[str]:
        """Of the first sentence, up to a colon: material and conditions stand behind it.
        Languages that put the verb last end with it."""
        head = head_of(asked)
        first = words_of(head)
        last = [] if asked.isascii() else words[-LAST_WORDS:]
        found = set(self._lexicon.groups_of_words(first + last))
        found.update(self._lexicon.groups_of_phrases(first, head))
        if not asked.isascii():
            ends = asked[:LEADING_CHARACTERS] + "\n" + asked[-LEADING_CHARACTERS:]
            found.update(self._lexicon.groups_of_signs(ends))
        return found - {"common"}

    def _around(self, reading: Reading) -> dict[str, float]:
        """The turn before, and the system's words, by their plain words alone."""
        values: dict[str, float] = {}
        for place, text in (("before", reading.former), ("system", reading.system)):
            if text:
                lower = text.lower()
                groups = set(self._lexicon.groups_of_words(words_of(lower)))
                groups.update(self._lexicon.groups_of_signs(lower))
                values.update({f"{place}:{group}": 1.0 for group in groups.difference(SMALL)})
                values[f"{place}:any"] = 1.0
        return values


def _size(text: str) -> float:
    """In words, whatever the script."""
    unspaced = unspaced_characters(text)
    return unspaced / UNSPACED_PER_WORD + (len(text) - unspaced) / 6


def _sizes(reading: Reading, prose: str, found: Instruction, words: list[str]) -> dict[str, float]:
    """Logarithms: twice as long is one step."""
    asked = _size(found.asked)
    whole = _size(prose) / (len(prose) + 1) * max(len(prose), reading.characters)
    longest = len([word for word in words if len(word) >= LONG_WORD])
    most_bytes = MOST_BYTES * reading.characters
    return {
        "size:asked": math.log2(1 + min(asked, 200.0)) / 3,
        "size:tiny": float(asked < 4),  # noqa: PLR2004  # words
        "size:short": float(asked < 9),  # noqa: PLR2004
        "size:long": max(0.0, math.log2((1 + asked) / 32)),
        "size:rest": math.log2(1 + max(0.0, whole - asked)) / 3,
        "size:material": max(0.0, math.log2((1 + whole) / 128)) / 2,
        "size:around": max(0.0, math.log2((1 + reading.body_bytes) / (4096 + most_bytes))),
        "long:words": 4 * longest / (len(words) + 4),
        "quoted:part": float(found.quoted > 0),
        "quoted:size": math.log2(1 + found.quoted / 6) / 3,
        "turns": math.log2(min(reading.turns, 64)) / 2 if reading.turns > 1 else 0.0,
        "tools": float(reading.tools),
        "json": float(reading.json),
    }
