"""What a Service does: one address, connections handed to whichever replica takes them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from tests.fakes.listening import listening

PIECE_BYTES = 65536
Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Balancer:
    """Replicas take turns; one that does not listen is passed over."""

    def __init__(self, backends: Sequence[int]) -> None:
        self._backends = backends
        self._turn = count()
        self._open: dict[asyncio.Task[None], Connection] = {}
        self.handed_to: dict[int, int] = dict.fromkeys(backends, 0)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        connection = self._open[task] = Connection(reader, writer)
        try:
            await connection.serve(await self._connect())
        finally:
            del self._open[task]
            writer.close()

    async def renew_connections(self) -> None:
        """Ends each as a server does that has been idle, and waits until its client knows."""
        for connection in self._open.values():
            connection.end()
        await asyncio.gather(*self._open)

    async def _connect(self) -> Stream | None:
        first = next(self._turn)
        for step in range(len(self._backends)):
            port = self._backends[(first + step) % len(self._backends)]
            with contextlib.suppress(OSError):
                found = await asyncio.open_connection("127.0.0.1", port)
                self.handed_to[port] += 1
                return found
        return None


class Connection:
    """A client's connection, and that to the replica that serves it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._ended = False

    def end(self) -> None:
        """Nothing more is sent to the client."""
        if not self._ended and not self._writer.is_closing():
            self._ended = True
            self._writer.write_eof()

    async def serve(self, server: Stream | None) -> None:
        """Until the client has ended its side."""
        if server is None:
            return
        answering = asyncio.create_task(self._answer(server[0]))
        try:
            with contextlib.suppress(OSError):
                while data := await self._reader.read(PIECE_BYTES):
                    server[1].write(data)
                    await server[1].drain()
        finally:
            answering.cancel()
            server[1].close()

    async def _answer(self, source: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(PIECE_BYTES):
                if self._ended:
                    return
                self._writer.write(data)
                await self._writer.drain()
        self.end()


@asynccontextmanager
async def balancing(port: int, backends: Sequence[int]) -> AsyncIterator[Balancer]:
    balancer = Balancer(backends)
    async with listening(balancer.accept, port):
        yield balancer
