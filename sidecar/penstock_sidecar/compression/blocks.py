"""What of a text may be touched: code, and data that is written as JSON, stay as they are."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Final

FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,}).*$", re.MULTILINE)
INDENTED: Final = re.compile(r"(?:^(?: {4,}|\t).*(?:\n|\Z))+", re.MULTILINE)
"""Lines of code, as Markdown has it, or of a list within a list: both are left alone."""
OPENING: Final = re.compile(r"^[ \t]*[\[{]", re.MULTILINE)
QUOTED: Final = re.compile(
    r'"[^"\n]*"|(?<!\w)\'[^\'\n]*\'(?!\w)|\u201c[^\u201c\u201d\n]*\u201d|\u00ab[^\u00ab\u00bb\n]*\u00bb|`[^`\n]+`'
)
"""Words that are somebody's own, and code within a line. None of those that have an opening mark
goes on beyond the next: a line of opening marks would be read once for each."""
MAX_FENCES: Final = 1_000
MAX_CHARACTERS: Final = 500_000
MAX_JSON_VALUES: Final = 64
"""Tried in one text: each try may read all of the rest."""
_decoder: Final = json.JSONDecoder()

Shortening = Callable[[str], str]


def in_free_text(text: str, shorten: Shortening) -> str:
    """`shorten` for each stretch of the text that is neither code nor JSON. A text of more than a
    person writes stays as it is: looking at all of it would keep others waiting."""
    if len(FENCE.findall(text)) > MAX_FENCES or len(text) > MAX_CHARACTERS:
        return text
    return "".join(shorten(part) if free else part for free, part in blocks_of(text))


def outside_fences(text: str, shorten: Shortening) -> str:
    """The same for what tools gave, which may be longer, and all of which may be data."""
    if len(FENCE.findall(text)) > MAX_FENCES:
        return text
    return "".join(shorten(part) if free else part for free, part in _fenced(text))


def blocks_of(text: str) -> Iterator[tuple[bool, str]]:
    """(free, stretch), which joined are the text."""
    for free, part in _fenced(text):
        if not free:
            yield False, part
            continue
        for unindented, stretch in _split(part, INDENTED):
            yield from _data(stretch) if unindented else ((False, stretch),)


def _fenced(text: str) -> Iterator[tuple[bool, str]]:
    """A fence that is never closed goes on to the end."""
    begin, opening = 0, None
    for fence in FENCE.finditer(text):
        mark = fence[1]
        if opening is None:
            opening = mark
            yield True, text[begin : fence.start()]
            begin = fence.start()
        elif mark.startswith(opening) and fence[0].strip() == mark:
            opening = None
            yield False, text[begin : fence.end()]
            begin = fence.end()
    yield opening is None, text[begin:]


def _split(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[bool, str]]:
    end = 0
    for found in pattern.finditer(text):
        yield True, text[end : found.start()]
        yield False, found[0]
        end = found.end()
    yield True, text[end:]


def _data(text: str) -> Iterator[tuple[bool, str]]:
    """Objects and lists that begin a line."""
    end = tried = 0
    for opening in OPENING.finditer(text):
        start = opening.end() - 1
        if start < end:
            continue
        tried += 1
        if tried > MAX_JSON_VALUES:
            break
        try:
            _, after = _decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        yield True, text[end:start]
        yield False, text[start:after]
        end = after
    yield True, text[end:]
