"""Words of content whose exchange or absence changes nothing, as measured on labelled questions.

The open part of the guard's tables: all else that differs is refused. Words stand here as they
are written; `reading` stems them.
"""

from collections.abc import Mapping
from typing import Final

from penstock_sidecar.cache.semantic.guard.stem import stem
from penstock_sidecar.cache.semantic.guard.vocabulary import words

_LIGHT: Final = words(
    # verbs that lead to another one, or stand for any
    "go come find use make take say think want need know give help get set have tell allow let"
    " cause provide wonder check see look show wish try happen suppose desire proceed request"
    " require seem appear figure like love learn intend plan hope expect explain describe"
    " understand create put apply follow process keep serve exist live stay ask read call change"
    # what most things are
    " possible able sure current extra available necessary certain specific actual usual normal"
    " typical exact proper appropriate acceptable good best likely ready together ago"
    " immediately completely entirely directly urgently properly originally usually possibly"
    " somewhere anywhere new recent recently somehow approximately basically simply single whole"
    " notice aware regard wait interested contain equal consider perhaps manage item clue stuff"
    " offer relate associate ok okay alright fine"
)
_NAMELESS: Final = words(
    "reason way step kind type amount number thing option place idea information fact time date"
    " guidance definition meaning list word method location example case point bit total sense"
    " account money option process service question problem order chance tip"
)
"""Nouns that name no thing."""

_SAME: Final = tuple(
    frozenset(words.split())
    for words in (
        "find locate found locating look search",
        "get gets got gotten getting receive obtain acquire",
        "kind type sort",
        "use used using utilize utilise",
        "think believe guess thought",
        "seem appear",
        "problem trouble issue difficulty",
        "wrong incorrect",
        "information info details detail",
        "pay paid",
        "close near nearby",
        "closest nearest",
        "quick fast quickly",
        "strange odd unusual weird",
        "increase raise",
        "buy purchase bought",
        "begin start",
        "live reside",
        "fix resolve solve",
        "stop prevent",
        "expire expiration expiry",
        "help assist assistance",
        "go gone going went goes",
        "make made",
        "take took taken",
        "know knew known",
        "say said",
        "forget forgot forgotten",
        "show shown displayed display",
        "lose lost",
        "send sent mail",
        "authorize authorise",
        "definition define mean meaning",
        "overseas abroad",
        "set put turn",
        "switch change alter modify adjust swap",
        "work function",
        "allow let permit",
        "strange odd unusual weird",
        "extra additional",
        "verify validate",
        "need require needed",
        "recommendation suggestion",
        "recently lately",
        "remaining left",
        "cancel cancelled canceled",
        "fix repair",
        "withdraw withdrawal",
        "happen occur",
        "maximum max",
        "minimum min",
        "automatic auto automatically",
        "reach arrive",
        "important urgent",
        "see view",
        "die died dead",
        "eat ate eaten",
        "see saw seen visible",
        "become became",
        "buy bought",
        "hear heard",
        "leave left",
        "pay paid payment",
        "give gave given",
        "come came",
        "tell told",
        "write wrote written",
        "choose chose chosen",
        "break broke broken",
        "steal stole stolen",
        "keep kept",
        "spend spent",
        "withdraw withdrew withdrawn withdrawal",
        "speak spoke spoken",
        "drive drove driven",
        "teach taught",
        "certain specific particular",
        "usual normal typical average",
        "proper appropriate suitable correct",
        "amusing fun exciting",
        "guideline instruction direction guidance",
        "complete finish",
        "safe safely",
        "convert conversion",
        "require requirement",
        "expect expected",
        "stuff thing",
        "terrible awful",
        "function work",
        "error mistake",
        "reply respond response",
        "choose pick select",
        "phone telephone",
        "photo picture",
        "film movie",
        "car automobile",
        "begin began begun",
        "end finish",
        "big large",
        "small little",
        "hard difficult",
        "simple easy",
        "answer response",
        "connect link",
        "remove delete",
        "speak talk",
        "need want wish",
        "current present",
        "inform notify",
        "song track",
        "visit travel trip",
        "count number",
        "amount quantity",
        "enable activate",
        "people person someone",
        "include contain",
        "make create perform",
        "fee charge",
        "ok okay alright fine",
        "try attempt",
        "child children kid",
        "additional added",
        "book booking",
        "verify verification",
    )
)
"""Groups of words that mean the same in questions."""

WORDS: Final = _LIGHT.union(_NAMELESS, *_SAME)
"""All of the above: whoever judges the guard must not tell questions apart by one of them."""


def _meanings() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for group in _SAME:
        stems = sorted(stem(word) for word in group)
        found |= {each: stems[0] for each in stems if each not in found}
    return found


_MEANINGS: Final = _meanings()


def meaning(word: str) -> str:
    """One word for all that mean the same."""
    stemmed = stem(word)
    return _MEANINGS.get(stemmed, stemmed)


LEADING: Final = frozenset(
    map(meaning, words("need get have like try love plan hope intend desire go know take make put"))
)
"""Light ones that say of what follows that somebody wants it or comes by it; may stand for one
another."""
NAMELESS: Final = frozenset(meaning(word) for word in _NAMELESS)
HOLDERS: Final = frozenset(map(meaning, words("app account statement atm wallet website")))
"""What records and machines hold is in them, on them, at them and from them alike."""
LIGHT: Final = frozenset(meaning(word) for word in _LIGHT) | NAMELESS
"""Add nothing where only one of two questions has them; never stand for one another."""
