"""A TCP server of this process, whose connections end with it.

asyncio's own, before Python 3.12, leaves those open that were accepted: whatever test runs when
they are collected fails of an unclosed transport.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TURNS_TO_CONNECT: Final = 3
"""Of the loop, until a connection that was accepted is known here."""


@asynccontextmanager
async def listening(handler: Handler, port: int = 0) -> AsyncIterator[int]:
    """On 127.0.0.1; gives the port. When the block ends, handlers are cancelled."""
    connections = Connections(handler)
    server = await asyncio.start_server(connections.made, "127.0.0.1", port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await connections.end()


async def all_known() -> None:
    """Returns when every connection that was accepted has its handler."""
    for _ in range(TURNS_TO_CONNECT):
        await asyncio.sleep(0)


class Connections:
    """Those of one server, known from their first moment."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def made(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A server's `client_connected_cb`."""
        self._open[asyncio.create_task(self._handle(reader, writer))] = writer

    async def end(self) -> None:
        """Of a server that accepts no more."""
        await all_known()
        open_ = dict(self._open)
        for task in open_:
            task.cancel()
        await asyncio.gather(*open_, return_exceptions=True)
        for writer in open_.values():
            writer.transport.abort()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        try:
            await self._handler(reader, writer)
        finally:
            self._open.pop(task, None)
            writer.close()
