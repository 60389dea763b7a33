"""The last turn without what only manners and habits of writing add: courtesy, capitals of common
words, the full stop, articles that say nothing.

English alone, and only where the text is prose and nothing in the conversation is about texts
themselves: to a translator, a proof-reader or a counter of letters every character is meant. What
could be meant stays (limits_cache.md, 3.3): stop-words, order, "the" where "a" would say something
else, capitals that tell Turkey from turkey.
"""

import re
from typing import Final

from penstock_sidecar.cache.normalised.words import (
    ACRONYMS,
    CONTRACTIONS,
    ENGLISH,
    LETTERED,
    NAMES,
    QUANTITIES,
    QUESTIONS,
    SAYING,
    SUPERLATIVES,
    TEXTUAL,
)

GREETING: Final = r"(?:hi|hello|hey|good (?:morning|afternoon|evening)|greetings)(?: there)?"
ASKING: Final = "|".join(sorted(QUESTIONS))
OPENINGS: Final = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"{GREETING} ?[,.!:;-]+ ",
        r"(?:please|pls|kindly),? ",
        r"(?:can|could|would|will) you (?:please|kindly) ",
        r"(?:can|could|would|will) you (?=(?:tell|explain|show|give|help|describe|list|find) )",
        r"(?:i would|i'd) (?:like|love) to know ",
        rf"i (?:want|need) to know (?=(?:{ASKING})\b)",
        rf"(?:do|would) you know (?=(?:{ASKING})\b)",
        rf"tell me (?=(?:{ASKING})\b)",
    )
)
CLOSING: Final = re.compile(
    r"[,.!?;] ?(?:please|pls|thanks?(?: you)?(?: (?:so|very) much| a lot| in advance)?|thx|cheers)"
    r"[.! ]*$",
    re.IGNORECASE,
)
BARE_PLEASE: Final = re.compile(r" (?:please|pls)(?P<mark>[.!?]?)$", re.IGNORECASE)
WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
BROKEN: Final = 2
"""Lines; what has more may be a list."""
SHOUTED: Final = 3
"""Words in capitals that make a text in capitals; fewer may be a name."""
SHORTEST_WORD: Final = 2
DETERMINED: Final = frozenset({"of", "in", "for", "between"})
"""After a noun that "the" stands before: it can be only one."""


BEGINNINGS: Final = (QUESTIONS | ENGLISH) - NAMES - {"who"}
"""What a further sentence begins with; after "Dr." it is a name."""


def rephrased(text: str) -> str:
    """`text` is prose. What is longer than a line, or a question broken in two, stays as it came;
    so does what would be empty."""
    if not is_english(text):
        return text
    text = _unbroken(text)
    if "\n" in text:
        return text
    bare = _without_courtesy(text)
    ended = _without_end(bare, asks=_asks(text) or _asks(bare))
    shorter = _without_article(_in_common_case(ended))
    return shorter if WORD.search(shorter) else text


def is_english(text: str) -> bool:
    """Or near enough: £ and an em dash are no letters of another alphabet."""
    ascii_ = text.isascii() or all(map(str.isascii, filter(str.isalpha, text)))
    return ascii_ and not ENGLISH.isdisjoint(map(str.lower, WORD.findall(text)))


def is_about_text(text: str) -> bool:
    """A request or its instructions that treat what is written as the matter."""
    return TEXTUAL.search(text) is not None


def _unbroken(text: str) -> str:
    """A question that goes on in the next line."""
    lines = text.split("\n")
    goes_on = len(lines) == BROKEN and lines[0][-1:].islower() and lines[1][:1].islower()
    return " ".join(lines) if goes_on and _asks(text) else text


def _without_courtesy(text: str) -> str:
    left = _without_openings(text)
    left = CLOSING.sub(lambda m: "?" if m[0].startswith("?") else "", left)
    please = BARE_PLEASE.search(left)
    if please and _asks(left) and _word_before(left, please.start()) not in SAYING:
        left = left[: please.start()] + please["mark"]
    return left if WORD.search(left) else text


def _without_openings(text: str) -> str:
    for opening in OPENINGS:
        found = opening.match(text)
        if found and WORD.search(text, found.end()):
            return _without_openings(text[found.end() :])
    return text


def _without_end(text: str, *, asks: bool) -> str:
    """A question mark says something where the words alone would state it, `!` may be a factorial,
    and three dots are to be gone on from where nothing is asked."""
    bare = text.rstrip("?!. ")
    marks = text[len(bare) :].replace(" ", "")
    words = WORD.findall(bare)
    if ("..." in marks and not asks) or not (bare[-1:].isalnum() and words):
        return text
    if "!" in marks and not (len(words[-1]) > 1 and words[-1].isalpha()):
        return text
    return f"{bare}?" if "?" in marks and not asks else bare


def _in_common_case(text: str) -> str:
    """Capitals at the beginning of words, where the word has but one meaning; and of a whole text
    in capitals, where no word is another one in them."""
    words = [word for word in WORD.findall(text) if not word.isdigit()]
    if len(words) >= SHOUTED and all(map(str.isupper, words)):
        return text if _ambiguous(words) else text.lower()
    return WORD.sub(_common, text)


def _ambiguous(words: list[str]) -> bool:
    """Letters that stand for something, figures with their units, and acronyms."""
    first, *rest = words
    if first.lower() not in QUESTIONS:
        rest = words
    return any(
        (len(word) < SHORTEST_WORD and word not in {"A", "I"})
        or not word.replace("'", "").isalpha()
        or word.lower() in ACRONYMS
        for word in rest
    )


def _common(match: re.Match[str]) -> str:
    word = match[0]
    lower = word.lower()
    if lower in CONTRACTIONS and (word.islower() or word.istitle()):
        return CONTRACTIONS[lower]
    before = match.string[: match.start()].rstrip()
    if not (word[1:].islower() and word[:1].isupper()) or before[-1:].isdigit():
        return word  # 5 Mb is a unit's spelling
    if before:
        return lower if before[-1] in ".?!" and lower in BEGINNINGS else word
    return word if lower in NAMES and lower not in QUESTIONS else lower


def _without_article(text: str) -> str:
    words = text.split(" ")
    kept = [word for at, word in enumerate(words) if not _says_nothing(words, at)]
    return " ".join(kept)


def _says_nothing(words: list[str], at: int) -> bool:
    article, after = words[at], words[at + 1 : at + 3]
    if not after:
        return False
    following = after[0].lower().strip(",;:.?!")
    only_one = following in SUPERLATIVES or (
        len(after) > 1 and after[0].islower() and after[1] in DETERMINED
    )
    match article:
        case "a" | "an":  # A records are no records, and a cause of many is not the cause
            before = words[at - 1].lower() if at else ""
            lettered = len(following) <= 1 or before in LETTERED
            named = following.removesuffix("'s") in NAMES  # an apple is not Apple
            return not (lettered or only_one or named or following in QUANTITIES)
        case "the":
            return only_one
        case _:
            return False


def _asks(text: str) -> bool:
    first = WORD.search(text)
    return first is not None and first[0].lower() in QUESTIONS


def _word_before(text: str, end: int) -> str:
    words = WORD.findall(text[:end])
    return words[-1].lower() if words else ""
