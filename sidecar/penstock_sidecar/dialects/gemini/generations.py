"""What a model's name tells of it: some fields changed with Gemini 3."""

import re
from typing import Final

_BEFORE_3: Final = re.compile(r"gemini-(?:[12]\b|pro(?!-latest))|gemma-[123]\b|gemma-3n|learnlm")


def before_3(model: str) -> bool:
    """Thinks by a budget of tokens and checks no signatures; what is not known to be, is newer."""
    return _BEFORE_3.search(model.lower()) is not None
