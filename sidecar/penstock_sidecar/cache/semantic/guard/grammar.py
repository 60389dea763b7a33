"""The small closed classes of English words that a sentence is built with.

Closed: no new word joins them, so what is in none of them is a word of content, and those are
compared as they are. Words are lower case, contractions undone.
"""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.cache.semantic.guard.vocabulary import words


def _classes(**classes: str) -> Mapping[str, str]:
    return {word: name for name, words in classes.items() for word in words.split()}


NEUTRAL: Final = words(
    "a an the this that these those there here it its they them their is are am be been being"
    " do does done doing has and or then so as some any of also"
)
"""May stand or be missing, and nothing else is asked for."""

FILLER: Final = words(
    "just really actually exactly quite pretty anyway but now please currently very definitely well"
    " clearly apparently obviously desperately"
    " right soon"
)
"""Adverbs that add nothing to what is asked."""

PAST: Final = words("was were did had")
NEGATION: Final = words("not no never neither nor none nothing nobody nowhere without")

PERSON: Final = _classes(
    first="i me my mine myself we us our ours ourselves",
    second="you your yours yourself yourselves",
    he="he him his himself",
    she="she her hers herself",
)
MODAL: Final = _classes(
    can="can could may might",
    must="should must ought shall",
    will="will",
    would="would",
)

QUESTION: Final = words("who whom whose when where why how what which")
MANNER: Final = words("do can could would should might must to i you we one does")
"""After `how`: a way to do something is asked for."""
DEGREE: Final = _classes(
    many="many much", long="long", often="often", far="far", soon="soon early late", old="old young"
)
"""Beside `how`: what it asks for."""
NOUNS: Final = {
    "when": words("date time day month year"),
    "where": words("place location find locate"),
    "why": words("reason cause"),
    "how many": words(
        "number amount cost price fee fees rate rates charge charges limit payment total count"
    ),
    "how long": words("time"),
    "how old": words("age"),
}
"""Which nouns ask for the same as a word that asks."""

AUXILIARY: Final = words(
    "is are am was were do does did can could will would has have had should may might"
)
"""What a question that wants yes or no begins with."""

WEAK: Final = words("in on at for with to about via through into as if when once per whenever")
"""Prepositions and conjunctions that paraphrases exchange."""

MEANS: Final = words("use using used uses via utilize")
"""Say `with`."""

LOOSE: Final = words("up out over back along around away after because while between during since")
"""May be missing on one side; never stand for another one of `DIRECTION`."""

DIRECTION: Final = LOOSE | words(
    "from off down before under above below against toward towards until till"
    " except despite behind ahead inside outside near across past beyond forward"
    " forwards backward backwards upon onto within by among beside unless although though"
    " than instead"
)

SCOPE: Final = words(
    "all every each both either only few many much several most more less least half first last"
    " next previous another other others same enough too always often again once twice even own"
    " multiple various latest different"
    " everything anything something everyone anyone someone still yet already ever"
)
SAME_SCOPE: Final = dict.fromkeys(("multiple", "various"), "several") | {
    "much": "many",
    "each": "every",
    "previous": "last",
    "latest": "last",
    "other": "another",
    "others": "another",
    "different": "another",
}
TRAILING: Final = words("next more left")
"""Say nothing at the end of a clause: "what do I do next"."""

LOOSE_SCOPE: Final = words(
    "another many again too both either still yet already ever own next"
    " something someone anything anyone"
)
"""May be missing on one side."""

KINDS: Final[Mapping[str, str]] = {
    word: kind
    for kind, members in {
        "neutral": NEUTRAL | FILLER | {"'s"},
        "negation": NEGATION,
        "person": PERSON,
        "modal": MODAL,
        "past": PAST,
        "link": WEAK | MEANS,
        "direction": DIRECTION,
        "scope": SCOPE,
        "question": QUESTION,
    }.items()
    for word in members
}
"""Of each word that is in a class; later ones win."""
