"""Cuts a question into words, numbers and marks, in one spelling."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from penstock_sidecar.cache.semantic.guard.vocabulary import words

ENDS: Final = frozenset(".?!;,:")
"""Marks that end a clause."""
SILENT: Final = frozenset("'\"()-\u2026\u201c\u201d\u2018\u2013\u2014`")
OWNS: Final = "'s"

_TOKEN: Final = re.compile(
    r"(?<![\w.])[-+]?\d[\d.,:/-]*(?<![.,:/-])[^\W\d_]*"  # 5, -5, 1000.50, 10:30, 5th
    r"|[^\W\d_]+(?:'[^\W\d_]+)*\d*"  # word, don't, gpt4
    r"|[^\w\s]|_"
)
_MONEY: Final = re.compile(r"([$\u20ac\u00a3\u00a5])\s?(\d[\d.,]*(?<![.,]))")
_NAMES: Final = {"$": "dollars", "\u20ac": "euros", "\u00a3": "pounds", "\u00a5": "yen"}
_HALVES: Final = re.compile(r"(?<=\d) ?([ap])\.? ?m\b\.?", re.IGNORECASE)
"""Of a day, after its hour."""
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}\b)")
_ACUTE: Final = re.compile("(?<=n)[`\u00b4](?=t\\b)")
"""Typed for an apostrophe."""
_HYPHENS: Final = str.maketrans("\u2019\u2010\u2011", "'--")

_WHOLE: Final = {
    "can't": "can not",
    "cant": "can not",
    "cannot": "can not",
    "won't": "will not",
    "wont": "will not",
    "shan't": "shall not",
    "unable": "not able",
    "wanna": "want to",
    "gotta": "have to",
    "gonna": "going to",
    "let's": "let us",
    "cuz": "because",
    "im": "i am",
    "ive": "i have",
}
_ENDINGS: Final = {
    "n't": "not",
    "'m": "am",
    "'re": "are",
    "'ll": "will",
    "'ve": "have",
    "'d": "would",
}
_BARE: Final = {
    f"{verb}nt": [verb, "not"]
    for verb in words("do does did is are was were has have had could would should")
} | {f"{word}s": [word, "is"] for word in words("what where who how when why")}
"""Where the apostrophe was left out."""
_IS: Final = words("what where who how when why that there here it he she")
"""Whose `'s` is a verb."""
_PHRASES: Final = {
    "yet to": "not",
    "more than once": "several times",
    "a few": "several",
    "despite the fact": "although",
    "outside the country": "abroad",
    "reason behind": "reason",
    "no longer": "not",
    "due to a": "because a",
    "due to an": "because an",
    "due to the": "because the",
    "due to my": "because my",
    "on a regular basis": "frequently",
    "more about": "about",
    "all about": "about",
    "what all": "what",
    "all of my": "my",
    "all my": "my",
    "more information": "information",
    "more info": "info",
    "more details": "details",
    "going on": "happening",
    "twice": "2 times",
    "you guys": "you",
    "new 1": "new",
    "old 1": "old",
    "another 1": "another",
    "which 1": "which",
    "is not right": "is wrong",
    "was not right": "was wrong",
    "is not correct": "is wrong",
    "was not correct": "was wrong",
    "even though": "although",
    "even if": "if",
    "how soon": "when",
    "do not seem right": "seem wrong",
    "does not seem right": "seems wrong",
    "does not seem correct": "seems wrong",
    "does not look right": "seems wrong",
    "what is the deal": "what is the problem",
    "when should i expect": "when can i expect",
    "a few more": "more",
    "tried another time": "tried again",
    "a person": "someone",
    "somebody": "someone",
    "atm machine": "atm",
    "european union": "eu",
    "how many days do": "how long do",
    "how many days does": "how long does",
    "how many days will": "how long will",
    "how many days did": "how long did",
    "will i be able to": "can i",
    "would i be able to": "can i",
    "such thing as": "",
    "the us": "the united states",
    "the usa": "the united states",
    "brand new": "new",
    "a little": "",
    "to travel to": "to go to",
    "traveling to": "going to",
    "travelling to": "going to",
    "take a trip to": "go to",
    "how much time": "how long",
    "how much longer": "how long",
    "step by step": "",
    "impossible to": "not possible to",
    "in order to": "to",
    "in case": "if",
    "as well": "",
    "on the way to": "to",
    "at all": "",
    "after all": "",
    "a couple of": "a couple",
    "how long till": "how long until",
    "how long before": "how long until",
    "for what reason": "why",
    "what reason": "why",
}
"""Words that say together what others say.

