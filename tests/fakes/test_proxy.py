"""The proxy in front of a server that says what it hears."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.fakes.listening import listening
from tests.fakes.proxy import Proxy, proxied

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass  # the proxy was told to be rude


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    async with listening(echo) as port, proxied(f"redis://127.0.0.1:{port}/3") as running:
        yield running


@pytest.fixture
async def streams(proxy: Proxy) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    yield reader, writer
    writer.transport.abort()


async def said(streams: Streams, text: bytes) -> float:
    """Seconds until it came back."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    streams[1].write(text)
    assert await streams[0].readexactly(len(text)) == text
    return loop.time() - began


async def nothing_comes(streams: Streams) -> bool:
    """Of what the server sends, for longer than loopback takes."""
    try:
        async with asyncio.timeout(0.1):
            await streams[0].readexactly(1)
    except TimeoutError:
        return True
    return False


def test_the_url_is_the_targets_with_another_port() -> None:
    proxy = Proxy("rediss://user:pw@example.org:6379/3")
    assert proxy.url == f"rediss://127.0.0.1:{proxy.port}/3"


async def test_all_comes_through(proxy: Proxy, streams: Streams) -> None:
    await said(streams, b"x" * 1_000_000)
    assert proxy.connections == 1


async def test_latency_is_added_to_each_way_and_keeps_the_order(
    proxy: Proxy, streams: Streams
) -> None:
    proxy.to_server.latency_seconds = 0.1
    proxy.to_client.latency_seconds = 0.2
    assert await said(streams, b"late") >= 0.3
    proxy.to_client.latency_seconds = 20
    await proxy.mend()
    assert await said(streams, b"soon") < 20


async def test_pieces_are_late_together_not_one_after_the_other(
    proxy: Proxy, streams: Streams
) -> None:
    proxy.to_client.latency_seconds = 0.3
    reader, writer = streams
    loop = asyncio.get_running_loop()
    began = loop.time()
    for _ in range(20):
        writer.write(b"x")
        await asyncio.sleep(0)
    await reader.readexactly(20)
    assert 0.3 <= loop.time() - began < 20 * 0.3


async def test_a_narrow_line_takes_its_time(proxy: Proxy, streams: Streams) -> None:
    proxy.to_server.bytes_per_second = 100_000
    assert await said(streams, b"x" * 20_000) >= 0.2


async def test_cut_ends_connections_and_refuses_new_ones(proxy: Proxy, streams: Streams) -> None:
    await said(streams, b"x")
    await proxy.cut()
    assert await streams[0].read() == b""
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", proxy.port)
    port = proxy.port
    await proxy.mend()
    assert proxy.port == port
    fresh = await asyncio.open_connection("127.0.0.1", proxy.port)
    await said(fresh, b"back")
    fresh[1].transport.abort()


async def test_reset_is_a_rst_and_new_connections_are_welcome(
    proxy: Proxy, streams: Streams
) -> None:
    await said(streams, b"x")
    await proxy.reset()
    with pytest.raises(ConnectionResetError):
        await streams[0].read()
    fresh = await asyncio.open_connection("127.0.0.1", proxy.port)
    await said(fresh, b"back")
    fresh[1].transport.abort()


async def test_what_was_frozen_comes_after_all(proxy: Proxy, streams: Streams) -> None:
    proxy.freeze()
    streams[1].write(b"held")
    assert await nothing_comes(streams)
    await proxy.mend()
    assert await streams[0].readexactly(4) == b"held"


async def test_one_way_can_freeze_alone(proxy: Proxy, streams: Streams) -> None:
    proxy.to_client.freeze()
    streams[1].write(b"done, but nobody hears")
    assert await nothing_comes(streams)
    proxy.to_client.thaw()
    assert await streams[0].readexactly(4) == b"done"


async def test_what_a_black_hole_took_never_comes(proxy: Proxy, streams: Streams) -> None:
    """`mend` ends the connection: both sides would wait for ever, or read half a reply."""
    proxy.swallow()
    streams[1].write(b"lost")
    assert await nothing_comes(streams)
    await proxy.mend()
    assert await streams[0].read() == b""


async def test_a_target_that_is_away_ends_the_connection() -> None:
    async with proxied("redis://127.0.0.1:1") as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        assert await reader.read() == b""
        writer.close()


async def test_the_servers_end_is_the_clients_end(streams: Streams) -> None:
    reader, writer = streams
    await said(streams, b"x")
    writer.write_eof()
    assert await reader.read() == b""
