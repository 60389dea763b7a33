"""What of Ollama's requests has no price that is known beforehand.

All that generates is capped by `num_predict`; a picture is known by its first bytes (`audio` counts
what is none); `suffix` and `system` are bytes of the body. A template can loop, and the tokens of
`context` are not those of its bytes.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from penstock_sidecar.model import Request

COMMON: Final = frozenset(
    "model stream options format think keep_alive truncate shift logprobs top_logprobs user"  # noqa: SIM905  # words
    " metadata".split()
)
KNOWN_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "ollama-chat": COMMON | {"messages", "tools"},
    "ollama-generate": COMMON | {"prompt", "suffix", "system", "raw", "images"},
}
NEUTRAL: Final[tuple[object, ...]] = ("", False, [])
"""Asks for nothing, whatever the field."""


def unbounded_in_ollama(request: Request) -> Iterator[str]:
    """Paths of fields for which there is no most that they can cost."""
    known = KNOWN_FIELDS[request.api]
    for name, value in request.document.items():
        if value is not None and name not in known and value not in NEUTRAL:
            yield name
    if request.audio:
        yield "images"
