"""Undoes the compression of a request's body, never beyond a bound of bytes.

Pure. A body of 10 KB may hold 10 MB: whoever calls this from a loop does so in a thread.
"""

import sys
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, Protocol

from penstock_sidecar.errors import BodyTooLarge, EncodingUnsupported, MalformedRequest

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PIECE_BYTES: Final = 64 * 1024
MAX_LAYERS: Final = 2
"""Nobody compresses what is compressed; some libraries say `gzip, identity`."""
ZSTD_WINDOW_LOG: Final = 23
"""8 MiB, the most that zstd may use in HTTP (RFC 9659)."""
MAX_MEMBERS: Final = 1024
"""Nearly all send one; tools that work in parallel send one for each 64 KiB or more. One that holds
nothing has 8 bytes, and costs as much work as a large one."""
ACCEPTED: Final = "gzip, deflate, zstd"


class _Decompressor(Protocol):
    """What zlib's and zstd's have in common, once `_Inflate` has made the former alike."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes: ...


class _Inflate:
    """zlib's, which hands back what it has not read yet; zstd's keeps it."""

    def __init__(self, window_bits: int) -> None:
        self._inner = zlib.decompressobj(window_bits)

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data

    @property
    def needs_input(self) -> bool:
        return not (self._inner.unconsumed_tail or self._inner.eof)

    def decompress(self, data: bytes | memoryview, max_length: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


def codings(header: str) -> tuple[str, ...]:
    """Of a `Content-Encoding`, as they were applied. Raises `EncodingUnsupported`."""
    named = [name.strip().lower() for name in header.split(",")]
    found = tuple(name for name in named if name not in {"", "identity"})
    unknown = next((name for name in found if name not in _LAYERS), None)
    if unknown is not None:
        raise _unsupported("The body's Content-Encoding is not read here")
    if len(found) > MAX_LAYERS:
        raise _unsupported(f"The body is compressed more than {MAX_LAYERS} times")
    return found


def decoded(body: bytes, applied: Sequence[str], max_bytes: int) -> bytes:
    """The body as it was before. Raises `BodyTooLarge` before there is more of it, and
    `MalformedRequest` for what is cut off or something else."""
    for name in reversed(applied):
        body = _joined(_LAYERS[name](body), max_bytes)
    return body


def too_large(max_bytes: int) -> BodyTooLarge:
    return BodyTooLarge(f"The body is larger than {max_bytes} bytes, the most that is read here")


def _joined(pieces: Iterator[bytes], max_bytes: int) -> bytes:
    found, size = [], 0
    try:
        for piece in pieces:
            size += len(piece)
            if size > max_bytes:
                raise too_large(max_bytes)
            found.append(piece)
    except (zlib.error, zstd.ZstdError):
        raise _malformed() from None
    return b"".join(found)


def _gzip(body: bytes) -> Iterator[bytes]:
    return _members(body, lambda: _Inflate(16 + zlib.MAX_WBITS))


def _deflate(body: bytes) -> Iterator[bytes]:
    """zlib's format (RFC 9110, 8.4.1.2); some send deflate alone, as early browsers did."""
    head = body[:2]
    wrapped = head[:1] and head[0] & 0x0F == zlib.DEFLATED and int.from_bytes(head) % 31 == 0
    window_bits = zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS
    return _members(body, lambda: _Inflate(window_bits), once=True)


def _zstd(body: bytes) -> Iterator[bytes]:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG}
    return _members(body, lambda: zstd.ZstdDecompressor(options=options))


def _members(
    body: bytes, decompressor: Callable[[], _Decompressor], *, once: bool = False
) -> Iterator[bytes]:
    """Of one or, as gzip and zstd allow, several one after the other."""
    view, read = memoryview(body), 0
    for _ in range(MAX_MEMBERS):
        member = decompressor()
        while not member.eof:
            hungry = member.needs_input
            data = view[read : read + PIECE_BYTES] if hungry else b""
            read += len(data)
            piece = member.decompress(data, PIECE_BYTES)
            if hungry and not (piece or data or member.eof):
                raise _malformed()
            yield piece
        read -= len(member.unused_data)
        if read == len(body):
            return
        if once:
            raise _malformed()
    raise MalformedRequest(
        f"The body is compressed in more than {MAX_MEMBERS} parts: send it as one"
    )


_LAYERS: Final[Mapping[str, Callable[[bytes], Iterator[bytes]]]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}


def _malformed() -> MalformedRequest:
    return MalformedRequest("The body is not what its Content-Encoding says, or is cut off")


def _unsupported(what: str) -> EncodingUnsupported:
    error = EncodingUnsupported(f"{what}: send it as one of {ACCEPTED}, or uncompressed")
    error.headers = {"accept-encoding": ACCEPTED}
    return error
