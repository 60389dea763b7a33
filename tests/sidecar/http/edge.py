"""A whole edge over a scripted service, and a client that speaks bytes."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.http.asking import Asking, Bounds
from penstock_sidecar.http.dispatch import Dispatcher, Routes
from penstock_sidecar.http.guard import no_unasked_pages, only_loopback_names
from penstock_sidecar.http.load import Load
from penstock_sidecar.http.models import Models
from penstock_sidecar.http.server import Port
from penstock_sidecar.http.service import Service
from penstock_sidecar.model import Reply, Request
from penstock_sidecar.routing.offers import Offer

CHAT = "/v1/chat/completions"
MESSAGES = "/v1/messages"
ANSWER = b'{"id":"1","choices":[]}'
Serve = Callable[[Request, Reply], Awaitable[None]]


def parse(body: bytes, headers: Mapping[str, str], call_id: str) -> Request:
    try:
        document = json.loads(body)
    except ValueError:
        msg = "not JSON"
        raise MalformedRequest(msg) from None
    return Request(
        call_id=call_id,
        model=document.get("model", ""),
        stream=document.get("stream", False),
        usage_wanted=False,
        body=body,
        document=document,
        headers=headers,
    )


async def answer(request: Request, reply: Reply) -> None:
    """What a service does unless told otherwise."""
    content_type = "text/event-stream" if request.stream else "application/json"
    await reply.start(content_type, {"x-penstock-tier": "fast"})
    await reply.send(b"data: {}\n\n" if request.stream else ANSWER)
    await reply.end()


@dataclass
class FakeService:
    """Keeps what it was asked, and does `behaviour`."""

    behaviour: Serve = answer
    asked: list[Request] = field(default_factory=list)

    async def serve(self, request: Request, reply: Reply) -> None:
        self.asked.append(request)
        await self.behaviour(request, reply)

    def models(self) -> tuple[tuple[str, str], ...]:
        return tuple((offer.name, offer.owner) for offer in self.offers())

    def offers(self) -> tuple[Offer, ...]:
        return (
            Offer("fast", "penstock", frozenset({"chat", "tools", "vision"}), 128_000),
            Offer("gpt-4o-mini", "team/openai", frozenset({"chat"}), None),
        )


@dataclass
class Edge:
    """The application port at work on 127.0.0.1."""

    service: FakeService = field(default_factory=FakeService)
    load: Load = field(default_factory=lambda: Load(max_in_flight=3))
    bounds: Bounds = field(default_factory=lambda: Bounds(max_body_bytes=1000))
    told: list[str] = field(default_factory=list)
    """The `error_type`s that callers were told."""
    number: int = 0

    def error_answered(self, error_type: str) -> None:
        self.told.append(error_type)

    @contextlib.asynccontextmanager
    async def current(self) -> AsyncIterator[Service]:
        yield self.service

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["Edge"]:
        chat = Asking(parse, self.current, self.load, self.bounds, self)
        routes: Routes = {
            ("POST", CHAT): chat,
            ("POST", MESSAGES): chat,
            ("GET", "/v1/models"): Models(self.current),
        }
        port = Port(Dispatcher(routes, (only_loopback_names, no_unasked_pages), self))
        self.number = await port.start(("127.0.0.1",), 0)
        try:
            yield self
        finally:
            await port.close()


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def error(self) -> Mapping[str, Any]:
        found = json.loads(self.body)["error"]
        assert set(found) >= {"message", "type", "param", "code"}
        assert isinstance(found, dict)
        return found


def head(method: str = "POST", path: str = CHAT, **headers: str) -> bytes:
    """A request's head; `content_length="3"` is the header `content-length: 3`."""
    fields = {"host": "localhost", **{k.replace("_", "-"): v for k, v in headers.items()}}
    lines = [f"{method} {path} HTTP/1.1", *(f"{k}: {v}" for k, v in fields.items() if v)]
    return "\r\n".join([*lines, "", ""]).encode()


def post(body: bytes, path: str = CHAT, **headers: str) -> bytes:
    return head(path=path, content_length=str(len(body)), **headers) + body


async def read_response(reader: asyncio.StreamReader, *, bodiless: bool = False) -> Response:
    """One response, off a connection that may go on."""
    status_line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    body = b""
    if not bodiless and "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    elif not bodiless and headers.get("transfer-encoding") == "chunked":
        while piece := await _chunk(reader):
            body += piece
    return Response(int(status_line.split()[1]), headers, body)


async def _chunk(reader: asyncio.StreamReader) -> bytes:
    size = int(await reader.readuntil(b"\r\n"), 16)
    data = await reader.readexactly(size + 2)
    return data[:-2]


@contextlib.asynccontextmanager
async def connection(
    port: int,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def exchange(port: int, data: bytes, *, bodiless: bool = False) -> Response:
    """Sends bytes on a connection of their own, and reads one response."""
    async with connection(port) as (reader, writer):
        writer.write(data)
        return await read_response(reader, bodiless=bodiless)
