"""When what a verb says happens, as far as its ending and its auxiliary show it."""

from collections.abc import Mapping, Sequence, Set
from typing import Final, Literal

from penstock_sidecar.cache.semantic.guard.vocabulary import words

Time = Literal["past", "now", "going on", ""]
"""`now` is any form without an ending of its own, as nouns are; empty where it does not show."""

IRREGULAR: Final = words(
    "ate became began bought broke brought built came chose did drove fell felt flew forgot found"
    " gave got grew had heard held kept knew left lost made met paid ran said sang sank sat saw"
    " sent slept sold spent spoke stole stood swam taught thought told took went won wore wrote"
)
"""Pasts of the commonest verbs; other verbs' are known by `-ed`."""
NO_PAST: Final = ("eed",)
GETS: Final = words("get gets got getting gotten")
PASSIVE: Final = words("is are am was were be been being 's")
PERFECT: Final = words("have has had")
DOES: Final = words("do does did")
OPEN: Final = words("to can could may might will would shall should must")
"""What follows these happens at no time of its own."""
SUBJECTS: Final = words("i you he she we they")
DETERMINERS: Final = words("a an the my your our this that any some")
"""What stands right after these is a noun, whatever verb it looks like."""
LEAST: Final = 5
"""Letters of a word that has an ending."""


def time(word: str, before: Sequence[str], inverted: str) -> Time:
    """Of a word, the words of no content right before it, and the verb that the question begins
    with."""
    helpers = {*before, inverted}
    if _is_past(word):
        return "" if helpers & (PASSIVE | GETS | PERFECT) else "past"
    if len(word) > LEAST and word.endswith("ing"):
        return "going on"
    if DETERMINERS.intersection(before[-1:]):
        return ""
    return "" if helpers & (OPEN | PASSIVE | PERFECT | DOES) else "now"


def other_helpers(asked: Set[str], kept: Set[str]) -> bool:
    """Whether one says `did` where the other says `does`."""
    sides = ((asked, kept), (kept, asked))
    return any("did" in a - b and bool((b - a) & {"do", "does"}) for a, b in sides)


def _is_past(word: str) -> bool:
    regular = len(word) >= LEAST and word.endswith("ed") and not word.endswith(NO_PAST)
    return regular or word in IRREGULAR


def other_time(asked: Mapping[str, set[Time]], kept: Mapping[str, set[Time]]) -> bool:
    """Whether a word that both have happens at one time here and at another one there."""
    return any(_apart(asked[each], kept[each]) for each in asked.keys() & kept.keys())


def _apart(ours: set[Time], theirs: set[Time]) -> bool:
    return {"past", "now"} <= ours ^ theirs
