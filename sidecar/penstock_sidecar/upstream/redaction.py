"""Takes whatever looks like a key out of a provider's words."""

import re
from collections.abc import Iterable
from typing import Final

KEY_LIKE: Final = re.compile(
    r"(?i:bearer)\s+\S+"
    r"|\b(?:sk|gsk|xai|pplx|hf|r8|key|fw|csk|nvapi)[-_][\w*.-]{6,}"
    r"|\bAIza[\w*-]{10,}"
)
REDACTED: Final = "[redacted]"


class Redactor:
    """Knows the keys in use; built once per provider."""

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[str]) -> None:
        self._keys = sorted(keys, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for key in self._keys:
            text = text.replace(key, REDACTED)
        return KEY_LIKE.sub(REDACTED, text)
