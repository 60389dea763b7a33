"""Which requests are looked up, and kept, by what they mean. Pure."""

from typing import Final

from penstock_sidecar.cache.semantic.turn import Turn, last_turn
from penstock_sidecar.model import JsonObject, Request

CRITICAL_HEADER: Final = "x-penstock-critical"
"""`true`: a similar question's answer will not do."""
MAX_CHARACTERS: Final = 2048
"""Eight for each of the model's 256 tokens, and English has about four and a half: what is longer
is hardly ever taken, and need not be asked. The embedder, which counts tokens, decides."""
ZERO_OR_NONE: Final = (0, None)


def eligible(request: Request, *, require_deterministic: bool) -> Turn | None:
    """The turn by whose meaning the request may be answered; None where it must not be."""
    if _critical(request) or (require_deterministic and not _deterministic(request)):
        return None
    turn = last_turn(request)
    return turn if turn and _embeddable(turn.text) else None


def _critical(request: Request) -> bool:
    return request.headers.get(CRITICAL_HEADER, "").strip().lower() == "true"


def _deterministic(request: Request) -> bool:
    """As far as the caller says: 0 or nothing."""
    options = request.document.get("options")
    return all(map(_cold, (request.document, options if isinstance(options, dict) else {})))


def _cold(holder: JsonObject) -> bool:
    temperature = holder.get("temperature")
    return not isinstance(temperature, bool) and temperature in ZERO_OR_NONE


def _embeddable(text: str) -> bool:
    return len(text) <= MAX_CHARACTERS and bool(text.strip()) and _encodable(text)


def _encodable(text: str) -> bool:
    """JSON may hold half of a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
