"""A pod that ends loses no request."""

import asyncio
import contextlib
import json

from penstock_cli.stub import Ok
from tests.planes.plane import Plane, chat
from tests.sidecar.http.edge import connection, exchange, head, post, read_response


async def test_before_stopping_the_pod_is_not_ready_and_late_requests_are_served(
    plane: Plane,
) -> None:
    """What preStop calls."""
    answer_now = asyncio.Event()
    plane.main.always(Ok(first=answer_now))
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(plane.ask(chat()))
        await plane.main.request()
        drain = tasks.create_task(exchange(plane.ports.admin, head("POST", "/drain")))
        late = tasks.create_task(plane.ask(chat("late")))
        await plane.main.request(2)
        assert (await plane.probe("/readyz")).status == 503
        assert (await plane.probe("/healthz")).status == 200
        assert not drain.done()
        answer_now.set()
    assert asked.result().status == late.result().status == 200
    assert json.loads(drain.result().body) == {"drained": True, "in_flight": 0}
    assert (await plane.ask(chat("still here"))).status == 200


async def test_stopping_finishes_streams_and_refuses_new_connections(plane: Plane) -> None:
    pieces = asyncio.Semaphore(1)
    plane.main.always(Ok(text="one two", each=pieces))
    async with connection(plane.ports.application) as (reader, writer):
        writer.write(post(json.dumps(chat(stream=True)).encode()))
        await reader.readuntil(b"one")
        async with asyncio.TaskGroup() as tasks:
            drain = tasks.create_task(plane.sidecar.drain())
            await _refused(plane)
            assert not drain.done()
            pieces.release()
            assert b"[DONE]" in await reader.readuntil(b"0\r\n\r\n")


async def test_a_kept_connection_is_told_that_it_ends(plane: Plane) -> None:
    async with connection(plane.ports.application) as (reader, writer):
        writer.write(post(json.dumps(chat()).encode()))
        assert "connection" not in (await read_response(reader)).headers
        await plane.sidecar.drain()
        writer.write(post(json.dumps(chat()).encode()))
        response = await read_response(reader)
        assert (response.status, response.headers["connection"]) == (200, "close")
        assert await reader.read() == b""


async def test_idle_connections_end_with_the_process(plane: Plane) -> None:
    async with connection(plane.ports.application) as (reader, writer):
        writer.write(head("GET", "/v1/models"))
        await read_response(reader)
        await plane.sidecar.drain()
        await plane.sidecar.close()
        assert await reader.read() == b""


async def _refused(plane: Plane) -> None:
    """Waits until nobody listens."""
    with contextlib.suppress(ConnectionError):
        while True:
            async with connection(plane.ports.application):
                pass
