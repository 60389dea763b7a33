"""Whether two questions have the same words of content, or others that mean no other thing.

A word may be another one, or missing, where the lexicon calls it light or the same, and where the
questions are so short that embeddings tell such words apart by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.cache.semantic.guard.inflection import IRREGULAR
from penstock_sidecar.cache.semantic.guard.lexicon import LEADING, LIGHT, meaning
from penstock_sidecar.cache.semantic.guard.reading import Reading, Word

SHORT: Final = 3
"""Words of content, of which one may be another, if it modifies no other; else one less. With so
few, no other meaning left a cosine of 0.95 with all-MiniLM-L6-v2: 0 of 1647 contrasting pairs
(antonyms, names, days, kinds of one thing). With one word more it was 14 of 304, with two 37 of
298; with three where it modifies, 21 of 552."""
DENYING: Final = frozenset({meaning("wrong")})
"""Stand for "not right" too, beside "right", which is no word of content."""
DEGREES: Final = frozenset({"how long", "how far", "how old"})
"""Say as much as a word of content."""
LEAST_LETTERS: Final = 3
"""Of such a word: shorter ones are names of units and versions."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Words of content, each where it is said first."""

    words: tuple[Word, ...]
    numbers: int
    """And degrees that it asks for: "how long"."""

    @classmethod
    def of(cls, reading: Reading) -> "Wording":
        first = {word.meaning: word for word in reversed(reading.words)}
        degrees = reading.questions & DEGREES
        return cls(tuple(reversed(first.values())), len(reading.numbers) + len(degrees))

    def meanings(self) -> set[str]:
        return {word.meaning for word in self.words}

    def without(self, odd: set[str]) -> tuple[Word, ...]:
        return tuple(word for word in self.words if word.meaning not in odd)

    def slots(self, odd: set[str]) -> set[int]:
        """After how many of the other words the odd ones stand."""
        places = [at for at, word in enumerate(self.words) if word.meaning in odd]
        return {place - nth for nth, place in enumerate(places)}

    def unplain(self, odd: set[str]) -> bool:
        """An odd word is too short to be a word, or measures a number, or tells of the past, or
        denies."""
        return any(
            word.meaning in odd
            and (
                word.meaning in DENYING
                or len(word.text) < LEAST_LETTERS
                or word.measures
                or word.text in IRREGULAR
            )
            for word in self.words
        )

    def modifies(self, odd: set[str]) -> bool:
        """An odd word stands right before another one: "cold water"."""
        after = zip(self.words, self.words[1:], strict=False)
        return any(a.meaning in odd and not b.gap and not b.begins for a, b in after)

    def weight(self) -> int:
        """How many words say what is asked for."""
        return self.numbers + len(self.meanings() - LIGHT)


def shared_words(asked: Reading, kept: Reading) -> tuple[Sequence[Word], Sequence[Word]] | None:
    """The words that both have, as each has them; None where what differs may matter."""
    ours, theirs = Wording.of(asked), Wording.of(kept)
    here, there = ours.meanings() - theirs.meanings(), theirs.meanings() - ours.meanings()
    clash = ours.slots(here - LEADING) & theirs.slots(there - LEADING)
    if (clash or not LIGHT.issuperset(here | there)) and not _told_apart(ours, theirs, here, there):
        return None
    return ours.without(here), theirs.without(there)


def _told_apart(ours: Wording, theirs: Wording, here: set[str], there: set[str]) -> bool:
    """Whether embeddings would have told the questions apart, had the odd word another meaning."""
    odd = here | there
    heavy = odd - LIGHT
    if not heavy:
        return max(ours.weight(), theirs.weight()) <= SHORT
    if len(here & heavy) > 1 or len(there & heavy) > 1:
        return False
    if ours.unplain(heavy) or theirs.unplain(heavy):
        return False
    most = SHORT - (ours.modifies(heavy) or theirs.modifies(heavy))
    return max(ours.weight(), theirs.weight()) <= most
