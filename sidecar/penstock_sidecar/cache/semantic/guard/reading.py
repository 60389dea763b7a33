"""What a question says, as far as its words show it: the guard compares two of these."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from penstock_sidecar.cache.semantic.guard.frames import unframed
from penstock_sidecar.cache.semantic.guard.grammar import (
    AUXILIARY,
    DEGREE,
    KINDS,
    LOOSE,
    MANNER,
    MEANS,
    MODAL,
    PERSON,
    QUESTION,
    SAME_SCOPE,
    TRAILING,
    WEAK,
)
from penstock_sidecar.cache.semantic.guard.inflection import (
    DETERMINERS,
    GETS,
    OPEN,
    PERFECT,
    SUBJECTS,
    Time,
    time,
)
from penstock_sidecar.cache.semantic.guard.lexicon import meaning
from penstock_sidecar.cache.semantic.guard.tokens import clauses, tokens

LEAST_OPENING: Final = 2
BINDING: Final = frozenset({"out of", "up to"})
"""Loose words that are none before these; nor are they before numbers: "over 30"."""
JOINING: Final = frozenset({"and", "or"})
ACTS: Final = SUBJECTS | OPEN
CLAUSES: Final = SUBJECTS | DETERMINERS | {"it"}
"""What clauses begin with."""
USES: Final = "use"
"""What is denied where that is said with `MEANS`: "I cannot use it"."""
INVERTED: Final = "?"
"""What is denied where the verb comes first: "why isn't it", which does not tell."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word of content where it stands."""

    meaning: str
    text: str
    gap: tuple[str, ...]
    """Words of no content between the last one of its clause and it."""
    link: str
    """The nearest preposition or conjunction in the gap; else empty."""
    begins: bool
    """The first of its clause."""
    time: Time = ""
    suffers: bool = False
    """Right after a verb."""

    @property
    def measures(self) -> bool:
        """Stands after a number, as units do; not after the time of a day, or a unit."""
        return (
            bool(self.gap)
            and self.gap[-1][:1].isdigit()
            and ":" not in self.gap[-1]
            and self.gap[-1][-1:].isdigit()
        )


@dataclass(slots=True)
class Reading:
    """Filled in from left to right."""

    said: tuple[str, ...]
    words: list[Word] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    negations: int = 0
    denied: list[str] = field(default_factory=list)
    """What each negation is said of."""
    persons: set[str] = field(default_factory=set)
    modals: set[str] = field(default_factory=set)
    questions: set[str] = field(default_factory=set)
    directions: Counter[str] = field(default_factory=Counter)
    links: Counter[str] = field(default_factory=Counter)
    scopes: Counter[str] = field(default_factory=Counter)
    frames: set[str] = field(default_factory=set)
    """What the frames of its clauses ask for: see `frames`."""
    helpers: set[str] = field(default_factory=set)
    """Auxiliary verbs."""
    past: bool = False

    @property
    def polar(self) -> bool:
        """Asks for yes or no."""
        return bool(self.said) and self.said[0] in AUXILIARY


def read(text: str) -> Reading:
    """`text` read by its words; bounded by its length."""
    reading = Reading(tokens(text))
    for clause in clauses(reading.said):
        rest, asks = unframed(clause)
        reading.frames |= asks
        if "why" in asks:
            reading.questions.add("why")
        _Clause(reading, rest, whole=len(rest) == len(clause)).read()
    return reading


