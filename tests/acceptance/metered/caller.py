"""An application that may leave at any moment: at a moment that the test has chosen."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.acceptance.metered.provider import MeteredProvider
from tests.acceptance.metered.traffic import Offer
from tests.sidecar.http.edge import connection, head

UNAVAILABLE = 503


@dataclass(slots=True)
class Heard:
    """What came back; `status` of 0 is nothing."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    pieces: int = 0
    left: bool = False


async def ask(port: int, offer: Offer, provider: MeteredProvider) -> Heard:
    """One request on a connection of its own, read as the offer says; again, where Redis was late
    and nothing was asked of the provider: on a small machine that happens, and says nothing."""
    heard = await _ask(port, offer, provider)
    while heard.status == UNAVAILABLE and not provider.meter.attempts()[offer.tag]:
        heard = await _ask(port, offer, provider)
    return heard


async def _ask(port: int, offer: Offer, provider: MeteredProvider) -> Heard:
    heard = Heard()
    async with connection(port) as (reader, writer):
        path = offer.case.endpoint.path
        writer.write(head(path=path, content_length=str(len(offer.body))) + offer.body)
        reading = asyncio.create_task(_read(reader, offer, provider, heard))
        try:
            if offer.leaves_after == 0:
                await _first(reading, provider.meter.begun(offer.tag))
            else:
                await reading
        finally:
            heard.left = not reading.done() or heard.pieces == offer.leaves_after
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            if heard.left:
                writer.transport.abort()
    return heard


async def _first(reading: "asyncio.Task[None]", begun: "asyncio.Task[None]") -> None:
    """Until the provider is at work, or the sidecar has answered by itself."""
    await asyncio.wait([reading, begun], return_when=asyncio.FIRST_COMPLETED)
    begun.cancel()
    await asyncio.gather(begun, return_exceptions=True)


async def _read(
    reader: asyncio.StreamReader, offer: Offer, provider: MeteredProvider, heard: Heard
) -> None:
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    heard.headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
    heard.status = int(status.split()[1])
    if "content-length" in heard.headers:
        heard.body = await reader.readexactly(int(heard.headers["content-length"]))
        return
    end, shown = offer.case.endpoint.event_end, offer.case.endpoint.shown
    rest = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        rest += (await reader.readexactly(size + 2))[:-2]
        *events, rest = rest.split(end)
        for event in events:
            heard.body += event + end
            if any(mark in event for mark in shown):
                heard.pieces += 1
                if heard.pieces == offer.leaves_after:
                    return
                provider.has_read(offer.tag, 1)
    await reader.readline()
