import asyncio
import gc
import socket

import pytest

from tests.fakes.listening import listening

TURNS = 8
"""Of the loop, in which asyncio makes a connection of what it has accepted."""


async def never(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("turns", range(TURNS))
async def test_a_connection_that_comes_as_its_server_closes_is_closed(turns: int) -> None:
    with socket.socket() as client:
        client.setblocking(False)
        async with listening(never) as port:
            with pytest.raises(BlockingIOError):
                client.connect(("127.0.0.1", port))
            for _ in range(turns):
                await asyncio.sleep(0)
    gc.collect()  # what is not closed warns here, and that is an error
