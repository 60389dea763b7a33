"""Requests that a model serves: body in, pipeline, reply out."""

from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDictProxy

from penstock_sidecar.http import problem
from penstock_sidecar.http.body import BODY_SECONDS, read_body
from penstock_sidecar.http.departure import DEPARTURE, Departure
from penstock_sidecar.http.load import Load
from penstock_sidecar.http.pulse import PULSE_SECONDS
from penstock_sidecar.http.reply import WRITE_SECONDS, Line, PlainReply, StreamReply
from penstock_sidecar.http.service import Refusals, Services
from penstock_sidecar.model import Api, Request
from penstock_sidecar.normalise.paths import Parse


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may take."""

    max_body_bytes: int
    body_seconds: float = BODY_SECONDS
    write_seconds: float = WRITE_SECONDS
    pulse_seconds: float = PULSE_SECONDS


@dataclass(frozen=True, slots=True)
class Asking:
    """The handler of one API, whichever `parse` reads."""

    parse: Parse
    services: Services
    load: Load
    bounds: Bounds
    refusals: Refusals

    async def __call__(self, http_request: web.BaseRequest, call_id: str) -> web.StreamResponse:
        with self.load:
            body = await read_body(
                http_request, self.bounds.max_body_bytes, self.bounds.body_seconds
            )
            request = self.parse(body, by_lower_name(http_request.headers), call_id)
            line = self._line(http_request, call_id)
            reply = StreamReply(line) if request.stream else PlainReply(line)
            try:
                return await self._serve(request, reply)
            finally:
                reply.close()

    def _line(self, http_request: web.BaseRequest, call_id: str) -> Line:
        departure = Departure(self.load.stragglers)
        http_request[DEPARTURE] = departure
        bounds = self.bounds
        return Line(
            http_request, call_id, self._last, departure, bounds.write_seconds, bounds.pulse_seconds
        )

    async def _serve(self, request: Request, reply: PlainReply | StreamReply) -> web.StreamResponse:
        try:
            async with self.services() as service:
                await service.serve(request, reply)
        except ConnectionResetError:
            raise  # the caller has left; nobody is there to be told
        except Exception as caught:
            if reply.sent is None:
                raise
            # Bytes have left: the caller hears of it in-band, the log by `public`.
            error = problem.public(caught, request.call_id)
            self.refusals.error_answered(error.error_type)
            await reply.fail(error)
        if reply.sent is None:
            msg = "the pipeline returned without an answer"
            raise RuntimeError(msg)
        return reply.sent

    def _last(self) -> bool:
        return self.load.closing


def by_lower_name(headers: CIMultiDictProxy[str]) -> dict[str, str]:
    """A header that comes twice is one list (RFC 9110, 5.3): both `Cache-Control` lines count."""
    found: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        found[lower] = f"{found[lower]}, {value}" if lower in found else value
    return found


def bare(request: web.BaseRequest, call_id: str, api: Api = "openai-chat") -> Request:
    """As much of a request as names its caller."""
    return Request(
        call_id=call_id,
        model="",
        stream=False,
        usage_wanted=False,
        body=b"",
        document={},
        headers=by_lower_name(request.headers),
        api=api,
    )
