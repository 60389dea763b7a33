"""What the base64 data of a picture is: Ollama's requests do not say."""

from base64 import b64decode
from binascii import Error
from typing import Final

_HEAD_CHARACTERS: Final = 24
"""Of base64: the 18 bytes in which every format says its name."""
_BEGINNINGS: Final = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def media_type_of(data: str) -> str | None:
    """That of a PNG, JPEG, GIF or WebP picture; `None` for all else, such as sound."""
    try:
        head = b64decode(data[:_HEAD_CHARACTERS], validate=True)
    except (Error, ValueError):
        return None
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return next((name for beginning, name in _BEGINNINGS if head.startswith(beginning)), None)
