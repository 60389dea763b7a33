"""Two connections joined: what one says, the other hears."""

import asyncio
import contextlib

PIECE_BYTES = 65_536


class Pipes:
    """Those of one server; ends them with it."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._writers: set[asyncio.StreamWriter] = set()

    @property
    def open(self) -> int:
        return len(self._tasks)

    async def join(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        host: str,
        port: int,
        first: bytes = b"",
    ) -> None:
        """Until both have ended. `first` is said to the other before all else."""
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self._writers.add(writer)
        try:
            there_reader, there = await asyncio.open_connection(host, port)
            self._writers.add(there)
            there.write(first)
            async with asyncio.TaskGroup() as both:
                both.create_task(_carry(reader, there))
                both.create_task(_carry(there_reader, writer))
            self._writers.discard(there)
        except (OSError, asyncio.CancelledError):
            pass  # the connection below ends, which says it all; by `close`, or the target is away
        finally:
            writer.transport.abort()
            self._writers.discard(writer)
            self._tasks.discard(task)

    async def close(self) -> None:
        tasks = [*self._tasks]
        for task in tasks:
            task.cancel()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(PIECE_BYTES):
            writer.write(data)
            await writer.drain()
    writer.transport.close()
