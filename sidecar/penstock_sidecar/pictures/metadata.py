"""Takes metadata out of pictures by their bytes alone: nothing is decoded, no pixel changes.

JPEG: ITU-T T.81, annex B. PNG: W3C PNG, section 5. WebP: RFC 9649, section 2. What is not
understood is left as it is. Colour profiles stay: without them colours are others.
"""

import re
import struct
from collections.abc import Iterator
from typing import Final

PNG: Final = b"\x89PNG\r\n\x1a\n"
PNG_DROPPED: Final = frozenset({b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME", b"dSIG"})
PNG_ANIMATED: Final = b"acTL"
JPEG: Final = b"\xff\xd8"
JPEG_APPS: Final = range(0xE0, 0xF0)
JFIF_APP: Final = 0xE0
JFIF: Final = b"JFIF\0"
JFIF_BYTES: Final = 14
"""A longer one has a small picture in it, which may show what was cut away."""
ADOBE_APP: Final = 0xEE
"""Says how colours are meant."""
JPEG_COMMENT: Final = 0xFE
JPEG_SCAN: Final = 0xDA
JPEG_END: Final = 0xD9
ICC: Final = b"ICC_PROFILE\0"
MARKER: Final = re.compile(rb"\xff+[^\x00\xff]", re.DOTALL)
SCAN_MARKER: Final = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""The next marker after a scan's data, in which 0xff is followed by 0 or by a restart."""
WEBP_DROPPED: Final = frozenset({b"EXIF", b"XMP "})
WEBP_METADATA_FLAGS: Final = 0x0C
WEBP_ANIMATED_FLAG: Final = 0x02


class NotUnderstood(Exception):
    """The bytes are not what their beginning promised, or are animated."""


def without_metadata(data: bytes) -> bytes | None:
    """None for what is left alone: other formats, animations, broken files."""
    try:
        if data.startswith(PNG):
            return PNG + b"".join(_png(data))
        if data.startswith(JPEG):
            return b"".join(_jpeg(data))
        if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
            return _webp(data)
    except (NotUnderstood, IndexError, struct.error):
        return None
    return None


def _png(data: bytes) -> Iterator[bytes]:
    """What follows its end is dropped."""
    at, kind = len(PNG), b""
    while kind != b"IEND":
        (size,) = struct.unpack_from(">I", data, at)
        kind, end = data[at + 4 : at + 8], at + size + 12
        if end > len(data) or kind == PNG_ANIMATED:
            raise NotUnderstood
        if kind not in PNG_DROPPED:
            yield data[at:end]
        at = end


def _jpeg(data: bytes) -> Iterator[bytes]:
    """What follows its end, such as a phone's second picture or film, is dropped."""
    yield JPEG
    at, marker = len(JPEG), 0
    while marker != JPEG_END:
        begin = _marker(data, at)
        marker = data[begin + 1]
        at = begin + 2 if marker == JPEG_END else _end_of_segment(data, begin)
        if not _dropped(marker, data[begin + 4 : at]):
            yield data[begin:at]


def _marker(data: bytes, at: int) -> int:
    """Where the next marker begins: before it may be fill."""
    found = MARKER.match(data, at)
    if found is None:
        raise NotUnderstood
    return found.end() - 2


def _end_of_segment(data: bytes, begin: int) -> int:
    """Of a scan, with its data."""
    (size,) = struct.unpack_from(">H", data, begin + 2)
    end: int = begin + 2 + size
    if end > len(data):
        raise NotUnderstood
    if data[begin + 1] != JPEG_SCAN:
        return end
    found = SCAN_MARKER.search(data, end)
    if found is None:
        raise NotUnderstood
    return found.start()


def _dropped(marker: int, content: bytes) -> bool:
    if marker == JFIF_APP:
        return not content.startswith(JFIF) or len(content) != JFIF_BYTES
    if marker in JPEG_APPS:
        return marker != ADOBE_APP and not content.startswith(ICC)
    return marker == JPEG_COMMENT


def _webp(data: bytes) -> bytes:
    kept = []
    at, end = 12, 8 + struct.unpack_from("<I", data, 4)[0]
    if end > len(data):
        raise NotUnderstood
    while at < end:
        kind, size = struct.unpack_from("<4sI", data, at)
        after = at + 8 + size + size % 2
        if after > len(data):
            raise NotUnderstood
        if kind not in WEBP_DROPPED:
            kept.append(_plain_header(data[at:after]) if kind == b"VP8X" else data[at:after])
        at = after
    chunks = b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks


def _plain_header(chunk: bytes) -> bytes:
    """Says of the picture that it has no metadata."""
    flags = chunk[8]
    if flags & WEBP_ANIMATED_FLAG:
        raise NotUnderstood
    return chunk[:8] + bytes((flags & ~WEBP_METADATA_FLAGS,)) + chunk[9:]
