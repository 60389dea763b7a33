"""When two answers are the same: what a text says, however it is written. Pure.

A JSON object or array counts by its value; of any other text its last `answer:` line, where there
is one, else all of it: words without case, numbers by their value, signs that calculate. Accents,
currencies and signs of numbers differ: two answers that are counted as one by mistake are worse
than one that is counted as two.
"""

import json
import re
import unicodedata
from decimal import Decimal
from typing import Final

from penstock_sidecar.dialects.document import parse

MAX_CHARACTERS: Final = 32_768
"""Longer texts are the same only word by word: nothing in them is looked for."""
FENCED: Final = re.compile(r"```[\w+-]*[ \t]*\n(.*?)\n?```", re.DOTALL)
ANSWER: Final = re.compile(
    r"^[ \t>#*_]*(?:the +)?(?:final +)?answer(?: +is)?[ \t*_]*[:=][\s*_]*(\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
DASHES: Final = str.maketrans({"\u2212": "-", "\u2010": "-", "\u2011": "-", "\u2013": "-"})
TOKEN: Final = re.compile(
    r"""
    (?P<word>[^\W\d]\w*)
    |(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[+-]?\d{1,2}(?!\w))?
        |(?<![\w.])\.\d+)
    |(?P<sign>
        (?<![^\W\d_])-(?=[\w.(])        # -5, 3-4, -x; not well-known
        |-(?=\d)                        # x-1
        |(?<=\S\ )-(?=\ [\d(])          # 7 - 2
        |[<>!=]=|[+=<>^%\u20ac\u00a3\u00a5\u20b9]
        |\$(?=\d)(?!\d[\d.,]*\$)        # $5; not LaTeX's $5$
        |(?<=\w)[*/](?=\w)|(?<=\w\ )[*/](?=\ \w)
    )
    """,
    re.VERBOSE,
)


def essence(text: str) -> str:
    """Equal for texts that say the same; never empty for one that is not."""
    text = text.strip()
    if len(text) > MAX_CHARACTERS:
        return " ".join(text.casefold().split())
    if fenced := FENCED.fullmatch(text):
        text = fenced[1].strip() or text
    if (value := _json(text)) is not None:
        return value
    found = ANSWER.findall(text)
    last = str(found[-1]).rstrip(" \t\r*_") if found else ""
    return _json(last) or _plain(last or text)


def _json(text: str) -> str | None:
    """An object's or array's value, written in one way."""
    if text[:1] not in {"{", "["}:
        return None
    try:
        value = parse(text.encode("utf-8", "replace"))
    except ValueError:
        return None
    return json.dumps(_by_value(value), sort_keys=True, separators=(",", ":"))


def _by_value(value: object) -> object:
    """1.0 is 1, and `true` is neither."""
    match value:
        case dict():
            return {name: _by_value(inner) for name, inner in value.items()}
        case list():
            return [_by_value(inner) for inner in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).translate(DASHES).casefold()
    tokens = (_token(found) for found in TOKEN.finditer(folded))
    return " ".join(token for token in tokens if token) or " ".join(folded.split())


def _token(found: re.Match[str]) -> str:
    if number := found["number"]:
        return _value(number)
    if word := found["word"]:
        return word.strip("_")
    return found["sign"]


def _value(number: str) -> str:
    """Exactly, however many digits it has."""
    plain = format(Decimal(number.replace(",", "")), "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain
