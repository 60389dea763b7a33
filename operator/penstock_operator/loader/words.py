"""A server's own words, fit to be shown: short, on one line, without what its URLs may hold."""

import re
from typing import Final

MAX_CHARACTERS: Final = 512
_LOGIN: Final = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@\"'<>]*@", re.IGNORECASE)
_QUERY: Final = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?\"'<>]*)\?[^\s\"'<>]+", re.IGNORECASE)
"""A registry's storage answers with addresses that are signed: whoever has one may use it."""
_BEARER: Final = re.compile(r"\b(bearer|basic|token)\s+[A-Za-z0-9._~+/=-]{16,}", re.IGNORECASE)


def fit(text: str) -> str:
    """At most 512 characters."""
    line = " ".join(text.split())
    line = _LOGIN.sub(r"\1***@", line)
    line = _QUERY.sub(r"\1?***", line)
    line = _BEARER.sub(r"\1 ***", line)
    return line if len(line) <= MAX_CHARACTERS else line[: MAX_CHARACTERS - 1] + "…"
