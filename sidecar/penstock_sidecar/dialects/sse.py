"""Server-sent events: the payload of one (WHATWG HTML, 9.2.6)."""

from typing import Final

BOM: Final = b"\xef\xbb\xbf"
DONE: Final = b"[DONE]"
DONE_EVENT: Final = b"data: [DONE]\n\n"
_LINES_OF_A_SIMPLE_EVENT: Final = 2


def payload(event: bytes) -> bytes | None:
    """The `data` lines joined; `None` for an event that has none, such as a comment."""
    if event.startswith(b"data:") and event.count(b"\n") == _LINES_OF_A_SIMPLE_EVENT:
        return event[5:].strip()
    lines = event.removeprefix(BOM).splitlines()
    data = [line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:")]
    return b"\n".join(data).strip() if data else None
