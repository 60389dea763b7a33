"""Requests sent ahead of their turn: answered in order, bounded, and never hiding who leaves."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from penstock_sidecar.http.asking import Bounds
from penstock_sidecar.http.connection import MAX_AHEAD_BYTES
from penstock_sidecar.http.load import Load
from penstock_sidecar.model import Reply, Request
from tests.sidecar.http.edge import Edge, Response, connection, exchange, head, post, read_response

LARGE = 4 * MAX_AHEAD_BYTES
Reading = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def edge() -> AsyncIterator[Edge]:
    bounds, load = Bounds(max_body_bytes=2 * LARGE), Load(max_in_flight=3)
    async with Edge(bounds=bounds, load=load).listening() as listening:
        yield listening


def asking(model: str, size_bytes: int = 0) -> bytes:
    text = b'{"model":"%s","stream":false,"text":"%s"}'
    return post(text % (model.encode(), b"x" * size_bytes))


class Held:
    """The first request's answer, held back until `go_on`; `cancelled` when its caller leaves."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.cancelled = asyncio.Event()

    async def __call__(self, request: Request, reply: Reply) -> None:
        if request.model == "first":
            self.begun.set()
            try:
                await self.go_on.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        await reply.start("application/json", {})
        await reply.send(request.model.encode())
        await reply.end()


@pytest.fixture
def held(edge: Edge) -> Held:
    edge.service.behaviour = held = Held()
    return held


async def under_way(connected: Reading, held: Held, *ahead: bytes) -> None:
    """The first is at work, and the others are sent, each as soon as there is room for it."""
    _, writer = connected
    writer.write(asking("first"))
    async with asyncio.timeout(10):
        await held.begun.wait()
        for data in ahead:
            writer.write(data)
            await writer.drain()


async def test_three_hundred_requests_are_answered_in_order(edge: Edge, held: Held) -> None:
    names = [f"m{number}" for number in range(300)]
    async with connection(edge.number) as connected:
        await under_way(connected, held, *map(asking, names))
        held.go_on.set()
        bodies = [(await read_response(connected[0])).body.decode() for _ in range(301)]
    assert bodies == ["first", *names]


async def test_a_body_larger_than_any_buffer_follows_in_its_turn(edge: Edge, held: Held) -> None:
    ahead = asking("second", MAX_AHEAD_BYTES // 2)
    async with connection(edge.number) as connected:
        await under_way(connected, held, ahead, asking("third"))
        held.go_on.set()
        bodies = [(await read_response(connected[0])).body for _ in range(3)]
        connected[1].write(asking("fourth", LARGE))
        assert (await read_response(connected[0])).body == b"fourth"
    assert bodies == [b"first", b"second", b"third"]
    assert len(edge.service.asked[1].body) > MAX_AHEAD_BYTES // 2


async def test_large_bodies_all_at_once_are_read_in_order(edge: Edge) -> None:
    async with connection(edge.number) as (reader, writer):
        edge.service.behaviour = Held()
        for name in ("a", "b", "c"):
            writer.write(asking(name, MAX_AHEAD_BYTES // 3))
        assert [(await read_response(reader)).body for _ in range(3)] == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    "ahead",
    [
        [],
        [asking("x")] * 40,
        [asking("x")] * 400,
        [asking("x", 300_000)],
        [asking("x", MAX_AHEAD_BYTES), *[asking("x")] * 40],
        [asking("x", LARGE)],
    ],
    ids=["none", "40", "400", "large body", "large body and 40", "too much"],
)
@pytest.mark.parametrize("leave", ["close", "reset"])
async def test_who_leaves_is_noticed_whatever_he_has_sent_ahead(
    edge: Edge, held: Held, ahead: list[bytes], leave: str
) -> None:
    async with connection(edge.number) as connected:
        await under_way(connected, held, *ahead)
        transport = connected[1].transport
        transport.abort() if leave == "reset" else connected[1].close()
        async with asyncio.timeout(10):
            await held.cancelled.wait()
            await edge.load.idle()


async def test_more_than_is_kept_is_an_error_in_its_turn_and_the_end(
    edge: Edge, held: Held, caplog: pytest.LogCaptureFixture
) -> None:
    async with connection(edge.number) as connected:
        reader, _ = connected
        await under_way(connected, held, asking("second"), asking("third", LARGE), asking("x"))
        held.go_on.set()
        answers = [await read_response(reader) for _ in range(3)]
        assert await reader.read() == b"", "the connection ends"
    assert [answer.status for answer in answers] == [200, 200, 503]
    assert answers[2].error["type"] == "overloaded_error"
    assert "open more connections" in answers[2].error["message"]
    assert not caplog.records
    assert [request.model for request in edge.service.asked] == ["first", "second"]


async def test_whole_requests_beyond_the_bound_are_refused_too(edge: Edge, held: Held) -> None:
    """No half of one is left that could tell where the refused begin."""
    one = asking("x", 5000)
    count = 3 * MAX_AHEAD_BYTES // len(one)
    async with connection(edge.number) as connected:
        await under_way(connected, held, *[one] * count)
        held.go_on.set()
        answers: list[Response] = []
        while not answers or answers[-1].status == 200:
            answers.append(await read_response(connected[0]))
        assert await connected[0].read() == b""
    assert answers[-1].status == 503
    assert 1 < len(answers) < count


@pytest.mark.parametrize("stream", [True, False])
async def test_who_has_his_answer_asks_anew_however_much_at_once(edge: Edge, stream: bool) -> None:
    """The former request is still being settled: nothing was sent ahead of its turn."""
    settled = asyncio.Event()

    async def settling(request: Request, reply: Reply) -> None:
        await reply.start("text/plain", {})
        await reply.send(request.model.encode())
        await reply.end()
        await settled.wait()

    edge.service.behaviour = settling
    async with connection(edge.number) as (reader, writer):
        first = b'{"model":"first","stream":%s}' % str(stream).lower().encode()
        writer.write(post(first))
        assert (await read_response(reader)).body == b"first"
        writer.write(asking("second", LARGE))
        for _ in range(30):  # meanwhile the server reads more of it than is kept
            assert (await exchange(edge.number, head("GET", "/v1/models"))).status == 200
        settled.set()
        assert (await read_response(reader)).body == b"second"


async def test_who_does_not_read_on_is_read_from_again_afterwards(edge: Edge, held: Held) -> None:
    """The connection is as good as new once what was sent ahead has been answered."""
    async with connection(edge.number) as connected:
        await under_way(connected, held, *[asking("x")] * 100)
        held.go_on.set()
        for _ in range(101):
            await read_response(connected[0])
        for number in range(3):
            connected[1].write(asking(f"again{number}") + head("GET", "/v1/models"))
            assert (await read_response(connected[0])).body == b"again%d" % number
            assert (await read_response(connected[0])).status == 200
