"""Whether the same words in another order still say the same of each other.

"From Rome to Oslo" and "to Oslo from Rome" do; "from Oslo to Rome" does not. Words have moved
harmlessly where each took along what binds it: a preposition, or the clause that it stands in.
"""

from collections.abc import Sequence, Set
from itertools import pairwise
from typing import Final

from penstock_sidecar.cache.semantic.guard.grammar import DIRECTION
from penstock_sidecar.cache.semantic.guard.inflection import PASSIVE
from penstock_sidecar.cache.semantic.guard.lexicon import LIGHT, NAMELESS
from penstock_sidecar.cache.semantic.guard.reading import Word
from penstock_sidecar.cache.semantic.guard.rephrasing import (
    RELATIVE,
    Bound,
    binding,
    meanings,
    rephrased,
)
from penstock_sidecar.cache.semantic.guard.vocabulary import words

TELLING: Final = DIRECTION | {"to"}
ALIKE: Final = (
    {"for", "on"},
    {"on", "about"},
    {"at", "in"},
    {"by", "with"},
    {"for", "when"},
    {"in", "per"},
    {"after", "once"},
    {"in", "when"},
    {"on", "when"},
    {"if", "when"},
    {"if", "once"},
    {"when", "once"},
    {"when", "to"},
    {"if", "to"},
    {"on", "to"},
    {"to", "with"},
    {"in", "with"},
    {"on", "with"},
    {"up", "with"},
    {"to", "until"},
    {"up", "to"},
    {"out", "to"},
)
"""Links that stand for one another: of a subject, a place, a means, an occasion; and particles
before a preposition."""
ADVERBS: Final = ("ically", "ently", "antly", "ately", "edly", "usly", "fully", "ally", "ckly")
"""May stand anywhere."""
JOINING: Final = frozenset({("and",), ("or",)})
ARTICLES: Final = words("a an the")
FREE: Final = words("today yesterday tomorrow tonight abroad online overseas")
"""Adverbs of time and place, which may stand anywhere in a clause that has but one of them."""


def same_roles(asked: Sequence[Word], kept: Sequence[Word], *, whole: bool, in_turn: bool) -> bool:
    """For the same words of content, each once on either side; `whole` if there are no others, so
    that they have been said of each other on purpose: "a list in a set"; `in_turn` if they say
    what comes first and what then."""
    adverbs = {word.meaning for word in (*asked, *kept) if word.text.endswith(ADVERBS)}
    free = {word.meaning for word in asked if word.text in FREE}
    if len(free) == 1 and _one_clause(asked) and _one_clause(kept):
        adverbs |= free
    light = adverbs | (LIGHT - NAMELESS if whole else LIGHT)
    return _same_order(_without(light, asked), _without(light, kept), in_turn=in_turn)


def _one_clause(words: Sequence[Word]) -> bool:
    return not any(word.begins for word in words[1:])


def _same_order(asked: Sequence[Word], kept: Sequence[Word], *, in_turn: bool) -> bool:
    ours, theirs = _joined(asked), _joined(kept)
    if meanings(ours) == meanings(theirs):
        return not (any(map(_against, ours, theirs)) or _exchanged(ours, theirs))
    return (
        _carried(ours, theirs)
        or _turned(ours, theirs, in_turn=in_turn)
        or rephrased(ours, theirs)
        or _called(ours, theirs)
        or _called(theirs, ours)
    )


def _against(word: Word, other: Word) -> bool:
    """Bound by one thing here and by another there. What takes no preposition on one side is
    bound by its place."""
    ours, theirs = binding(word)[1], binding(other)[1]
    if {ours, theirs} == {"by", ""}:
        return True
    if not ours or not theirs or ours == theirs:
        return False
    doing = word.text.endswith("ing") or other.text.endswith("ing")  # "for adding", "to add"
    return not (doing and "to" in (ours, theirs)) and {ours, theirs} not in ALIKE


def _exchanged(ours: Sequence[Word], theirs: Sequence[Word]) -> bool:
    """Words that stayed where they were have taken each other's bindings."""
    pairs = [(binding(a)[1], binding(b)[1]) for a, b in zip(ours, theirs, strict=True)]
    unlike = [(a, b) for a, b in pairs if a != b]
    return any(a in TELLING or b in TELLING for a, b in unlike) and sorted(
        a for a, _ in unlike
    ) == sorted(b for _, b in unlike)


def _without(light: Set[str], words: Sequence[Word]) -> list[Word]:
    """Without those that say little, wherever they stand."""
    return [word for word in words if word.meaning not in light]


def _joined(words: Sequence[Word]) -> list[Word]:
    """With "a and b" in one order, where each is a word alone."""
    found = list(words)
    for at in range(1, len(found)):
        left, right = found[at - 1], found[at]
        alone = (left.gap or left.begins or left.suffers) and (
            at + 1 == len(found) or _parted(found[at + 1])
        )
        if _plain(right.gap) in JOINING and alone and right.meaning < left.meaning:
            found[at - 1], found[at] = _in_place(right, left), _in_place(left, right)
    return found


def _plain(gap: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for word in gap if word not in ARTICLES)


def _parted(word: Word) -> bool:
    return bool(word.gap) or word.begins


def _in_place(word: Word, of: Word) -> Word:
    return Word(word.meaning, word.text, of.gap, of.link, of.begins)


def _carried(ours: Sequence[Word], theirs: Sequence[Word]) -> bool:
    """What moved has a binding of its own, which it took along."""
    left, right = [binding(word) for word in ours], [binding(word) for word in theirs]
    if sorted(left) != sorted(right):
        return False
    return all(_under(link, left) == _under(link, right) for _, link in left)


def _called(before: Sequence[Word], after: Sequence[Word]) -> bool:
    """ "the wrong rate was used for the trip" of "the rate for the trip was wrong": a quality of
    what the clause is about, which is said before that or of it."""
    for at, (word, subject) in enumerate(pairwise(before)):
        said = [other for other in after if other.meaning == word.meaning]
        if not _is(said[0]) or subject.gap or word.link:
            continue
        rest, others = [*before[:at], *before[at + 1 :]], [w for w in after if w is not said[0]]
        return (
            meanings(rest) == meanings(others)
            and not others[at].link
            and not any(map(_against, rest, others))
        )
    return False


def _is(word: Word) -> bool:
    """Said of something with a verb that is no more than that."""
    unlike = ARTICLES | RELATIVE
    return not word.link and not PASSIVE.isdisjoint(word.gap) and unlike.isdisjoint(word.gap)


def _under(link: str, bound: Sequence[Bound]) -> list[str]:
    """What this binds, in order."""
    return [meant for meant, by in bound if by == link]


def _turned(ours: Sequence[Word], theirs: Sequence[Word], *, in_turn: bool) -> bool:
    """The last part of one is the first part of the other: "when I left, it rained"."""
    return any(_turns(*pair, in_turn=in_turn) for pair in ((ours, theirs), (theirs, ours)))


def _turns(words: Sequence[Word], other: Sequence[Word], *, in_turn: bool) -> bool:
    """What then comes first may stand free of what bound it."""
    bound, wanted = [binding(word) for word in words], [binding(word) for word in other]
    for at in range(1, len(words)):
        turned = bound[at:] + bound[:at]
        if words[at].begins and not in_turn and _telling(turned) == _telling(wanted):
            return True
        if words[at].link and turned[0][0] == wanted[0][0] and turned[1:] == wanted[1:]:
            return True
    return False


def _telling(bound: Sequence[Bound]) -> list[Bound]:
    """Whole clauses keep what else binds their words."""
    return [(word, link if link in TELLING else "") for word, link in bound]
