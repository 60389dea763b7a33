"""The same question in another spelling: what the normalised level is there for.

Written from the design's list of what that level evens out, before it was written.
"""

import unicodedata
from collections.abc import Callable, Mapping
from random import Random
from typing import Final

Spell = Callable[[str, Random], str]

COURTESIES: Final = (
    "Please {}",
    "{} please",
    "Hi, {}",
    "Hello, {}",
    "{} Thanks!",
    "{} thank you",
)


def respelled(text: str, random: Random) -> tuple[str, str]:
    """What was done to it, and the text, another one for sure."""
    while True:
        name = random.choices(tuple(SPELLINGS), tuple(weight for _, weight in SPELLINGS.values()))[
            0
        ]
        spelled = SPELLINGS[name][0](text, random)
        if spelled != text:
            return name, spelled


def _case(text: str, random: Random) -> str:
    return random.choice((str.lower, str.capitalize, str.upper))(text)


def _blanks(text: str, random: Random) -> str:
    words = text.split(" ")
    at = random.randrange(len(words) + 1)
    return " ".join((*words[:at], random.choice(("", "\n", " ")), *words[at:]))


def _end(text: str, random: Random) -> str:
    return text.rstrip("?.! ") + random.choice(("", "?", ".", "!", "??", "..."))


def _unicode(text: str, random: Random) -> str:
    forms = (
        text.replace("'", "\u2019"),
        unicodedata.normalize("NFD", text),
        text.replace("?", "\uff1f"),
        text.replace(" ", "\u00a0", 1),
        f"\u200b{text}",
    )
    return random.choice(forms)


def _courtesy(text: str, random: Random) -> str:
    form = random.choice(
        ("Please {}", "{} please", "Hi, {}", "Hello, {}", "{} Thanks!", "{} thank you")
    )
    return form.format(text)


SPELLINGS: Final[Mapping[str, tuple[Spell, int]]] = {
    "case": (_case, 6),
    "blanks": (_blanks, 6),
    "end": (_end, 5),
    "unicode": (_unicode, 3),
    "courtesy": (_courtesy, 2),
}
"""Each with its weight."""
