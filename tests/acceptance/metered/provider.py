"""The metered provider's server: hears a request, does as planned, keeps the meter running."""

import asyncio
import socket
import struct
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from typing import Self

from aiohttp import web

from tests.acceptance.metered.anthropic import Anthropic
from tests.acceptance.metered.dialect import Count, Dialect, finish_of
from tests.acceptance.metered.gemini import Gemini
from tests.acceptance.metered.ollama import Ollama, OllamaGenerate
from tests.acceptance.metered.openai import Azure, Completions, OpenAi
from tests.acceptance.metered.plan import Piece, Plan, Plans, output, pieces
from tests.acceptance.metered.responses import Responses
from tests.acceptance.metered.work import Meter, Tariff, Work

DIALECTS: Mapping[str, Dialect] = {
    "openai": OpenAi(),
    "ollama": Ollama(),
    "anthropic": Anthropic(),
    "gemini": Gemini(),
    "azure-openai": Azure(),
    "responses": Responses(),
    "completions": Completions(),
    "generate": OllamaGenerate(),
}
"""By type of provider, or by what else it speaks."""
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
MAX_BODY_BYTES = 64 * 1024 * 1024
NO_LINGER = struct.pack("ii", 1, 0)
"""Makes `close` send a RST."""
AHEAD = 10
"""Of what it has shown, a provider has generated up to a tenth more when it stops."""


class MeteredProvider:
    """A provider on 127.0.0.1 that speaks every dialect there is, within `async with`."""

    def __init__(
        self,
        plans: Plans,
        tariff: Tariff | None = None,
        *,
        goes_on: bool = False,
        gate: asyncio.Event | None = None,
    ) -> None:
        """Nothing is worked on before `gate` is set."""
        self.meter = Meter(tariff or Tariff(), goes_on=goes_on)
        self._plans = plans
        self._gate = gate
        self._read: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(0))
        self._port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Without a path."""
        return f"http://127.0.0.1:{self._port}"

    def has_read(self, tag: str, pieces: int) -> None:
        """Its caller has so many pieces more in hand: those that are stepped go on."""
        for _ in range(pieces):
            self._read[tag].release()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        for dialect in DIALECTS.values():
            app.router.add_post(dialect.path, self._handler(dialect))
        self._runner = web.AppRunner(
            app, access_log=None, handler_cancellation=True, shutdown_timeout=0.1
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self._port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner
        await self._runner.cleanup()

    def _handler(self, dialect: Dialect) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            work = await self.meter.begin(dialect.read(await request.read(), request.path))
            if self._gate:
                await self._gate.wait()
            plan = self._plans(work.asked.tag, work.attempt)
            performance = _Performance(request, dialect, work, plan, self._read[work.asked.tag])
            try:
                return await performance.run()
            finally:
                if self.meter.goes_on and work.worked:
                    performance.finish_alone()
                work.ended.set()

        return handle


class _Performance:
    """One response, while it is generated."""

    def __init__(
        self,
        request: web.Request,
        dialect: Dialect,
        work: Work,
        plan: Plan,
        read: asyncio.Semaphore,
    ) -> None:
        self._request = request
        self._dialect = dialect
        self._work = work
        self._plan = plan
        self._read = read
        self._whole = output(plan, work.asked.most)
        self._response = web.StreamResponse()

    async def run(self) -> web.StreamResponse:
        if self._plan.fate == "refuse":
            self._work.began.set()
            return self._error()
        self._work.worked = True
        if self._work.asked.stream and (self._plan.after or self._plan.fate == "answer"):
            await self._stream()
        else:
            self.finish_alone()
            await self._plain()
        return self._response

    def finish_alone(self) -> None:
        """Everything that was asked for is generated."""
        self._work.output_tokens = self._total
        self._work.reasoning_tokens = self._whole.thinks * self._work.asked.choices

    @property
    def _total(self) -> int:
        return (self._whole.thinks + self._whole.says) * self._work.asked.choices

    async def _plain(self) -> None:
        """One piece, or a fate without anything before it."""
        plan, work = self._plan, self._work
        if plan.fate != "answer":
            await self._meet_fate()
            return
        body = self._dialect.plain(work.asked, self._whole, not plan.hidden, self._count())
        self._response.content_length = len(body)
        await self._begin(self._dialect.plain_type)
        await self._response.write(body)
        self._complete()
        work.shown_bytes = work.output_tokens - (work.reasoning_tokens if plan.hidden else 0)

    async def _stream(self) -> None:
        await self._begin(self._dialect.stream_type)
        if opening := self._dialect.opening(self._work.asked, self._count()):
            await self._response.write(opening)
        try:
            whole = await self._pieces()
        finally:
            self._run_ahead()
        if not whole:
            return await self._meet_fate()
        closing = self._dialect.closing(self._work.asked, finish_of(self._whole), self._count())
        await self._response.write(closing)
        self._complete()
        return None

    async def _pieces(self) -> bool:
        """Whether all were shown, and nothing is to go wrong."""
        plan, work = self._plan, self._work
        shown = 0
        for piece in pieces(plan, work.asked.most, work.asked.choices):
            if plan.fate != "answer" and shown == plan.after:
                return False
            work.output_tokens += piece.tokens
            work.reasoning_tokens += piece.tokens if piece.thought else 0
            if piece.shown:
                await self._show(piece)
                shown += 1
                if plan.stepped:
                    await self._read.acquire()
        return plan.fate == "answer"

    async def _show(self, piece: Piece) -> None:
        text = ("t" if piece.thought else "x") * piece.tokens
        asked = self._work.asked
        event = self._dialect.piece(asked, piece.choice, text, thought=piece.thought)
        await self._response.write(event)
        self._work.shown_bytes += piece.tokens
        self._work.began.set()

    async def _meet_fate(self) -> None:
        """Here the answer goes wrong."""
        if self._plan.fate in {"fail", "error"} and not self._response.prepared:
            self._work.forgiven = True
            self._response = self._error()
            return
        match self._plan.fate:
            case "error":
                await self._response.write(self._dialect.in_band_error)
                await self._response.write_eof()
            case "cut":
                self._cut()
            case "stall":
                self._work.began.set()
                await asyncio.Event().wait()
            case "answer" | "refuse" | "fail":
                msg = f"{self._plan.fate} in the middle of an answer"
                raise AssertionError(msg)

    def _run_ahead(self) -> None:
        most = self._work.output_tokens + self._work.shown_bytes // AHEAD
        self._work.output_tokens = min(self._total, most)

    def _cut(self) -> None:
        self._work.began.set()
        transport = self._request.transport
        if transport and self._plan.reset:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
            transport.abort()
        elif transport:
            transport.close()

    async def _begin(self, content_type: str) -> None:
        self._response.content_type = content_type.partition(";")[0]
        await self._response.prepare(self._request)

    def _complete(self) -> None:
        asked = self._work.asked
        self._work.told = self._count() is not None and (asked.usage_wanted or not asked.stream)
        self._work.given = self._plan.usage == "zero"

    def _count(self) -> Count | None:
        work = self._work
        match self._plan.usage:
            case "true":
                return Count(work.input_tokens, work.output_tokens, work.reasoning_tokens)
            case "zero":
                return Count(0, 0, 0)
            case "missing":
                return None

    def _error(self) -> web.Response:
        body = self._dialect.error(self._plan.status)
        return web.Response(status=self._plan.status, body=body, content_type="application/json")
