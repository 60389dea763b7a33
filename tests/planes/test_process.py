"""The sidecar as it ships: a process of its own, on the loop that it uses in a pod."""

import asyncio
import json
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from penstock_cli.stub import Ok, StubProvider
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from penstock_sidecar.app import Ports
from tests.planes.plane import Files, chat
from tests.planes.shipped import running
from tests.sidecar.http.edge import connection, exchange, head, post


@dataclass
class Child:
    process: Process
    ports: Ports
    main: StubProvider

    async def state(self) -> dict[str, Any]:
        response = await exchange(self.ports.admin, head("GET", "/debug/state"))
        found = json.loads(response.body)
        assert isinstance(found, dict)
        return found


@pytest.fixture
async def child(tmp_path: Path, redis_url: str) -> AsyncIterator[Child]:
    async with StubProvider() as main, StubProvider() as backup:
        limit = CallerLimit(name="a", per="App", limits=RateLimits(requests_per_minute=1))
        files = Files(tmp_path, main, backup, redis_url)
        files.write(files.config(limits=(limit,)))
        async with running(tmp_path) as (process, ports):
            yield Child(process, ports, main)


async def until(reader: asyncio.StreamReader, mark: bytes) -> bytes:
    async with asyncio.timeout(10):
        return await reader.readuntil(mark)


async def test_it_serves_and_limits_by_a_real_redis(child: Child) -> None:
    assert (await child.state())["redis_available"] is True
    data = post(json.dumps(chat()).encode())
    statuses = [(await exchange(child.ports.application, data)).status for _ in range(2)]
    assert statuses == [200, 429]


async def test_a_caller_that_leaves_ends_the_provider_s_work(child: Child) -> None:
    child.main.always(Ok(text="one two", each=asyncio.Semaphore(1)))
    async with connection(child.ports.application) as (reader, writer):
        writer.write(post(json.dumps(chat(stream=True)).encode()))
        await until(reader, b"one")
    async with asyncio.timeout(5):
        await (await child.main.request()).disconnected.wait()


async def test_a_signal_lets_a_running_stream_end_and_then_the_process(child: Child) -> None:
    pieces = asyncio.Semaphore(1)
    child.main.always(Ok(text="one two", each=pieces))
    async with connection(child.ports.application) as (reader, writer):
        writer.write(post(json.dumps(chat(stream=True)).encode()))
        await until(reader, b"one")
        child.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            while (await exchange(child.ports.probe, head("GET", "/readyz"))).status == 200:
                pass
        pieces.release()
        assert b"[DONE]" in await until(reader, b"0\r\n\r\n")
    async with asyncio.timeout(10):
        assert await child.process.wait() == 0


async def test_a_second_signal_ends_it_at_once(child: Child) -> None:
    child.main.always(Ok(text="one two", each=asyncio.Semaphore(1)))
    async with connection(child.ports.application) as (reader, writer):
        writer.write(post(json.dumps(chat(stream=True)).encode()))
        await until(reader, b"one")
        child.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            while (await child.state())["draining"] is False:
                pass
        child.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await child.process.wait() == 128 + signal.SIGTERM