@dataclass(slots=True)
class _Clause:
    reading: Reading
    said: tuple[str, ...]
    whole: bool
    """No frame stood before it."""
    gap: list[str] = field(default_factory=list)
    link: str = ""
    begins: bool = True
    denies: str | None = None
    """A negation that still wants its word: empty, or `INVERTED`."""
    acts: bool = False
    """The last word of content was a verb, as who does it stands before it."""
    helper: str = ""
    """What verb the clause began with, as questions do, or else the last that was `get`."""

    def read(self) -> None:
        opening = [word for word in self.said[:LEAST_OPENING] if word not in QUESTION]
        self.reading.helpers.update(
            word for at, word in enumerate(self.said) if self.helps(at, word)
        )
        self.helper = opening[0] if opening and opening[0] in AUXILIARY else ""
        for at, word in enumerate(self.said):
            if self.is_content(at, word):
                self.content(word)
            else:
                kind = KINDS.get(word, "degree" if word in DEGREE else "sign")
                if kind in _READERS:
                    _READERS[kind](self, at, word)
                self.gap.append(word)

    def helps(self, at: int, word: str) -> bool:
        """An auxiliary verb; "to do" is none."""
        return word in AUXILIARY and not (at and self.said[at - 1] in OPEN)

    def after(self, at: int) -> str:
        return self.said[at + 1] if at + 1 < len(self.said) else ""

    def is_content(self, at: int, word: str) -> bool:
        before, after = self.said[at - 1] if at else "", self.after(at)
        match word:
            case _ if word in DEGREE and before == "how":
                return False
            case "am" | "pm":  # of a day
                return before[:1].isdigit()
            case "a":  # the article stands before something
                return not after or KINDS.get(after) in ("link", "direction") or after in JOINING
            case "may":  # the month
                return before in WEAK or after[:1].isdigit()
            case _:
                return word not in KINDS and word[0].isalpha()

    def content(self, word: str) -> None:
        meant = meaning(word)
        when = time(word, self.gap or self.perfect(), self.helper)
        suffers = self.acts and not self.gap
        self.acts = bool(ACTS.intersection(self.gap[-1:]))
        self.reading.words.append(
            Word(meant, word, tuple(self.gap), self.link, self.begins, when, suffers)
        )
        if self.denies is not None:
            self.reading.denied.append(self.denies or meant)
        self.gap, self.link, self.begins, self.denies = [], "", False, None
        if word in GETS:
            self.helper = word

    def perfect(self) -> list[str]:
        """ "have" right before this word, which is one of content itself."""
        last = [] if self.begins else [word.text for word in self.reading.words[-1:]]
        return [word for word in last if word in PERFECT]

    def saw_sign(self, _: int, word: str) -> None:
        number = word[0].isdigit() or len(word) > 1
        (self.reading.numbers if number else self.reading.marks).append(word)

    def saw_negation(self, at: int, word: str) -> None:
        self.reading.negations += 1
        if word == "no" and at and self.said[at - 1] in PERFECT:  # "have no" is "not have"
            self.reading.denied.append(meaning(self.said[at - 1]))
            return
        opens = all(word in QUESTION for word in self.said[: max(0, at - 1)])
        inverted = opens and at and self.said[at - 1] in AUXILIARY
        self.denies = INVERTED if inverted else ""

    def saw_person(self, _: int, word: str) -> None:
        self.reading.persons.add(PERSON[word])

    def saw_modal(self, _: int, word: str) -> None:
        self.reading.modals.add(MODAL[word])

    def saw_past(self, _: int, __: str) -> None:
        self.reading.past = True

    def saw_link(self, _: int, word: str) -> None:
        if word in MEANS and self.denies is not None:
            self.reading.denied.append(self.denies or USES)
            self.denies = None
        self.link = "with" if word in MEANS else word
        self.reading.links[self.link] += 1

    def saw_direction(self, at: int, word: str) -> None:
        self.link, after = word, self.after(at)
        counts = after[:1].isdigit() and self.after(at + 1) != "times"
        if word in LOOSE and (f"{word} {after}" in BINDING or counts):
            word = f"{word} {after}"
        if after or word != "from":  # "where can I withdraw from"
            self.reading.directions[word] += 1

    def saw_scope(self, at: int, word: str) -> None:
        if word == "once" and self.after(at) in CLAUSES:
            self.saw_link(at, word)
            return
        asked = word in DEGREE and self.gap[-1:] == ["how"]
        if not asked and (self.after(at) or word not in TRAILING):
            self.reading.scopes[SAME_SCOPE.get(word, word)] += 1

    def saw_question(self, at: int, word: str) -> None:
        after = self.after(at)
        asks_when = after in AUXILIARY or after in ("to", "ought") or not (at or self.whole)
        if word == "how":
            self.how(after)
        elif word == "when" and not asks_when:
            self.saw_link(at, word)
        elif word not in ("what", "which") and not (word == "who" and self.of_somebody(at)):
            self.reading.questions.add(word)

    def of_somebody(self, at: int) -> bool:
        """Right after a noun or "someone", where `who` asks nothing."""
        return at > 0 and KINDS.get(self.said[at - 1], "scope") == "scope"

    def how(self, after: str) -> None:
        if after == "come":
            self.reading.questions.add("why")
        elif after in DEGREE:
            self.reading.questions.add(f"how {DEGREE[after]}")
        elif after and after not in MANNER:
            self.reading.questions.add("how")


_READERS: Final[Mapping[str, Callable[[_Clause, int, str], None]]] = {
    "sign": _Clause.saw_sign,
    "negation": _Clause.saw_negation,
    "person": _Clause.saw_person,
    "modal": _Clause.saw_modal,
    "past": _Clause.saw_past,
    "link": _Clause.saw_link,
    "direction": _Clause.saw_direction,
    "scope": _Clause.saw_scope,
    "question": _Clause.saw_question,
}
