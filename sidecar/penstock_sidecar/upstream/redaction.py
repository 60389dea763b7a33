"""Takes whatever looks like a key out of a provider's words."""

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, quote_plus

KEY_LIKE: Final = re.compile(
    r"(?i:bearer)\s+\S+"
    r"|\b(?:sk|gsk|xai|pplx|hf|r8|fw|csk|nvapi)[-_][\w*.-]{6,}"
    r"|\bAIza[\w*-]{10,}"
    r"|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*"
)
MIN_KEY_CHARACTERS: Final = 6
"""A shorter one is no secret, and its letters are in many words."""
REDACTED: Final = "[redacted]"


class Redactor:
    """Knows the keys in use, also as a URL writes them; built once per provider."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[str]) -> None:
        secrets = {key for key in keys if len(key) >= MIN_KEY_CHARACTERS}
        secrets |= {
            written
            for key in secrets
            for written in (quote(key), quote(key, safe=""), quote_plus(key))
        }
        self._keys = sorted(secrets, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for key in self._keys:
            text = text.replace(key, REDACTED)
        return KEY_LIKE.sub(REDACTED, text)
