"""How a stream's documents are told apart on the wire."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.dialects.splitter import LINE_END, SSE_END
from penstock_sidecar.dialects.sse import payload


@dataclass(frozen=True, slots=True)
class Framing:
    """`payload` gives a frame's document; nothing for a comment or an empty line."""

    content_type: str
    end: re.Pattern[bytes]
    payload: Callable[[bytes], bytes | None]
    last: bytes
    """What is put after a last frame that has no end."""


SSE: Final = Framing("text/event-stream", SSE_END, payload, b"\n\n")
LINES: Final = Framing("application/x-ndjson", LINE_END, bytes.strip, b"\n")
