"""What pages and files say around what they have to say.

Of closed lists alone: a line that is not plainly one of these stays.
"""

import re
from collections.abc import Sequence
from itertools import groupby
from typing import Final

from penstock_sidecar.compression.blocks import QUOTED
from penstock_sidecar.compression.duplicates import PARAGRAPHS, sentences
from penstock_sidecar.compression.markup import is_page, without_markup

MENU: Final = frozenset({
    "about", "about us", "account", "back to top", "blog", "careers", "cart", "checkout",
    "contact", "contact us", "cookie policy", "cookie settings", "cookies", "docs",
    "documentation", "download", "downloads", "events", "facebook", "faq", "faqs", "features",
    "forum", "help", "help center", "home", "imprint", "instagram", "jobs", "legal",
    "legal notice", "linkedin", "log in", "log out", "login", "logout", "menu", "my account",
    "news", "newsletter", "next", "next page", "pinterest", "press", "previous", "previous page",
    "pricing", "print", "privacy", "privacy policy", "products", "register", "resources", "rss",
    "search", "services", "share", "shop", "sign in", "sign up", "site map", "sitemap",
    "skip to content", "skip to main content", "solutions", "store", "subscribe", "support",
    "team", "terms", "terms and conditions", "terms of service", "terms of use", "top", "tweet",
    "twitter", "youtube",
})  # fmt: skip
"""What navigation says, in lower case."""
BETWEEN: Final = re.compile(r"\s*[|\u00b7\u2022\u203a\u00bb>/]\s*|\s{2,}")
MOST_UNKNOWN: Final = 0.5
"""Of a menu's entries: its products, among the usual."""
LEAST_ENTRIES: Final = 3
MAX_MENU_CHARACTERS: Final = 300
PATTERNS: Final = re.compile(
    r"\bwe use cookies\b|\bthis (?:web)?site uses cookies\b|\baccept (?:all )?cookies\b"
    r"|\ball rights reserved\b|\bsubscribe to our newsletter\b|\bsign up for our newsletter\b"
    r"|\bfollow us on\b|\bshare this (?:article|page|post)\b|\bclick here to (?:subscribe|share)\b"
    r"|\b(?:please )?enable javascript\b|\bsent from my (?:iphone|ipad|android)\b"
    r"|\bif you are not the intended recipient\b"
    r"|\bthis e-?mail and any (?:files|attachments)\b",
    re.IGNORECASE,
)
SPOKEN_OF: Final = re.compile(
    r"\b(?:say|tell|mention|answer|reply|respond|remind|ask(?:s|ed)?|never|always|whether)\b",
    re.IGNORECASE,
)
"""Who says what to do with a notice gives none."""
FIGURES: Final = re.compile(r"\d")
YEARS: Final = re.compile(r"\b(?:19|20)\d\d\b")
LICENCE: Final = re.compile(
    r"licensed under the apache license|permission is hereby granted, free of charge"
    r"|redistribution and use in source and binary forms|gnu (?:lesser |affero )?general public"
    r"|the software is provided [\"\u201c]?as is|without warranties or conditions of any kind"
    r"|the above copyright notice and this permission notice",
    re.IGNORECASE,
)
LEFT_OUT: Final = "[...]"
MAX_FIRST_CHARACTERS: Final = 120
COMMENT: Final = re.compile(r"^\s*(?:#|//|\*|--)?\s*")


def without_boilerplate(text: str) -> str:
    """Without mark-up, menus, notices about cookies and rights, and the body of licences."""
    if is_page(text):
        text = without_markup(text)
    parts = PARAGRAPHS.split(_without_lines(text))
    licensed = False
    for place in range(0, len(parts), 2):
        licence = bool(LICENCE.search(_unwrapped(parts[place])))
        if licence:
            parts[place] = "" if licensed else _licence(parts[place])
        licensed = licence or (licensed and not parts[place].strip())
    return "".join(parts)


def _without_lines(text: str) -> str:
    lines = text.split("\n")
    menus = _menus(lines)
    left = (_without_notices(line) for line, menu in zip(lines, menus, strict=True) if not menu)
    return "\n".join(line for line in left if line is not None)


def _menus(lines: Sequence[str]) -> Sequence[bool]:
    """Which lines are navigation: with several entries, or several such lines in a row. A word by
    itself may be a heading."""
    entries = [_entries(line) for line in lines]
    found = [False] * len(lines)
    begin = 0
    for is_menu, run in groupby(entries, key=bool):
        end = begin + len(numbers := list(run))
        if is_menu and sum(numbers) >= LEAST_ENTRIES:
            found[begin:end] = [True] * (end - begin)
        begin = end
    return found


def _entries(line: str) -> int:
    """How many a line of a menu has; 0 for any other line."""
    if len(line) > MAX_MENU_CHARACTERS or FIGURES.search(line):
        return 0
    entries = [entry.strip().lower() for entry in BETWEEN.split(line.strip()) if entry.strip()]
    unknown = sum(entry not in MENU for entry in entries)
    return 0 if unknown > MOST_UNKNOWN * len(entries) else len(entries)


def _without_notices(line: str) -> str | None:
    """None for a line that is nothing else."""
    if not PATTERNS.search(line):
        return line
    kept = "".join(part for part in sentences(line) if not _is_notice(part)).strip()
    return kept or None


def _is_notice(sentence: str) -> bool:
    """A figure that is no year may be what somebody asks for."""
    meant = FIGURES.search(YEARS.sub("", sentence)) or SPOKEN_OF.search(sentence)
    return bool(PATTERNS.search(sentence)) and not (meant or QUOTED.search(sentence))


def _unwrapped(paragraph: str) -> str:
    return " ".join(COMMENT.sub("", line) for line in paragraph.split("\n"))


def _licence(paragraph: str) -> str:
    """Its first line says which one, or whose."""
    first, _, rest = paragraph.partition("\n")
    return f"{first} {LEFT_OUT}" if rest else f"{first[:MAX_FIRST_CHARACTERS]} {LEFT_OUT}"
