"""Writing: what is worth it, again where it fails, never in a hurry."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from penstock_agent.publishing import Publisher
from penstock_operator.cluster import ClusterError, ClusterUnreachable, Forbidden
from penstock_operator.ollama.gpus import NodeGpus
from tests.agent.readings import START, card, reading

pytestmark = pytest.mark.looptime


class Server:
    """Notes what is written and when; refuses while it has an error."""

    def __init__(self) -> None:
        self.error: ClusterError | None = None
        self.tries: list[float] = []
        self.written: list[NodeGpus] = []
        self.results: list[str] = []

    async def write(self, found: NodeGpus) -> None:
        self.tries.append(round(asyncio.get_running_loop().time(), 3))
        if self.error is not None:
            raise self.error
        self.written.append(found)


@asynccontextmanager
async def publishing(server: Server, jitter: float = 0) -> AsyncIterator[Publisher]:
    publisher = Publisher(server.write, lambda: jitter, server.results.append)
    work = asyncio.create_task(publisher.run())
    try:
        yield publisher
    finally:
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work


async def test_an_idle_node_is_written_every_half_minute() -> None:
    server = Server()
    async with publishing(server) as publisher:
        for second in range(0, 121, 5):
            publisher.offer(reading(card(), seconds=second))
            await asyncio.sleep(5)
    seconds = [(each.observed_at - START) / timedelta(seconds=1) for each in server.written]
    assert seconds == [0, 30, 60, 90, 120]
    assert server.results == ["ok"] * 5


async def test_a_change_is_written_at_once() -> None:
    server = Server()
    async with publishing(server) as publisher:
        publisher.offer(reading(card()))
        await asyncio.sleep(5)
        publisher.offer(reading(card(used_mib=5_000), seconds=5))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert server.tries == [0, 5]


async def test_failures_are_tried_again_ever_slower_with_the_newest_reading() -> None:
    server = Server()
    server.error = ClusterUnreachable("PATCH /x: away")
    async with publishing(server) as publisher:
        for second in range(0, 100, 5):
            publisher.offer(reading(card(), seconds=second))
            await asyncio.sleep(5)
        assert server.tries == [0, 1, 3, 7, 15, 31, 61, 91]
        assert publisher.missing() == "the ConfigMap was not written: PATCH /x: away"
        server.error = None
        await asyncio.sleep(25)
        assert publisher.missing() is None
    (written,) = server.written
    assert written == reading(card(), seconds=95)
    assert server.results == [*["failed"] * 8, "ok"]


async def test_agents_do_not_come_back_all_at_once() -> None:
    server = Server()
    server.error = ClusterUnreachable("away")
    async with publishing(server, jitter=1) as publisher:
        publisher.offer(reading(card()))
        await asyncio.sleep(11)
    assert server.tries == [0, 1.5, 4.5, 10.5]


async def test_failures_are_logged_once_each_and_the_end_too(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    server = Server()
    server.error = Forbidden("PATCH /x: 403 may not")
    async with publishing(server) as publisher:
        publisher.offer(reading(card()))
        await asyncio.sleep(2)
        server.error = None
        await asyncio.sleep(2)
    events = [record.getMessage() for record in caplog.records]
    assert events == ["inventory.write_failed"] * 2 + ["inventory.written_again"]
    assert vars(caplog.records[0])["error"] == "PATCH /x: 403 may not"


async def test_before_the_first_write_it_is_not_ready() -> None:
    server = Server()
    async with publishing(server) as publisher:
        await asyncio.sleep(1)
        assert publisher.missing() == "nothing was written yet"
        publisher.offer(reading())
        await asyncio.sleep(1)
        assert publisher.missing() is None


async def test_a_mistake_of_ours_is_not_hidden() -> None:
    async def broken(_: NodeGpus) -> None:
        raise KeyError

    publisher = Publisher(broken, lambda: 0)
    publisher.offer(reading())
    with pytest.raises(KeyError):
        await publisher.run()
