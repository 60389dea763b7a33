"""Whether two parts beside each other that changed places say the same still.

"A card that is stolen" and "a stolen card" do, "dog food" and "food for the dog"; "milk chocolate"
and "chocolate milk" do not.
"""

from collections.abc import Sequence
from typing import Final

from penstock_sidecar.cache.semantic.guard.grammar import DIRECTION, LOOSE, WEAK
from penstock_sidecar.cache.semantic.guard.inflection import PASSIVE, SUBJECTS
from penstock_sidecar.cache.semantic.guard.lexicon import HOLDERS
from penstock_sidecar.cache.semantic.guard.reading import Word

LIKE: Final = {"into": "to", "via": "with", "through": "with", "whenever": "when", "while": "when"}
PLACES: Final = frozenset({"in", "on", "at", "from"})
MARKS: Final = (
    dict.fromkeys(WEAK | {"of", "from"}, "of")
    | {"to": "to", "into": "to", "'s": "'s"}
    | dict.fromkeys(("that", "is", "are", "was", "were", "as", "being", "be", "been"), "be")
)
"""What shows how words beside each other belong together: "list of reminders", "card that is
stolen". Where it is the same on both sides, they have only changed places."""
PARTICIPLES: Final = ("ed", "en")
RELATIVE: Final = frozenset({"that", "which", "who"})
"""Say what follows of the word right before them."""
QUALITIES: Final = ("able", "ible", "ous", "ful", "ive")
DETERMINED: Final = frozenset((word,) for word in ("a", "an", "the", "my", "your", "this", "any"))
CLAUSE: Final = 3
"""Words of content: who does what to whom."""

Bound = tuple[str, str]
"""A word's meaning, and what binds it."""


def meanings(words: Sequence[Word]) -> list[str]:
    """In order."""
    return [word.meaning for word in words]


def binding(word: Word) -> Bound:
    """Links that say the same are one."""
    if word.meaning in HOLDERS and word.link in PLACES:
        return word.meaning, "in"
    return word.meaning, LIKE.get(word.link, word.link)


def rephrased(ours: Sequence[Word], theirs: Sequence[Word]) -> bool:
    """Two parts beside each other have changed places, and what marks them has changed too."""
    begin, end = _unlike(ours, theirs)
    left, right = ours[begin:end], theirs[begin:end]
    said, wanted = meanings(left), meanings(right)
    if _suffered(left, right) or _suffered(right, left):
        return True
    turned = any(said[at:] + said[:at] == wanted for at in range(1, len(said)))
    if not turned or not _as_strong(ours, theirs):
        return False
    if _marks(left) != _marks(right):
        return not (_astray(left) or _astray(right))
    if _qualities(ours, theirs, begin, end):
        return True
    pairs = ((left, right), (right, left))
    same = (_done, _object, _described, _compound)
    return any(alike(*pair) for alike in same for pair in pairs)


def _done(spread: Sequence[Word], folded: Sequence[Word]) -> bool:
    """ "my oil changed" of "change my oil": what is done comes last, as what was done to it."""
    last, first = spread[-1], folded[0]
    participle = last.text.endswith(PARTICIPLES) and not first.text.endswith(PARTICIPLES)
    return participle and last.meaning == first.meaning


def _qualities(ours: Sequence[Word], theirs: Sequence[Word], begin: int, end: int) -> bool:
    """ "a foldable grey bike" of "a grey foldable bike": one is no noun, and both stand right
    before the same one."""
    if end - begin != len(("one", "other")) or end == len(ours):
        return False
    close = all(not words[at].gap for words in (ours, theirs) for at in (end - 1, end))
    return close and any(word.text.endswith(QUALITIES) for word in ours[begin:end])


def _astray(part: Sequence[Word]) -> bool:
    """ "the cat saw the dog that was black" is about no black cat: more than one noun stands before
    the quality of one."""
    return any(
        not (RELATIVE.isdisjoint(word.gap) or PASSIVE.isdisjoint(word.gap))
        and any(other.gap for other in part[1:at])
        for at, word in enumerate(part)
    )


def _object(spread: Sequence[Word], folded: Sequence[Word]) -> bool:
    """ "the cat that I saw" of "I saw the cat": who does it is said in both."""
    last, first = spread[-1], folded[0]
    if last.meaning != first.meaning or last.link or first.link or last.begins:
        return False
    return any(who in last.gap and who in first.gap for who in SUBJECTS)


def _suffered(acts: Sequence[Word], by: Sequence[Word]) -> bool:
    """ "the cat was seen by the dog" of "the dog saw the cat"."""
    if len(acts) != CLAUSE or meanings(acts) != meanings(by)[::-1]:
        return False
    passive = not PASSIVE.isdisjoint((*by[0].gap, *by[1].gap))
    active = all(word.link != "by" and PASSIVE.isdisjoint(word.gap) for word in acts)
    return by[-1].link == "by" and passive and active


def _described(before: Sequence[Word], after: Sequence[Word]) -> bool:
    """ "my lost card" of "my card is lost", "a pending payment" of "payment pending"."""
    first, last = before[0], after[-1]
    if first.text != last.text or last.link or before[1].link:
        return False
    if meanings(before[1:]) != meanings(after[:-1]):
        return False
    return first.text.endswith(PARTICIPLES) or (
        first.text.endswith("ing") and first.gap[-1:] in DETERMINED
    )


def _compound(verb: Sequence[Word], noun: Sequence[Word]) -> bool:
    """ "to exchange currency" of "currency exchange"."""
    if any(word.gap for word in noun[1:]) or meanings(verb[1:]) != meanings(noun[:-1]):
        return False
    acts, named = verb[0], noun[-1]
    return acts.text.endswith("ing") != named.text.endswith("ing") or (
        acts.gap[-1:] == ("to",) and named.text == acts.text
    )


def _marks(part: Sequence[Word]) -> list[str]:
    """Of the words after the first."""
    return sorted(MARKS[token] for word in part[1:] for token in word.gap if token in MARKS)


def _strong(words: Sequence[Word]) -> list[Bound]:
    return sorted(bound for bound in map(binding, words) if bound[1] in DIRECTION - LOOSE)


def _as_strong(ours: Sequence[Word], theirs: Sequence[Word]) -> bool:
    """`from` may be missing where nothing goes anywhere: "well water" is "water from the well"."""
    left, right = _strong(ours), _strong(theirs)
    if left and right:
        return left == right
    goes = any("to" in word.gap for word in (*ours, *theirs))
    return not (left or right) or (not goes and [link for _, link in left + right] == ["from"])


def _unlike(ours: Sequence[Word], theirs: Sequence[Word]) -> tuple[int, int]:
    """Where they first and last differ; of one length."""
    differ = [
        at for at, (a, b) in enumerate(zip(ours, theirs, strict=True)) if a.meaning != b.meaning
    ]
    return (differ[0], differ[-1] + 1) if differ else (0, 0)
