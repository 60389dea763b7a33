"""One response on its way out: runs its steps against a connection."""

import asyncio
import socket
import struct

from aiohttp import web

from penstock_cli.stub.behaviour import Pause
from penstock_cli.stub.record import Bill, Seen
from penstock_cli.stub.steps import Quit, Response, Send, Step, Wait

NO_LINGER = struct.pack("ii", 1, 0)
"""Makes `close` send a RST."""


class Performance:
    """One response on its way out."""

    def __init__(
        self, request: web.Request, seen: Seen, response: Response, closing: asyncio.Event
    ) -> None:
        self._request = request
        self._seen = seen
        self._response = response
        self._closing = closing
        self._stream = web.StreamResponse(status=response.status, headers=response.headers)
        self._stream.headers["content-type"] = response.content_type
        self._stream.content_length = response.length
        self._tokens = 0
        self._complete = False

    async def run(self) -> web.StreamResponse:
        if not await self._all(self._response.before):
            return self._stream
        await self._stream.prepare(self._request)
        self._seen.started.set()
        if await self._all(self._response.steps):
            self._complete = True
            await self._stream.write_eof()
        return self._stream

    def bill(self) -> Bill:
        whole = self._response.bill
        if whole is None:
            return Bill()
        output = whole.output if self._complete else min(whole.output, self._tokens)
        return Bill(1, whole.input, output)

    async def _all(self, steps: tuple[Step, ...]) -> bool:
        """False when a step ended the response."""
        for step in steps:
            match step:
                case Send():
                    await self._stream.write(step.data)
                    self._tokens += step.tokens
                case Wait():
                    await _pause(step.until)
                case Quit():
                    await self._quit(step)
                    return False
        return True

    async def _quit(self, step: Quit) -> None:
        transport = self._request.transport
        match step.how:
            case "stall":
                await self._closing.wait()
            case "end":
                await self._stream.write_eof()
            case "close" if transport:
                transport.close()
            case "reset" if transport:
                connection = transport.get_extra_info("socket")
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
                transport.abort()


async def _pause(until: Pause) -> None:
    match until:
        case asyncio.Event():
            await until.wait()
        case asyncio.Semaphore():
            await until.acquire()
        case float() | int():
            await asyncio.sleep(until)
