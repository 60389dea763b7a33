"""Lines of a log in a tool's output that say the same: a few stand for all.

A log's lines begin with a time or a level: rows of a table, an array or a program do not, and stay.
Of lines that are alike but for their figures stay the first and the last, those with the least and
the greatest of each figure, those that tell of trouble, and those that speak of what was asked.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

FIGURE: Final = re.compile(r"\d+(?:\.\d+)?")
LOGGED: Final = re.compile(
    r"(?:\[pod/\S+\] |\S+ +\| )?"  # which container's
    r"(?:[\[(<]?(?:\d{4}[-/.]\d\d[-/.]\d\d[T ]|\d\d[-/.](?:\d\d|\w{3})[-/.]\d{4}[T :]"
    r"|(?:\w{3} )?\w{3} [ \d]\d |[IWEF]\d{4} )?\d\d:\d\d:\d\d(?:\.\d+|,\d{3}(?= ))?+"
    r"(?:Z|[+-]\d\d:?\d\d)?+(?!\s*(?:[,;|\t]|-->))"  # rows and subtitles may begin so, too
    r"|\S+ \S+ \S+ \[\d\d/\w{3}/\d{4}:\d\d:"  # of each access, as servers write it
    r"|\[ *\d+\.\d{6}\] "  # the kernel's
    r"|(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|FATAL|CRITICAL)(?:[:|\]]| +(?=[^\s=(]))"
    r"|[\[<](?i:trace|debug|info|notice|warn|warning|error|fatal|critical)[\]>]"
    r"|(?:time|ts|timestamp|level|lvl)=\S+ \S)"
)
"""How a line of a log begins."""
ID: Final = re.compile(r"\b(?=[0-9a-fA-F-]{0,64}\d)[0-9a-fA-F]{4,}(?:-[0-9a-fA-F]+)*\b")
"""Hashes, parts of UUIDs."""
TROUBLE: Final = re.compile(
    r"\b(?:warn\w*|err\w*|fail\w*|fatal|crit\w*|alert|emerg\w*|panic|exception|traceback|denied"
    r"|refused|timed?[ -]?out|abort\w*|killed|oom|unhealthy|rejected|invalid)\b",
    re.IGNORECASE,
)
WORD: Final = re.compile(r"\w[\w.-]*\w|\w")
LEAST_ALIKE: Final = 5
MAX_FIGURES: Final = 32
"""Of a line: more are data, and stay."""
MAX_LINES: Final = 50_000
BLOB: Final = re.compile(
    r"(?m:^(?: {4,}|\t).*$)|https?://[^\s\"'<>]+"
    r"|(?<![A-Za-z0-9+/=_-])(?P<data>[A-Za-z0-9+/=_-]{1024,})"
)
"""Shorter ones may be tokens that the next call needs, and so may parts of an address. Indented
lines are code."""


@dataclass(slots=True)
class _Group:
    places: list[int] = field(default_factory=list)
    figures: list[tuple[float, ...]] = field(default_factory=list)


def fewer_lines(text: str, question: str) -> str:
    """The same log with one line for many; how many are left out is said where they stood."""
    lines = text.split("\n")
    if not LEAST_ALIKE <= len(lines) <= MAX_LINES:
        return text
    left_out = _left_out(lines, _names(question))
    return "\n".join(_told(lines, left_out)) if left_out else text


def without_blobs(text: str) -> str:
    """Without binary data in letters, which says nothing to anybody."""
    return BLOB.sub(_named, text)


def _named(found: re.Match[str]) -> str:
    data = found["data"]
    is_number = data is None or data.strip("-").isdigit()
    return found[0] if is_number else f"[{len(data)} characters of data]"


def _left_out(lines: Sequence[str], asked: frozenset[str]) -> frozenset[int]:
    groups: dict[str, _Group] = {}
    for place, line in enumerate(lines):
        figures = FIGURE.findall(line) if LOGGED.match(line) else ()
        if figures and len(figures) <= MAX_FIGURES:
            group = groups.setdefault(FIGURE.sub("0", ID.sub("0", line)), _Group())
            group.places.append(place)
            group.figures.append(tuple(map(float, figures)))
    large = (group for group in groups.values() if len(group.places) >= LEAST_ALIKE)
    gone = (place for group in large for place in _dispensable(group))
    return frozenset(place for place in gone if not _speaks(lines[place], asked))


def _dispensable(group: _Group) -> Iterator[int]:
    kept = {0, len(group.places) - 1}
    for column in range(min(map(len, group.figures))):
        values = [figures[column] for figures in group.figures]
        kept |= {values.index(min(values)), values.index(max(values))}
    return (place for number, place in enumerate(group.places) if number not in kept)


def _speaks(line: str, asked: frozenset[str]) -> bool:
    return bool(TROUBLE.search(line)) or not asked.isdisjoint(_names(line))


def _names(text: str) -> frozenset[str]:
    """Words with a figure in them: identifiers, amounts, times."""
    return frozenset(w.lower() for w in WORD.findall(text) if any(map(str.isdigit, w)))


def _told(lines: Sequence[str], left_out: frozenset[int]) -> Iterator[str]:
    missing = 0
    for place, line in enumerate(lines):
        if place in left_out:
            missing += 1
            continue
        if missing:
            yield _alike(missing)
        missing = 0
        yield line
    if missing:
        yield _alike(missing)


def _alike(count: int) -> str:
    return f"[{count} more like these]"
