"""An egress proxy: joins a client to where it asks for by CONNECT, or in an absolute address."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from tests.fakes.pipe import Pipes
from tests.servers.certificates import Certificates

HEAD_END = b"\r\n\r\n"


@dataclass(slots=True)
class Egress:
    """`asked` holds what came, such as `CONNECT 127.0.0.1:443`; `refuses` is a status. With a
    `login` (`<user>:<password>`) it asks who comes, as RFC 9110 (11.7) says."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    refuses: int | None = None
    login: str | None = None
    pipes: Pipes = field(default_factory=Pipes)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(HEAD_END)
        except (OSError, asyncio.IncompleteReadError):
            writer.transport.abort()
            return
        method, target, _ = head.decode("latin-1").split(" ", 2)
        self.asked.append(f"{method} {target}")
        refused = self.refuses or (None if self._knows(head) else 407)
        if refused is not None:
            writer.write(b"HTTP/1.1 %d no\r\ncontent-length: 0\r\n\r\n" % refused)
            writer.transport.close()
            return
        place = urlsplit(f"//{target}" if method == "CONNECT" else target)
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        first = b"" if method == "CONNECT" else head
        await self.pipes.join(reader, writer, place.hostname or "", place.port or 80, first)

    def _knows(self, head: bytes) -> bool:
        if self.login is None:
            return True
        said = base64.b64encode(self.login.encode()).decode()
        return f"proxy-authorization: basic {said.lower()}" in head.decode("latin-1").lower()


@contextlib.asynccontextmanager
async def egress(own: Certificates | None = None) -> AsyncIterator[Egress]:
    """On 127.0.0.1; with certificates it is reached by TLS itself."""
    context = None
    if own:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(own.certificate, own.key)
    proxy = Egress()
    server = await asyncio.start_server(proxy.connected, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    proxy.url = f"{'https' if own else 'http'}://127.0.0.1:{port}"
    try:
        yield proxy
    finally:
        server.close()
        await proxy.pipes.close()
