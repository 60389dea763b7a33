"""Whose a thought's signature is.

A provider answers another's signature with an error, and conversations move from one to another. So
Google's carry its name, in here and at callers that keep a thought's signature for us; Anthropic's
are as Anthropic wrote them.
"""

from typing import Final

GOOGLE: Final = "google:"


def of_google(signature: str) -> str:
    """The signature with its maker's name."""
    return GOOGLE + signature


def google_s(signature: str | None) -> str | None:
    """As Google wrote it; `None` for what is not Google's."""
    if signature is None or not signature.startswith(GOOGLE):
        return None
    return signature.removeprefix(GOOGLE)
