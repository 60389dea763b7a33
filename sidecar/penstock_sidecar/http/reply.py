"""The way back to the caller: `model.Reply` for plain answers and for streams."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from aiohttp import HttpVersion11, web

from penstock_sidecar.errors import SidecarError
from penstock_sidecar.http.departure import Departure
from penstock_sidecar.http.pulse import PULSE_SECONDS, Pulse
from penstock_sidecar.http.speech import speech_of
from penstock_sidecar.values import dataclass

WRITE_SECONDS: Final = 60
"""The longest that a caller may leave its socket full: it holds leases and money meanwhile."""
ROOMY_BYTES: Final = 32 * 1024
"""Below half of asyncio's high-water mark nothing waits for the caller."""


@dataclass(frozen=True, slots=True)
class Line:
    """One request's connection. `last` says whether it should end with this answer."""

    request: web.BaseRequest
    call_id: str
    last: Callable[[], bool]
    departure: Departure
    write_seconds: float = WRITE_SECONDS
    pulse_seconds: float = PULSE_SECONDS

    async def begin(self, response: web.StreamResponse) -> None:
        if self.last():
            response.force_close()
        await response.prepare(self.request)

    def roomy(self, size_bytes: int) -> bool:
        """Whether so much goes out without waiting for the caller."""
        transport = self.request.transport
        return (
            transport is not None and transport.get_write_buffer_size() + size_bytes < ROOMY_BYTES
        )

    async def finish(self, response: web.StreamResponse, size_bytes: int = 0) -> None:
        """`size_bytes` are still to be sent."""
        if self.roomy(size_bytes):
            await response.write_eof()
        else:
            await self.patiently(response.write_eof())
        self.departure.answered = True

    async def patiently(self, writing: Awaitable[None]) -> None:
        """Await the write; a caller that does not read loses its connection."""
        try:
            async with asyncio.timeout(self.write_seconds):
                await writing
        except TimeoutError:
            if self.request.transport:
                self.request.transport.abort()
            msg = "the caller does not read"
            raise ConnectionResetError(msg) from None

    def headers(self, content_type: str, headers: Mapping[str, str]) -> dict[str, str]:
        """The provider's own `x-request-id` wins over ours."""
        return {
            **dict.fromkeys(speech_of(self.request).id_headers, self.call_id),
            "x-penstock-call-id": self.call_id,
            **headers,
            "content-type": content_type,
        }


class _Reply:
    """What both have in common."""

    def __init__(self, line: Line) -> None:
        self._line = line

    @property
    def left(self) -> bool:
        return self._line.departure.left

    def outlast(self, seconds: float | None) -> None:
        self._line.departure.seconds = seconds


class PlainReply(_Reply):
    """Holds the answer until its end: only then does an error lose its own status."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._headers: Mapping[str, str] = {}
        self._pieces: list[bytes] = []
        self.sent: web.StreamResponse | None = None
        """What aiohttp has to finish, once bytes have left."""

    async def start(self, content_type: str, headers: Mapping[str, str]) -> None:
        self._headers = self._line.headers(content_type, headers)

    async def send(self, data: bytes) -> None:
        self._pieces.append(data)

    async def end(self) -> None:
        body = b"".join(self._pieces)
        self.sent = web.Response(body=body, headers=self._headers)
        await self._line.begin(self.sent)
        await self._line.finish(self.sent, len(body))

    async def fail(self, error: SidecarError) -> None:
        """Nothing to say: the caller has the whole answer."""

    def close(self) -> None:
        """Nothing goes on by itself."""


class _Streamed(web.StreamResponse):
    """Its head goes out with its first piece, which is there already: one write less until then."""

    _send_headers_immediately = False


class StreamReply(_Reply):
    """Sends every piece as it comes, and a pulse where none does."""

    def __init__(self, line: Line) -> None:
        super().__init__(line)
        self._ended = False
        self._last = b""
        self._pulse = Pulse(self._beat, line.pulse_seconds)
        self._beating: asyncio.Task[None] | None = None
        self._response = _Streamed()
        self.sent: web.StreamResponse | None = None
        """What aiohttp has to finish, once bytes have left."""

    async def start(self, content_type: str, headers: Mapping[str, str]) -> None:
        self._response.headers["cache-control"] = "no-cache"
        self._response.headers.update(self._line.headers(content_type, headers))
        self.sent = self._response
        if self._line.request.version < HttpVersion11:
            self._response.force_close()  # without chunks nothing else says where it ends
        await self._line.begin(self._response)
        self._pulse.start()

    async def send(self, data: bytes) -> None:
        """With a timer only where the socket may be full, which halves its cost."""
        self._pulse.said()
        self._last = data
        if self._line.roomy(len(data)):
            await self._response.write(data)
        else:
            await self._line.patiently(self._response.write(data))

    async def end(self) -> None:
        self._ended = True
        self.close()
        await self._line.finish(self._response)

    async def fail(self, error: SidecarError) -> None:
        """Say the error in-band, and end without the usual end: silence would look like success."""
        if not self._ended:
            self._response.force_close()
            event = speech_of(self._line.request).event(error, self._line.call_id, self._last)
            await self.send(event)
            await self.end()

    def close(self) -> None:
        """Ends the pulse: nothing of it may follow an end."""
        self._pulse.stop()
        if self._beating:
            self._beating.cancel()

    def _beat(self) -> None:
        """Pieces are whole events, so that this falls between two. Whoever has yet to read what
        was sent hears enough."""
        pulse = speech_of(self._line.request).pulse
        transport = self._line.request.transport
        if pulse and transport and not transport.get_write_buffer_size():
            self._beating = asyncio.create_task(self._say(pulse))

    async def _say(self, pulse: bytes) -> None:
        with contextlib.suppress(ConnectionResetError):  # whoever sends next hears it
            await self._response.write(pulse)
