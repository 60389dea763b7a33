"""The HTTP interface: who asks, for what, until when; one place that turns errors into answers."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from time import monotonic, perf_counter
from typing import Final

from aiohttp import web
from pydantic import BaseModel, ValidationError

from penstock_config.embedder import (
    DEADLINE_HEADER,
    NEAREST_PATH,
    REMOVE_PATH,
    SIMILAR_PATH,
    VECTORS_PATH,
    NearestRequest,
    Refusal,
    RefusalCode,
    RemoveRequest,
    SimilarRequest,
    VectorRequest,
)
from penstock_embedder.access import Access
from penstock_embedder.answering import Answering
from penstock_embedder.errors import Refused, overloaded, too_late
from penstock_embedder.metrics import CONTENT_TYPE, Metrics

MAX_BODY_BYTES: Final = 1024 * 1024
PATIENCE_SECONDS: Final = 30.0
"""The longest that a request may take, its body's way here among it."""
RETRY_SECONDS: Final = "1"
Handler = Callable[[web.Request], Awaitable[web.Response]]
Answer = Callable[[str, bytes, float], Awaitable[BaseModel]]
"""By namespace, body and deadline (monotonic time)."""
logger = logging.getLogger(__name__)


class Gate:
    """How many requests are in work; no more than a bound."""

    def __init__(self, most: int) -> None:
        self.most: Final = most
        self.inside = 0
        self.draining = False
        self._empty = asyncio.Event()
        self._empty.set()

    def __enter__(self) -> None:
        if self.inside >= self.most:
            raise overloaded()
        self.inside += 1
        self._empty.clear()

    def __exit__(self, *_: object) -> None:
        self.inside -= 1
        if not self.inside:
            self._empty.set()

    async def drain(self) -> None:
        """No more ready; returns when nothing is in work."""
        self.draining = True
        await self._empty.wait()


class Interface:
    """The paths and what answers them."""

    def __init__(self, access: Access, answering: Answering, gate: Gate, metrics: Metrics) -> None:
        self._access = access
        self._answering = answering
        self._gate = gate
        self._metrics = metrics

    def application(self) -> web.Application:
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        for path, answer in self._answers().items():
            application.router.add_post(path, self._asked(path, answer))
        application.router.add_get("/healthz", self._healthy)
        application.router.add_get("/readyz", self._ready)
        application.router.add_get("/metrics", self._figures)
        return application

    def _answers(self) -> Mapping[str, Answer]:
        return {
            NEAREST_PATH: self._nearest,
            VECTORS_PATH: self._keep,
            REMOVE_PATH: self._remove,
            SIMILAR_PATH: self._similar,
        }

    async def _nearest(self, of: str, body: bytes, deadline: float) -> BaseModel:
        asked = NearestRequest.model_validate_json(body)
        self._access.check_shelf(of, asked.shelf)
        return await self._answering.nearest(of, asked, deadline)

    async def _keep(self, of: str, body: bytes, deadline: float) -> BaseModel:
        asked = VectorRequest.model_validate_json(body)
        self._access.check_shelf(of, asked.shelf)
        return await self._answering.keep(of, asked, deadline)

    async def _remove(self, of: str, body: bytes, deadline: float) -> BaseModel:  # noqa: ARG002  # half a removal helps nobody
        asked = RemoveRequest.model_validate_json(body)
        self._access.check_shelf(of, asked.shelf)
        return await self._answering.remove(of, asked)

    async def _similar(self, of: str, body: bytes, deadline: float) -> BaseModel:
        asked = SimilarRequest.model_validate_json(body)
        self._access.check_shelf(of, asked.shelf)
        return await self._answering.similar(of, asked, deadline)

    def _asked(self, path: str, answer: Answer) -> Handler:
        async def handle(request: web.Request) -> web.Response:
            began = perf_counter()
            try:
                response, outcome = await self._answer(request, answer), "ok"
            except Refused as refused:
                response, outcome = _refusal(refused), refused.code.value
            except Exception:  # whoever reads the log hears of it, the caller that it is not theirs
                logger.exception("request.broken", extra={"path": path})
                broken = Refused(RefusalCode.BROKEN, "something broke here: see the log")
                response, outcome = _refusal(broken), broken.code.value
            self._metrics.answered(path, outcome, perf_counter() - began)
            return response

        return handle

    async def _answer(self, request: web.Request, answer: Answer) -> web.Response:
        namespace = self._access.namespace(request.headers)
        seconds = _seconds_left(request.headers.get(DEADLINE_HEADER))
        deadline = monotonic() + seconds
        with self._gate:
            try:
                async with asyncio.timeout(seconds):
                    body = await request.read()
                    answered = await answer(namespace, body, deadline)
            except TimeoutError:
                raise too_late() from None
            except web.HTTPRequestEntityTooLarge:
                raise Refused(RefusalCode.TOO_LONG, "the body is too large") from None
            except ValidationError as error:
                raise Refused(RefusalCode.MALFORMED, _what(error)) from None
        return web.Response(
            body=answered.model_dump_json().encode(), content_type="application/json"
        )

    async def _healthy(self, _: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def _ready(self, _: web.Request) -> web.Response:
        """The model is loaded before anything is listened to."""
        if self._gate.draining:
            return web.Response(status=503, text="draining")
        return web.Response(text="ok")

    async def _figures(self, _: web.Request) -> web.Response:
        return web.Response(body=self._metrics.exposition(), headers={"content-type": CONTENT_TYPE})


def _seconds_left(text: str | None) -> float:
    if text is None:
        return PATIENCE_SECONDS
    if not text.isdecimal() or not text.isascii():
        raise Refused(RefusalCode.MALFORMED, f"{DEADLINE_HEADER}: expected whole milliseconds")
    return min(int(text) / 1000, PATIENCE_SECONDS)


def _what(error: ValidationError) -> str:
    """Fields and what is wrong with them; not what was given."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['type']}" for e in found[:5])


def _refusal(refused: Refused) -> web.Response:
    body = Refusal(error=refused.code, message=str(refused)).model_dump_json()
    headers = {"retry-after": RETRY_SECONDS} if refused.status == 503 else {}  # noqa: PLR2004
    return web.Response(
        status=refused.status,
        body=body.encode(),
        content_type="application/json",
        headers=headers,
    )
