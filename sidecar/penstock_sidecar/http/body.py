"""Reads a request's body within bounds of size and time."""

import asyncio
from typing import Final

from aiohttp import HttpVersion11, StreamReader, web
from aiohttp.web_protocol import RequestPayloadError

from penstock_sidecar.errors import BodyTooSlow, MalformedRequest
from penstock_sidecar.http.encoding import codings, decoded, too_large

BODY_SECONDS: Final = 30
"""The longest that a body may take. Callers are on this machine: 10 MiB take milliseconds."""


async def read_body(
    request: web.BaseRequest, max_bytes: int, within_seconds: float = BODY_SECONDS
) -> bytes:
    """The whole body, decompressed: `max_bytes` bounds it before and after. Raises a `CallerError`
    that says which bound it broke."""
    applied = _applied(request)
    if (request.content_length or 0) > max_bytes:
        raise too_large(max_bytes)
    await _continue(request)
    try:
        body = await _read_within(request.content, max_bytes, within_seconds)
    except TimeoutError:
        msg = f"The body did not arrive within {within_seconds:g} seconds"
        raise BodyTooSlow(msg) from None
    except RequestPayloadError:
        raise MalformedRequest("The body is cut off or wrongly framed") from None
    return await asyncio.to_thread(decoded, body, applied, max_bytes) if applied else body


def _applied(request: web.BaseRequest) -> tuple[str, ...]:
    if "Content-Encoding" not in request.headers:
        return ()
    return codings(", ".join(request.headers.getall("Content-Encoding")))


async def _read_within(content: StreamReader, max_bytes: int, seconds: float) -> bytes:
    """Without a timer where all of it is there."""
    if content.is_eof():
        return await _read(content, max_bytes)
    async with asyncio.timeout(seconds):
        return await _read(content, max_bytes)


async def _read(content: StreamReader, max_bytes: int) -> bytes:
    """Every body's way, chunked ones included, which do not say their length."""
    pieces, size = [], 0
    while piece := await content.readany():
        pieces.append(piece)
        size += len(piece)
        if size > max_bytes:
            raise too_large(max_bytes)
    return b"".join(pieces)


async def _continue(request: web.BaseRequest) -> None:
    """RFC 9110, 10.1.1: curl holds larger bodies back until told. Only aiohttp's router does it.
    HTTP/1.0 has no such answer, and would take it for the last one."""
    expected = request.headers.get("Expect", "").lower() == "100-continue"
    if expected and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
