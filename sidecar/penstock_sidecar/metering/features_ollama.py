"""What of Ollama's requests has no price that is known beforehand.

All that generates is capped by `num_predict`; a picture is known by its first bytes (`audio` counts
what is none); `suffix` and `system` are bytes of the body. A template can loop, and the tokens of
`context` are not those of its bytes.
"""

from collections.abc import Iterator
from typing import Final

from penstock_sidecar.model import Request

COMMON: Final = frozenset(
    "model stream options format think keep_alive truncate shift logprobs top_logprobs user"  # noqa: SIM905  # words
    " metadata".split()
)
CHAT_FIELDS: Final = COMMON | {"messages", "tools"}
GENERATE_FIELDS: Final = COMMON | {"prompt", "suffix", "system", "raw", "images"}
NEUTRAL: Final[tuple[object, ...]] = ("", False, [])
"""Asks for nothing, whatever the field."""


def of_chat(request: Request) -> Iterator[str]:
    return _others(request, CHAT_FIELDS)


def of_generate(request: Request) -> Iterator[str]:
    return _others(request, GENERATE_FIELDS)


def _others(request: Request, known: frozenset[str]) -> Iterator[str]:
    for name, value in request.document.items():
        if value is not None and name not in known and value not in NEUTRAL:
            yield name
    if request.audio:
        yield "images"
