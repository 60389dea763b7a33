"""A response while it comes in."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from typing import Final, Literal

import aiohttp
import pytest

from penstock_config.provider import Timeouts
from penstock_sidecar.errors import UpstreamLost
from penstock_sidecar.upstream.deadlines import Deadlines
from penstock_sidecar.upstream.incoming import Incoming

HEAD: Final = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
PIECES: Final = (b"one", b"two", b"three")
SENT: Final = HEAD + b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in PIECES)
NO_LINGER: Final = struct.pack("ii", 1, 0)
End = Literal["close", "reset"]


async def serve(end: End) -> tuple[asyncio.Server, str]:
    """Sends all that it has in one go, and breaks off."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(SENT)
        await writer.drain()
        if end == "reset":
            connection: socket.socket = writer.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    return server, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_what_came_before_a_connection_broke_off_is_read_first(
    session: aiohttp.ClientSession, end: End
) -> None:
    server, url = await serve(end)
    async with server, session.get(url) as response:
        with pytest.raises((aiohttp.ClientError, OSError)):
            await response.content.wait_eof()
        now = asyncio.get_running_loop().time()
        incoming = Incoming(response, Deadlines(Timeouts(), now, stream=True), "acme/model")
        assert await incoming.read() == b"".join(PIECES)
        for _ in range(2):
            with pytest.raises(UpstreamLost, match="acme/model"):
                await incoming.read()
        incoming.close()
