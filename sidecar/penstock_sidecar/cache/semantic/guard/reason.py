"""Why a question is not answered with another one's answer."""

from typing import Literal

Reason = Literal[
    "too_long",
    "script",
    "language",
    "code",
    "numbers",
    "units",
    "negation",
    "direction",
    "possessives",
    "question",
    "scope",
    "tense",
    "roles",
    "words",
]
"""What differs. `words` is any word of content: opposites, names, languages, forms of an answer."""
