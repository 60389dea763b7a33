import asyncio
import json

import pytest

from penstock_sidecar.errors import (
    BudgetExceeded,
    RateLimited,
    StreamBroken,
    UnknownModel,
    UpstreamRefused,
)
from penstock_sidecar.http.asking import Bounds
from penstock_sidecar.model import Reply, Request
from tests.sidecar.http.edge import (
    ANSWER,
    Edge,
    FakeService,
    connection,
    exchange,
    head,
    post,
    read_response,
)

PLAIN = post(b'{"model":"fast"}')
STREAM = post(b'{"model":"fast","stream":true}')


async def test_a_plain_answer_says_its_length_and_keeps_the_pipelines_headers(edge: Edge) -> None:
    response = await exchange(edge.number, PLAIN)
    assert (response.status, response.body) == (200, ANSWER)
    assert response.headers["content-length"] == str(len(ANSWER))
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-penstock-tier"] == "fast"


async def test_a_provider_s_request_id_wins_over_ours(edge: Edge) -> None:
    async def behaviour(_: Request, reply: Reply) -> None:
        await reply.start("application/json", {"x-request-id": "req_theirs"})
        await reply.end()

    edge.service.behaviour = behaviour
    response = await exchange(edge.number, PLAIN)
    assert response.headers["x-request-id"] == "req_theirs"
    assert response.headers["x-penstock-call-id"] != "req_theirs"


async def test_a_stream_goes_out_piece_by_piece(edge: Edge) -> None:
    go_on = asyncio.Event()

    async def behaviour(_: Request, reply: Reply) -> None:
        await reply.start("text/event-stream", {})
        await reply.send(b"data: 1\n\n")
        await go_on.wait()
        await reply.send(b"data: [DONE]\n\n")
        await reply.end()

    edge.service.behaviour = behaviour
    async with connection(edge.number) as (reader, writer):
        writer.write(STREAM)
        assert b"text/event-stream" in await reader.readuntil(b"\r\n\r\n")
        assert b"data: 1" in await reader.readuntil(b"\n\n\r\n")
        go_on.set()
        assert b"[DONE]" in await reader.readuntil(b"0\r\n\r\n")


async def test_a_stream_s_head_goes_out_with_its_first_piece(edge: Edge) -> None:
    """In one segment: what follows is seen to come later."""
    go_on = asyncio.Event()

    async def behaviour(_: Request, reply: Reply) -> None:
        await reply.start("text/event-stream", {})
        await asyncio.sleep(0.05)
        await reply.send(b"data: 1\n\n")
        await go_on.wait()
        await reply.end()

    edge.service.behaviour = behaviour
    async with connection(edge.number) as (reader, writer):
        writer.write(STREAM)
        segment = await reader.read(65_536)
        assert segment.startswith(b"HTTP/1.1 200 OK\r\n")
        assert segment.endswith(b"\r\n\r\n9\r\ndata: 1\n\n\r\n")
        go_on.set()
        assert await reader.readuntil(b"0\r\n\r\n")


@pytest.mark.parametrize("wish", ["", "keep-alive"])
async def test_an_old_client_gets_a_stream_that_ends_with_its_connection(
    edge: Edge, wish: str
) -> None:
    """Also one that would keep it: without chunks nothing else ends an answer."""
    async with connection(edge.number) as (reader, writer):
        asked = post(b'{"model":"fast","stream":true}', connection=wish)
        writer.write(asked.replace(b"HTTP/1.1", b"HTTP/1.0"))
        async with asyncio.timeout(10):
            assert (await reader.read()).endswith(b"\r\n\r\ndata: {}\n\n")


async def test_an_error_before_the_start_has_its_own_status(edge: Edge) -> None:
    async def behaviour(_: Request, __: Reply) -> None:
        msg = "no such model"
        raise UnknownModel(msg, param="model")

    edge.service.behaviour = behaviour
    for request in (PLAIN, STREAM):
        response = await exchange(edge.number, request)
        assert (response.status, response.error["code"]) == (404, "model_not_found")
        assert response.error["param"] == "model"


async def test_a_plain_answer_that_breaks_half_way_still_has_its_own_status(edge: Edge) -> None:
    async def behaviour(_: Request, reply: Reply) -> None:
        await reply.start("application/json", {})
        await reply.send(b'{"half":')
        msg = "cut"
        raise StreamBroken(msg)

    edge.service.behaviour = behaviour
    response = await exchange(edge.number, PLAIN)
    assert (response.status, response.error["code"]) == (502, "upstream_stream_broken")


async def test_a_broken_stream_says_so_in_band_and_never_done(edge: Edge) -> None:
    async def behaviour(_: Request, reply: Reply) -> None:
        await reply.start("text/event-stream", {})
        await reply.send(b'data: {"choices":[]}\n\n')
        msg = "the provider cut the stream"
        raise StreamBroken(msg)

    edge.service.behaviour = behaviour
    async with connection(edge.number) as (reader, writer):
        writer.write(STREAM)
        response = await read_response(reader)
        assert await reader.read() == b"", "the connection ends"
    last = response.body.strip().split(b"\n\n")[-1].removeprefix(b"data: ")
    assert json.loads(last)["error"]["code"] == "upstream_stream_broken"
    assert b"[DONE]" not in response.body
    assert edge.told == ["provider_stream_broken"]


