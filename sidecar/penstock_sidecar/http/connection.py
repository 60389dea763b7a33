"""One caller's connection: aiohttp's own, with three differences.

What it cannot read is answered in JSON and never logged: it might hold a key. While an answer is on
its way it reads on, so that a caller who leaves is noticed, whatever was sent ahead. And a request
may outlast its caller, if it has said so.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web
from aiohttp.http_exceptions import LineTooLong
from aiohttp.streams import EMPTY_PAYLOAD
from aiohttp.web_protocol import _ErrInfo

from penstock_sidecar.errors import MalformedRequest, Overloaded, SidecarError
from penstock_sidecar.http import problem
from penstock_sidecar.http.departure import DEPARTURE
from penstock_sidecar.http.dispatch import new_call_id

if TYPE_CHECKING:
    from aiohttp.web_protocol import _RequestHandler

MAX_AHEAD_BYTES: Final = 1024 * 1024
"""Of requests that were sent before their turn. Ordinary ones are a hundredth of it; who sends more
gets an error in place of those that did not fit."""

LINGER_SECONDS: Final = 5
"""How long a caller may go on to send what is not read any more."""


class Connection(web.RequestHandler):
    """aiohttp stops to read once 32 requests wait, or a body is larger than its buffer. Where that
    is the body of the request under way, so does this one: nothing is asked before it is there.
    Else what comes is kept unparsed, and reading goes on.
    """

    __slots__ = ("_ahead", "_full", "_keeping", "_stopped")

    def __init__(
        self, manager: web.Server, *, loop: asyncio.AbstractEventLoop, **options: Any
    ) -> None:
        super().__init__(manager, loop=loop, **options)
        self._ahead = bytearray()
        self._keeping = False
        self._stopped = False
        """The socket is not read."""
        self._full = False
        """More came than is kept: an error is the last answer."""

    def data_received(self, data: bytes) -> None:
        if self._full:
            return
        if not (self._keeping and data):  # aiohttp asks with nothing for what it has left unparsed
            super().data_received(data)
            return
        self._ahead += data
        if len(self._ahead) > MAX_AHEAD_BYTES:
            if self._is_asking(self._current_request):
                self._refuse_the_rest()
            else:
                self._stop_reading()

    def connection_lost(self, exc: BaseException | None) -> None:
        """aiohttp cancels the request's task, if it still knows it."""
        task, request = self._task_handler, self._current_request
        departure = request.get(DEPARTURE) if request else None
        if task and departure and departure.outlasts(task):
            self._task_handler = None
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,  # noqa: ARG002  # aiohttp's signature
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  # aiohttp's signature
    ) -> web.StreamResponse:
        if isinstance(exc, ConnectionError) or request.writer.output_size:
            gone = "the caller has left"
            raise ConnectionResetError(gone) from exc
        response = problem.response(_said(exc), new_call_id())
        response.force_close()
        return response

    async def _handle_request(
        self,
        request: web.BaseRequest,
        start_time: float | None,
        request_handler: "_RequestHandler",
    ) -> tuple[web.StreamResponse, bool]:
        if self._stopped and self._is_asking(request):
            self._refuse_the_rest()
        handled = await super()._handle_request(request, start_time, request_handler)
        if self._full and not self._messages:
            await self._linger()
        return handled

    async def _linger(self) -> None:
        """Who still sends would hear of a close by a reset, which takes away what he has not read
        yet. He is told of the end, and cancels this by his own."""
        if self.transport:
            self.transport.write_eof()
            await asyncio.sleep(LINGER_SECONDS)

    def _is_asking(self, request: web.BaseRequest | None) -> bool:
        """It is there with all of its body, and its caller waits for the answer: he who has it
        asks anew, while the former request is still being settled."""
        if request is None or not request.content.is_eof():
            return False
        departure = request.get(DEPARTURE)
        return departure is None or not departure.answered

    def _pause_transport_reading(self) -> None:
        self._keeping = True

    def _resume_transport_reading(self) -> None:
        self._keeping = False
        if self._stopped:
            self._stopped = False
            super()._resume_transport_reading()
        if self._ahead:
            data = bytes(self._ahead)
            self._ahead.clear()
            self.data_received(data)

    def _stop_reading(self) -> None:
        self._stopped = True
        super()._pause_transport_reading()

    def _refuse_the_rest(self) -> None:
        """Those that are there whole are served; then comes the error, and the end."""
        self._full = True
        self._ahead.clear()
        if self._messages and not self._messages[-1][1].is_eof():
            self._messages.pop()
        error = Overloaded(
            f"More than {MAX_AHEAD_BYTES} bytes of further requests came before this connection's"
            " first was answered: wait for answers, or open more connections"
        )
        self._messages.append((_ErrInfo(error.status, error, error.public), EMPTY_PAYLOAD))
        self._keeping = False
        if self._stopped:
            self._stopped = False
            super()._resume_transport_reading()


def _said(exc: BaseException | None) -> SidecarError:
    if isinstance(exc, SidecarError):
        return exc
    too_long = isinstance(exc, LineTooLong)
    what = "a line or header of it is too long" if too_long else "it is not HTTP/1.1"
    return MalformedRequest(f"This request cannot be read: {what}")
