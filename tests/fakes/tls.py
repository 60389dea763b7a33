"""TLS in front of a plain server, by a certificate of the test's own authority."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

from tests.fakes.pipe import Pipes
from tests.servers.certificates import Certificates


@contextlib.asynccontextmanager
async def tls_before(url: str, own: Certificates) -> AsyncIterator[str]:
    """The https address, on 127.0.0.1, of what is served at `url`."""
    target, pipes = urlsplit(url), Pipes()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(own.certificate, own.key)

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await pipes.join(reader, writer, target.hostname or "", target.port or 0)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}{target.path}"
    finally:
        server.close()
        await pipes.close()