async def test_an_unexpected_error_is_a_constant_500_and_one_line_without_its_text(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    async def behaviour(_: Request, __: Reply) -> None:
        msg = "sk-secret"
        raise ZeroDivisionError(msg)

    edge.service.behaviour = behaviour
    response = await exchange(edge.number, PLAIN)
    assert (response.status, response.error["code"]) == (500, "internal_error")
    assert b"sk-secret" not in response.body
    assert [record.msg for record in caplog.records] == ["http.unexpected_error"]


async def test_an_unexpected_error_in_a_stream_is_said_in_band(edge: Edge) -> None:
    async def behaviour(_: Request, reply: Reply) -> None:
        await reply.start("text/event-stream", {})
        raise ZeroDivisionError

    edge.service.behaviour = behaviour
    response = await exchange(edge.number, STREAM)
    assert b'"code":"internal_error"' in response.body


async def test_an_error_after_the_end_changes_nothing_for_the_caller(edge: Edge) -> None:
    async def behaviour(request: Request, reply: Reply) -> None:
        await FakeService().behaviour(request, reply)
        raise ZeroDivisionError

    edge.service.behaviour = behaviour
    assert (await exchange(edge.number, PLAIN)).body == ANSWER
    assert (await exchange(edge.number, STREAM)).body == b"data: {}\n\n"


async def test_a_limit_s_hints_are_whole_seconds_rounded_up_and_milliseconds(edge: Edge) -> None:
    async def behaviour(_: Request, __: Reply) -> None:
        msg = "later"
        error = RateLimited(msg, retry_after_seconds=1.2)
        error.headers = {"x-ratelimit-limit-requests": "10"}
        raise error

    edge.service.behaviour = behaviour
    response = await exchange(edge.number, PLAIN)
    assert response.status == 429
    assert response.headers["retry-after"] == "2"
    assert response.headers["retry-after-ms"] == "1200"
    assert response.headers["x-ratelimit-limit-requests"] == "10"
    assert "x-should-retry" not in response.headers


async def test_a_budget_s_figures_are_in_metadata_and_forbid_a_retry(edge: Edge) -> None:
    async def behaviour(_: Request, __: Reply) -> None:
        msg = "spent"
        raise BudgetExceeded(msg, metadata={"budget": "team/b"})

    edge.service.behaviour = behaviour
    response = await exchange(edge.number, PLAIN)
    assert response.error["metadata"] == {"budget": "team/b"}
    assert response.headers["x-should-retry"] == "false"


async def test_a_provider_s_refusal_keeps_its_status_and_code(edge: Edge) -> None:
    async def behaviour(_: Request, __: Reply) -> None:
        msg = "unsupported value"
        raise UpstreamRefused(msg, status=422, code="bad_value", param="temperature")

    edge.service.behaviour = behaviour
    response = await exchange(edge.number, PLAIN)
    assert (response.status, response.error["code"]) == (422, "bad_value")


@pytest.mark.parametrize("started", [False, True])
async def test_a_caller_that_leaves_cancels_the_pipeline_at_once(edge: Edge, started: bool) -> None:
    there, cancelled = asyncio.Event(), asyncio.Event()

    async def behaviour(_: Request, reply: Reply) -> None:
        if started:
            await reply.start("text/event-stream", {})
            await reply.send(b"data: 1\n\n")
        there.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    edge.service.behaviour = behaviour
    async with connection(edge.number) as (_reader, writer):
        writer.write(STREAM)
        await there.wait()
        assert edge.load.in_flight == 1
    await asyncio.wait_for(cancelled.wait(), 1)
    await asyncio.wait_for(edge.load.idle(), 1)
    assert edge.told == [], "nobody was told anything"


async def test_a_caller_that_does_not_read_loses_its_connection() -> None:
    edge = Edge(bounds=Bounds(1000, write_seconds=0.05))
    lost = asyncio.get_running_loop().create_future()

    async def behaviour(_: Request, reply: Reply) -> None:
        await reply.start("text/event-stream", {})
        try:
            while True:
                await reply.send(b"x" * 65536)
        except ConnectionResetError:
            lost.set_result(None)
            raise

    edge.service.behaviour = behaviour
    async with edge.listening(), connection(edge.number) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # asyncio has no other way
        writer.write(STREAM)
        await asyncio.wait_for(lost, 5)
        await asyncio.wait_for(edge.load.idle(), 1)


async def test_models_are_listed_in_openai_s_shape(edge: Edge) -> None:
    response = await exchange(edge.number, head("GET", "/v1/models"))
    document = json.loads(response.body)
    assert document["object"] == "list"
    assert document["data"][0] == {
        "id": "fast",
        "object": "model",
        "created": 0,
        "owned_by": "penstock",
    }


async def test_the_last_answers_before_the_end_close_their_connections(edge: Edge) -> None:
    edge.load.closing = True
    for request in (PLAIN, STREAM):
        assert (await exchange(edge.number, request)).headers["connection"] == "close"