"A few" is not "few", nor "many". Who says when it will be has said how soon. "Due to" says why
only before a noun: a ferry may be due to arrive."""
_PHRASE: Final = re.compile(rf"\b(?:{'|'.join(sorted(_PHRASES, key=len, reverse=True))})\b(?! now)")
_TROUBLE: Final = re.compile(
    r"\b(?:having|have|had) (?:(?:some|a little) )?(?:trouble|difficulty|problems)"
    r" (?:(?:with|in) )?(?=[a-z]+ing\b)(?!during)"
)
"""Before what does not succeed."""
_AGAIN: Final = re.compile(
    r"\b(why (?:is|are|was|were)) not ((?:my|our|your|the|this) (?:\w+ ){1,3}?not )(?=\w+ing\b)"
)
"""Denies once what it denies twice: "why isn't it not working"."""
_ANYONE: Final = re.compile(
    r"\b(how (?:many|much) (?:\w+ ){1,4}(?:can|could|may)) you (?=(?:have|own)\b)"
    r"|\b(how old (?:must|should|do|would)) you (?=(?:(?:have|need) to )?be\b)"
)
"""Whoever asks is meant."""
_STATES: Final = re.compile(r"\bU(?:S|SA|\.S\.(?:A\.)?)(?!\w)")
"""In capitals, as `us` is not."""
_SMALL: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen"
    " fifteen sixteen seventeen eighteen nineteen"
)
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMERALS: Final = (
    {word: str(n) for n, word in enumerate(_SMALL.split())}
    | {word: str(n) for n, word in zip(range(20, 100, 10), _TENS.split(), strict=True)}
    | {"dozen": "12", "hundred": "100", "thousand": "1000", "million": "1e6", "billion": "1e9"}
)


def tokens(text: str) -> tuple[str, ...]:
    """Lower case; contractions undone, numerals as digits, marks that say nothing left out."""
    text = unicodedata.normalize("NFKC", text).translate(_HYPHENS)
    text = _ACUTE.sub("'", text)
    if not text.isupper():
        text = _STATES.sub("United States", text)
    text = _THOUSANDS.sub("", _HALVES.sub(r" \1m", text)).lower()
    text = _MONEY.sub(lambda money: f"{money[2]} {_NAMES[money[1]]}", text).replace(
        "%", " percent "
    )
    parts = [part for found in _TOKEN.findall(text) for part in _parts(found)]
    said = _TROUBLE.sub("can not ", " ".join(parts))
    said = _ANYONE.sub(_of_caller, _AGAIN.sub(r"\1 \2", said))
    return tuple(_PHRASE.sub(_said, said).split())


def _of_caller(phrase: re.Match[str]) -> str:
    return f"{phrase[1] or phrase[2]} i "


def _said(phrase: re.Match[str]) -> str:
    return _PHRASES[phrase[0]]


def clauses(said: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """What stands between marks; none is empty."""
    begin = 0
    for at, token in enumerate((*said, ".")):
        if token in ENDS:
            if at > begin:
                yield said[begin:at]
            begin = at + 1


def _parts(token: str) -> list[str]:
    if token in SILENT:
        return []
    return _WHOLE[token].split() if token in _WHOLE else _shortened(token)


def _shortened(token: str) -> list[str]:
    if token.endswith(OWNS) and token != OWNS:
        word = token[: -len(OWNS)]
        return [word, "is" if word in _IS else OWNS]
    for ending, word in _ENDINGS.items():
        if token.endswith(ending) and token != ending:
            return [token.removesuffix(ending), word]
    if token in _BARE:
        return _BARE[token]
    return [NUMERALS.get(token, token)]
