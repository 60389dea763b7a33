"""When a stream says that it is alive, in virtual time; and how, on the wire."""

import asyncio

import pytest

from penstock_sidecar.http.asking import Bounds
from penstock_sidecar.http.pulse import Pulse
from penstock_sidecar.model import Reply, Request
from tests.sidecar.http.edge import CHAT, MESSAGES, Edge, connection, post, read_response

STREAM = b'{"model":"fast","stream":true}'
OPENAI = b": keep-alive\n\n"
ANTHROPIC = b'event: ping\ndata: {"type": "ping"}\n\n'
PIECE = b"data: {}\n\n"
PIECES = 1_000_000


class Beats:
    """When the pulse came, in seconds since the start."""

    def __init__(self, seconds: float) -> None:
        self._now = asyncio.get_running_loop().time
        self._began = self._now()
        self.at: list[float] = []
        self.pulse = Pulse(lambda: self.at.append(self._now() - self._began), seconds)


@pytest.mark.looptime
async def test_silence_is_broken_after_every_interval() -> None:
    beats = Beats(15)
    beats.pulse.start()
    await asyncio.sleep(50)
    assert beats.at == [15, 30, 45]


@pytest.mark.looptime
async def test_whoever_speaks_puts_it_off() -> None:
    beats = Beats(15)
    beats.pulse.start()
    for _ in range(10):
        await asyncio.sleep(14)
        beats.pulse.said()
    assert beats.at == []
    await asyncio.sleep(20)
    assert beats.at == [155]


@pytest.mark.looptime
async def test_nothing_follows_a_stop() -> None:
    beats = Beats(15)
    beats.pulse.start()
    await asyncio.sleep(16)
    beats.pulse.stop()
    await asyncio.sleep(100)
    assert beats.at == [15]


@pytest.mark.looptime
async def test_nothing_comes_before_the_start_or_where_it_is_switched_off() -> None:
    unstarted, never = Beats(15), Beats(0)
    never.pulse.start()
    await asyncio.sleep(100)
    unstarted.pulse.stop()
    never.pulse.stop()
    assert unstarted.at == never.at == []


@pytest.mark.parametrize(("path", "expected"), [(CHAT, OPENAI), (MESSAGES, ANTHROPIC)])
async def test_it_stands_between_two_events_and_in_a_chunk_of_its_own(
    path: str, expected: bytes
) -> None:
    go_on = asyncio.Event()

    async def behaviour(_: Request, reply: Reply) -> None:
        await reply.start("text/event-stream", {})
        await reply.send(PIECE)
        await go_on.wait()
        await reply.send(PIECE)
        await reply.end()

    quick = Edge(bounds=Bounds(max_body_bytes=1000, pulse_seconds=0.02))
    quick.service.behaviour = behaviour
    async with quick.listening(), connection(quick.number) as (reader, writer):
        writer.write(post(STREAM, path))
        await reader.readuntil(b"\r\n\r\n")
        chunk = b"%x\r\n%s\r\n"
        for said in (PIECE, expected, expected):
            framed = chunk % (len(said), said)
            assert await reader.readexactly(len(framed)) == framed
        go_on.set()
        rest = await reader.readuntil(b"0\r\n\r\n")
    assert rest.replace(chunk % (len(expected), expected), b"") == (
        chunk % (len(PIECE), PIECE) + b"0\r\n\r\n"
    )


async def test_a_caller_who_has_yet_to_read_gets_no_pulses_on_top() -> None:
    """What waits for him tells him enough."""

    async def behaviour(_: Request, reply: Reply) -> None:
        await reply.start("text/event-stream", {})
        await reply.send(PIECE * PIECES)
        await reply.end()

    quick = Edge(bounds=Bounds(max_body_bytes=1000, pulse_seconds=0.0001))
    quick.service.behaviour = behaviour
    async with quick.listening(), connection(quick.number) as (reader, writer):
        writer.write(post(STREAM))
        body = (await read_response(reader)).body
    assert body.count(PIECE) == PIECES
    assert body.count(OPENAI) <= 1, "perhaps when he has just read it all"
