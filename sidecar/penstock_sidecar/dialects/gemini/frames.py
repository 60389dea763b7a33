"""How a stream's documents come: as server-sent events, but for an error half-way."""

from typing import Final

from penstock_sidecar.dialects.framing import SSE, Framing
from penstock_sidecar.dialects.sse import payload


def _document(frame: bytes) -> bytes | None:
    found = payload(frame)
    return _bare(frame.strip()) if found is None else found


def _bare(text: bytes) -> bytes | None:
    """An error that ends a stream is bare JSON, at times the only element of a list."""
    if text[:1] not in {b"{", b"["}:
        return None
    return text.removeprefix(b"[").removesuffix(b"]")


EVENTS: Final = Framing(SSE.content_type, SSE.end, _document, SSE.last)
