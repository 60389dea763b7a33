"""Listens: aiohttp's low-level server on sockets that we bind ourselves.

`web.Server` instead of `web.Application`: as fast, and every answer, also to what is not HTTP or
not served, is then ours, in one format.
"""

import asyncio
import errno
import logging
import socket
from typing import Final

from aiohttp import web

from penstock_sidecar.http.connection import LINGER_SECONDS, Connection
from penstock_sidecar.http.dispatch import Dispatcher

logger = logging.getLogger(__name__)

LOOPBACK: Final = ("127.0.0.1", "::1")
"""Node resolves `localhost` to ::1, Python and Go try both."""
IDLE_SECONDS: Final = 120
"""Longer than clients keep idle connections (Go: 90 s), so that they close first: a connection
that dies under a new request is an error to its application. Bounds slow headers as well."""
CLEANUP_SECONDS: Final = 1
BACKLOG: Final = 1024
MAX_PORT: Final = 65535
BIND_TRIES: Final = 10
"""For a port that the system chooses: free on 127.0.0.1 need not be free on ::1."""


class StartError(Exception):
    """The process cannot do its work; the text says what to change."""


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return Connection(self, loop=asyncio.get_running_loop(), **self._kwargs)


class Port:
    """One port, on one or more addresses, with its requests' dispatcher."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        server = _Server(
            dispatcher,
            handler_cancellation=True,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=IDLE_SECONDS,
            lingering_time=LINGER_SECONDS,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=CLEANUP_SECONDS)
        self._sites: list[web.SockSite] = []

    async def start(self, hosts: tuple[str, ...], port: int) -> int:
        """Returns the port, which the system chose where 0 was asked for."""
        sockets = bind(hosts, port)
        await self._runner.setup()
        for one in sockets:
            site = web.SockSite(self._runner, one, backlog=BACKLOG)
            await site.start()
            self._sites.append(site)
        number: int = sockets[0].getsockname()[1]
        return number

    async def stop_listening(self) -> None:
        """New connections are refused; those that are there go on."""
        for site in self._sites:
            await site.stop()
        self._sites.clear()

    async def close(self) -> None:
        """Ends idle connections now, others after `CLEANUP_SECONDS`."""
        await self._runner.cleanup()


def bind(hosts: tuple[str, ...], port: int, tries: int = BIND_TRIES) -> list[socket.socket]:
    """Sockets on the same port of every host. The first host must do; others may be absent."""
    first = _bind(hosts[0], port)
    number: int = first.getsockname()[1]
    try:
        return [first, *_bind_others(hosts[1:], number)]
    except StartError:
        first.close()
        if port or not tries:
            raise
    return bind(hosts, port, tries - 1)


def _bind_others(hosts: tuple[str, ...], port: int) -> list[socket.socket]:
    sockets = []
    for host in hosts:
        try:
            sockets.append(_bind(host, port))
        except _AddressAbsent:
            logger.warning("http.address_absent", extra={"host": host})
    return sockets


class _AddressAbsent(StartError):
    """This machine does not have the address."""


def _bind(host: str, port: int) -> socket.socket:
    if not 0 <= port <= MAX_PORT:
        msg = f"cannot listen on {host} port {port}: ports are 0 to {MAX_PORT}"
        raise StartError(msg)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        kind = StartError if error.errno in {errno.EADDRINUSE, errno.EACCES} else _AddressAbsent
        msg = f"cannot listen on {host} port {port}: {error.strerror or error}"
        raise kind(msg) from None
