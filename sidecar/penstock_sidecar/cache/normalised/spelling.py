"""Text without what only spelling adds: spaces, and characters that look the same.

Nothing changes within code, quotes, JSON and markup, nor in lines that are laid out with spaces.
Superscripts, fractions and the like stay: x² is not x2.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

FORM: Final = "NFKC"
MEANT: Final = ("<super>", "<sub>", "<fraction>", "<circle>", "<square>", "<font>")
"""Decompositions that NFKC would make, and that lose what was said."""
NOTHING: Final = re.compile("[\u200b\u2060\ufeff\u00ad]")
"""Zero-width space, word joiner, byte-order mark, soft hyphen. Joiners stay: they make words and
emoji."""
LITERAL: Final = re.compile(
    r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]*`"  # code
    # quotes
    r'|"[^"]*(?:"|\Z)|“[^”]*(?:”|\Z)|«[^»]*(?:»|\Z)|„[^“”]*(?:[“”]|\Z)'
    r"|\u2018[^\u2019]*(?:\u2019|\Z)|「[^」]*(?:」|\Z)|(?<!\w)'[^'\n]*'(?!\w)"
    r"|[\[{](?:.*[\]}]|.*\Z)"  # JSON and its like, from the first bracket to the last
    r"|</?[A-Za-z!](?:.*>|.*\Z)"  # markup, in the same way
    r"|\$\$.*?(?:\$\$|\Z)|\\[\[(].*?(?:\\[\])]|\Z)",  # formulas
    re.DOTALL,
)
"""Each goes to the end where nothing closes it, so that a text is read once, whatever is in it."""
LAID_OUT: Final = re.compile(r"^(?:\t| {2,})|\t|\S {2,}\S|\|", re.MULTILINE)
SPACES: Final = re.compile(r"[ \u00a0\u2000-\u200a\u202f\u205f\u3000]+")
APOSTROPHE: Final = re.compile("(?<=\\w)\u2019(?=\\w)")
ENDS: Final = re.compile(r" +(?:\r\n|\r|\n) ?|(?:\r\n|\r|\n)")
"""A space that begins a line may be code's, or a list's, unless one ends the former line too."""
SPELLING: Final = re.compile(
    r"\b(?:white ?-?space|spaces|blanks?\b|indent|unicode|code ?-?points?|bytes?\b|ascii|utf-?\d"
    r"|ligature|homoglyph|(?:full|half|zero) ?-?width|characters?\b|glyphs?\b)",
    re.IGNORECASE,
)
"""Where one of these is said, how something is written is what is asked."""


def respelt(text: str) -> str:
    """The same text to any reader."""
    if LITERAL.search(text) is None:
        return _prose(text, whole=True).strip()
    return "".join(_pieces(text)).strip()


def is_about_spelling(text: str) -> bool:
    """A conversation in which one text says so is about each sign of all its texts."""
    return SPELLING.search(text) is not None


def is_plain(text: str) -> bool:
    """Nothing in it is to be taken literally, nor laid out with spaces."""
    return LITERAL.search(text) is None and LAID_OUT.search(text) is None


def _pieces(text: str) -> Iterator[str]:
    end = 0
    for literal in LITERAL.finditer(text):
        yield _prose(text[end : literal.start()], whole=False)
        yield literal[0]
        end = literal.end()
    yield _prose(text[end:], whole=False)


def _prose(text: str, *, whole: bool) -> str:
    """`whole` says that nothing stands beside it: then one line may be of any width."""
    if not text.isascii():
        text = APOSTROPHE.sub("'", NOTHING.sub("", _composed(text)))
    if whole and "\n" not in text and "\r" not in text:
        return text if "\t" in text.strip() else SPACES.sub(" ", text)
    if LAID_OUT.search(text):
        return text
    return ENDS.sub("\n", SPACES.sub(" ", text))


def _composed(text: str) -> str:
    if unicodedata.is_normalized(FORM, text):
        return text
    return "".join(map(_composed_run, _runs(text)))


def _composed_run(run: str) -> str:
    return run if _meant(run[0]) else unicodedata.normalize(FORM, run)


def _runs(text: str) -> Iterator[str]:
    """Parted where what must stay begins and ends."""
    begin = 0
    for at in range(1, len(text)):
        if _meant(text[at]) != _meant(text[begin]):
            yield text[begin:at]
            begin = at
    yield text[begin:]


def _meant(character: str) -> bool:
    return unicodedata.decomposition(character).startswith(MEANT)
