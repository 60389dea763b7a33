"""A line to an API server that can be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.fakes.listening import listening


class Line:
    """Passes bytes on in both directions; made by `line_to`."""

    def __init__(self, port: int) -> None:
        self._to_port = port
        self._whole = True
        self._open: set[asyncio.StreamWriter] = set()
        self.port = 0

    def cut(self) -> None:
        """Every connection breaks, and new ones do at once."""
        self._whole = False
        for writer in self._open:
            writer.transport.abort()

    def mend(self) -> None:
        self._whole = True

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side closes it."""
        if not self._whole:
            writer.transport.abort()
            return
        try:
            answers, requests = await asyncio.open_connection("127.0.0.1", self._to_port)
        except OSError:
            writer.transport.abort()
            return
        self._open |= {writer, requests}
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pass_on(reader, requests))
                group.create_task(_pass_on(answers, writer))
        finally:
            self._open -= {writer, requests}


@asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    """To a port of 127.0.0.1, from a free one."""
    line = Line(port)
    async with listening(line.accept) as line.port:
        yield line


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while data := await source.read(65_536):
            sink.write(data)
            await sink.drain()
    except OSError:
        return
    finally:
        sink.transport.abort()
