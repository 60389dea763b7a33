"""Says why a kept answer to one question must not answer another one.

The rule is refusal: two questions may differ in what `grammar` and `lexicon` call harmless, and
in nothing else. So a word that no table knows refuses wherever it stands alone.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from typing import Final

from penstock_sidecar.cache.semantic.guard.code import (
    bracketed,
    codes,
    identifiers,
    other_quotes,
    other_symbols,
    other_units,
)
from penstock_sidecar.cache.semantic.guard.grammar import LOOSE, LOOSE_SCOPE, MODAL, NOUNS
from penstock_sidecar.cache.semantic.guard.inflection import Time, other_helpers, other_time
from penstock_sidecar.cache.semantic.guard.language import language, scripts
from penstock_sidecar.cache.semantic.guard.lexicon import meaning
from penstock_sidecar.cache.semantic.guard.order import same_roles
from penstock_sidecar.cache.semantic.guard.reading import USES, Reading, read
from penstock_sidecar.cache.semantic.guard.reason import Reason
from penstock_sidecar.cache.semantic.guard.wording import Wording, shared_words

MOST_CHARACTERS: Final = 4000
"""Of each; three times what the model of embeddings reads."""
BRIEF: Final = 2
"""Words of content, beside which embeddings tell a question from one that asks "where" or "how":
1 of 66 pairs was above 0.95; of longer ones nearly all were."""
OF_CALLERS: Final = frozenset({"may", "how", "you"})
UNLIKE: Final = (
    {frozenset({"may"}), frozenset({"how"})},
    {frozenset({"may"}), frozenset({"you"})},
)
"""Frames that ask for other things: whether one may, how to, and that the other one does it."""
ALONE: Final = frozenset({"from", "by", "although"})
"""Strong ones that may be missing where no weak one is there instead."""
SEQUENCE: Final = frozenset({"then", "first"})
"""Say that the order of clauses is told."""
INSTEAD: Final = frozenset(
    {("by", "with"), ("by", "through"), ("by", ""), ("inside", "in"), ("within", "in")}
    | {("although", link) for link in ("if", "when", "as")}
    | {("from", link) for link in ("on", "in", "with", "at", "of")}
)
"""Strong prepositions that a weak one, or none, may stand for."""


def refusal(asked: str, kept: str) -> Reason | None:
    """`None` lets the answer to `kept` be given to `asked`. Symmetric."""
    if asked == kept:
        return None
    if max(len(asked), len(kept)) > MOST_CHARACTERS:
        return "too_long"
    if reason := next((name for name, differ in _SPELLING if differ(asked, kept)), None):
        return reason
    ours, theirs = read(asked), read(kept)
    if ours.said == theirs.said:
        return None
    found = next((name for name, differ in _CHECKS if differ(ours, theirs)), None)
    return found or _said_of_each_other(ours, theirs)


def _said_of_each_other(ours: Reading, theirs: Reading) -> Reason | None:
    shared = shared_words(ours, theirs)
    if shared is None:
        return "words"
    whole = {word.meaning for word in ours.words} == {word.meaning for word in theirs.words}
    in_turn = not SEQUENCE.isdisjoint(ours.said) and not SEQUENCE.isdisjoint(theirs.said)
    return None if same_roles(*shared, whole=whole, in_turn=in_turn) else "roles"


def _scripts(asked: str, kept: str) -> bool:
    return scripts(asked) != scripts(kept)


def _codes(asked: str, kept: str) -> bool:
    read_by_letter = (codes, identifiers, bracketed)
    return any(read(asked) != read(kept) for read in read_by_letter) or other_quotes(asked, kept)


def _languages(ours: Reading, theirs: Reading) -> bool:
    return language(ours) != language(theirs)


def _numbers(ours: Reading, theirs: Reading) -> bool:
    return _counted(ours, theirs) != _counted(theirs, ours)


def _counted(reading: Reading, other: Reading) -> list[str]:
    """`one` is no number where the other question has none: "where do I get one"."""
    if ("1" in reading.numbers) == ("1" in other.numbers):
        return reading.numbers
    return [number for number in reading.numbers if number != "1"]


def _units(ours: Reading, theirs: Reading) -> bool:
    return ours.marks != theirs.marks or _measured(ours, theirs) != _measured(theirs, ours)


def _measured(reading: Reading, other: Reading) -> list[str]:
    counted = _counted(reading, other)
    return [w.meaning for w in reading.words if w.measures and w.gap[-1] in counted]


def _negations(ours: Reading, theirs: Reading) -> bool:
    if _denials(ours, theirs) != _denials(theirs, ours):
        return True
    pairs = zip(ours.denied, theirs.denied, strict=False)
    both = _both(ours, theirs) | {USES}
    return any(a != b and {a, b} <= both for a, b in pairs)


def _denials(reading: Reading, other: Reading) -> int:
    """ "I cannot open the jar" denies nothing beside "how do I open the jar"."""
    if "helpless" not in reading.frames or "helpless" in other.frames:
        return reading.negations
    finds = _FOUND in {word.meaning for word in reading.words}
    asks = "how" in other.frames or (finds and "where" in other.questions)
    return reading.negations - asks


def _both(ours: Reading, theirs: Reading) -> set[str]:
    """What is said in both."""
    return {word.meaning for word in ours.words} & {word.meaning for word in theirs.words}


def _directions(ours: Reading, theirs: Reading) -> bool:
    here, there = ours.directions - theirs.directions, theirs.directions - ours.directions
    if "how long" in ours.questions & theirs.questions and _TAKES & _only(ours, theirs):
        here, there = here - _UNTIL, there - _UNTIL
    if (here and there) or ("from" in here | there and _TAKES & _only(ours, theirs)):
        return True
    links = theirs.links - ours.links if here else ours.links - theirs.links
    return not all(_harmless(strong, links) for strong in here or there)


def _only(ours: Reading, theirs: Reading) -> set[str]:
    """What is said in one alone."""
    return {word.meaning for word in ours.words} ^ {word.meaning for word in theirs.words}


def _harmless(strong: str, links: Counter[str]) -> bool:
    """`links` are those that only the other question has."""
    if strong in LOOSE or (strong in ALONE and not links):
        return True
    return any((strong, weak) in INSTEAD for weak in links)


def _scopes(ours: Reading, theirs: Reading) -> bool:
    """Some may stand for one another."""
    here, there = ours.scopes - theirs.scopes, theirs.scopes - ours.scopes
    return bool(here and there) or not LOOSE_SCOPE.issuperset({*here, *there})


def _questions(ours: Reading, theirs: Reading) -> bool:
    if {frozenset(ours.frames & OF_CALLERS), frozenset(theirs.frames & OF_CALLERS)} in UNLIKE:
        return True
    if _asked(ours, theirs) == _asked(theirs, ours):
        return False
    if ours.questions and theirs.questions:
        places = ours.questions | theirs.questions == {"where", "how"}
        return not (places and _PLACED & _both(ours, theirs))
    return not (_implied(ours, theirs) if ours.questions else _implied(theirs, ours))


def _asked(reading: Reading, other: Reading) -> set[str]:
    """Without `how` where both say it, be it in a frame: "how is it made", "how do I make it"."""
    both = "how" in reading.said and "how" in other.said
    return reading.questions - {"how"} if both else reading.questions


def _implied(asking: Reading, other: Reading) -> bool:
    """`other` asks the same without a word for it: by a noun ("at what time") or verb ("find"), by
    what it states ("my payment failed", for `why`), or so briefly that embeddings would tell."""
    named = {word.text for word in other.words}
    if asking.questions == {"where"} and (_WHERE & {word.meaning for word in other.words}):
        return True
    if all(NOUNS.get(question, frozenset()) & named for question in asking.questions):
        return True
    if asking.questions == {"why"}:
        return not other.polar
    return max(Wording.of(asking).weight(), Wording.of(other).weight()) <= BRIEF


def _modals(ours: Reading, theirs: Reading) -> bool:
    unlike = ours.modals ^ theirs.modals
    if "must" in unlike and unlike & {"can", "will"}:
        return True
    if "will" in unlike and (ours.past or theirs.past):
        return True
    return {_opening(ours), _opening(theirs)} == {"can", "must"}


def _times(ours: Reading, theirs: Reading) -> bool:
    return other_helpers(ours.helpers, theirs.helpers) or other_time(_when(ours), _when(theirs))


def _when(reading: Reading) -> Mapping[str, set[Time]]:
    found: defaultdict[str, set[Time]] = defaultdict(set)
    for word in reading.words:
        found[word.meaning].add(word.time)
    return found


def _opening(reading: Reading) -> str | None:
    """What a question that wants yes or no asks of the caller: what he can, or what he must."""
    return MODAL.get(reading.said[0]) if reading.said and "you" not in reading.said[:2] else None


def _persons(ours: Reading, theirs: Reading) -> bool:
    here, there = ours.persons - theirs.persons, theirs.persons - ours.persons
    return bool(here and there) or bool((here | there) & {"he", "she"})


_PLACED: Final = frozenset(map(meaning, ("find", "get", "see", "order", "request", "report")))
"""Where one does these is how one does them."""
_WHERE: Final = _PLACED | {meaning("nearest"), meaning("near")}
"""What has these asks where."""
_FOUND: Final = meaning("find")
_TAKES: Final = {meaning("take")}
"""What is taken from a shelf is not put on it."""
_UNTIL: Final = Counter({"until": 1, "till": 1})
"""Where the other one has `take`: "how long until it leaves", "how long does it take to leave"."""
_SPELLING: Final[tuple[tuple[Reason, Callable[[str, str], bool]], ...]] = (
    ("script", _scripts),
    ("code", _codes),
    ("units", other_units),
    ("units", other_symbols),
)
_CHECKS: Final[tuple[tuple[Reason, Callable[[Reading, Reading], bool]], ...]] = (
    ("language", _languages),
    ("numbers", _numbers),
    ("units", _units),
    ("negation", _negations),
    ("direction", _directions),
    ("scope", _scopes),
    ("question", _questions),
    ("tense", _modals),
    ("tense", _times),
    ("possessives", _persons),
)
