"""What of a question must stand letter by letter: code, names in it, signs of units."""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from penstock_sidecar.cache.semantic.guard.grammar import KINDS
from penstock_sidecar.cache.semantic.guard.vocabulary import words

_CODE: Final = re.compile(
    r"```.*?```|`[^`]*`"
    r"|(?<!\S)\S*[\w)][_@\\/<>={}\[\]|~^]+\S*"  # paths, addresses, expressions, snake_case
    r"|(?<!\S)[_@\\/<>={}\[\]|~^#+]{1,3}(?!\S)|(?<!\S)[_@\\/<>={}\[\]|~^#]+\w\S*|\w[+#]+(?![\w+#])"
    r"|(?<!\S)--?[A-Za-z][\w-]*"  # -r, --force
    r"|\b\w+\(|\b[a-z]\w+(?:\.[a-z_]\w*)+\b",  # call(, node.js
    re.DOTALL,
)
_QUOTED: Final = re.compile(
    '["\u201c\u201d]([^"\u201c\u201d]+)["\u201c\u201d]'
    "|(?<!\\w)['\u2018]([^'\u2018\u2019]+)['\u2019](?!\\w)"
)
_BRACKETED: Final = re.compile(r"\(\s*([^\w\s()]?\s?\d[\d.,]*\s?%?)\s*\)")
"""Numbers: in books, brackets say minus."""
_RUN: Final = re.compile(r"\w+")
_MIXED: Final = re.compile(r"[^\W\d_]\d|^0[xX]")
_SYMBOL: Final = re.compile("(?<!^)(?<![\\w'\u2019.])[^\\W\\d_]{1,3}(?![\\w'\u2019])")
_NO_SYMBOL: Final = KINDS.keys()
_UNIT: Final = re.compile(r"\d\s?([^\W\d_]{1,3})\b")
_ANY_CASE: Final = words("am pm st nd rd th k")
_ENDS: Final = ".,;:!?'\")>"


def codes(text: str) -> list[str]:
    """In order, without the marks after them."""
    return [found.rstrip(_ENDS) for found in _CODE.findall(text)]


def bracketed(text: str) -> list[str]:
    """Numbers alone between parentheses."""
    return _BRACKETED.findall(text)


def identifiers(text: str) -> list[str]:
    """Codes of letters and digits, as AB12 and 0x1f; not 5km. Whoever types fast minds no case."""
    return [run.casefold() for run in _RUN.findall(text) if _MIXED.search(run)]


def other_quotes(asked: str, kept: str) -> bool:
    """Whether both quote, and not the same to the letter. Quotes around a word may be missing."""
    ours, theirs = _quoted(asked), _quoted(kept)
    return bool(ours and theirs) and ours != theirs


def _quoted(text: str) -> list[str]:
    return sorted((double or single).strip(_ENDS) for double, single in _QUOTED.findall(text))


def other_units(asked: str, kept: str) -> bool:
    """Whether short words after numbers differ in their letters' case alone: mW is not MW."""
    ours, theirs = _UNIT.findall(asked), _UNIT.findall(kept)
    return any(
        a != b and a.lower() == b.lower() and a.lower() not in _ANY_CASE
        for a, b in zip(ours, theirs, strict=False)
    )


def other_symbols(asked: str, kept: str) -> bool:
    """Whether signs of one to three letters differ in case, as kB and Kb, k and K; words in
    capitals, as PIN, are none."""
    if asked.isupper() or kept.isupper():
        return False
    ours, theirs = _symbols(asked), _symbols(kept)
    return any(
        _other_case(spelt, other)
        for sign in ours.keys() & theirs.keys() - _NO_SYMBOL
        for spelt, other in [(ours[sign] - theirs[sign], theirs[sign] - ours[sign])]
    )


def _symbols(text: str) -> Mapping[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for spelt in _SYMBOL.findall(text):
        found[spelt.lower()].add(spelt)
    return found


def _other_case(spelt: set[str], other: set[str]) -> bool:
    if not (spelt and other):
        return False
    every = spelt | other
    if all(len(each) == 1 for each in every) or any(map(_mixed, every)):
        return True
    return not any(map(str.islower, every)) and len({*map(str.isupper, every)}) > 1


def _mixed(sign: str) -> bool:
    return not (sign.islower() or sign.isupper() or sign.istitle())
