"""Servers of this process, and connections that come as they close.

asyncio has accepted such a connection, finds that its server is gone, and drops it unclosed:
whatever test runs when it is collected fails of that.
"""

import socket
from asyncio.base_events import Server
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def late_connections_closed() -> Iterator[None]:
    """While the block runs they are closed."""
    accept = BaseSelectorEventLoop._accept_connection2  # type: ignore[attr-defined]  # asyncio's own

    async def accepted(
        loop: BaseSelectorEventLoop,
        protocol_factory: object,
        conn: socket.socket,
        extra: object,
        sslcontext: object = None,
        server: Server | None = None,
        *more: Any,
    ) -> None:
        if server is None or server.is_serving():
            await accept(loop, protocol_factory, conn, extra, sslcontext, server, *more)
        else:
            conn.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseSelectorEventLoop, "_accept_connection2", accepted)
        yield
