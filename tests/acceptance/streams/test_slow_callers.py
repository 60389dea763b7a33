"""A caller who reads slowly costs no memory, loses nothing, and pays for what he got."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import pytest

from penstock_cli.stub import Ok, Raw, StubProvider
from penstock_config.budget import Amounts, Budget
from tests.acceptance.fleet import Fleet, config, fleet
from tests.acceptance.metered.world import money_of, until
from tests.acceptance.streams.callers import SPEAKERS
from tests.acceptance.streams.providers import KINDS, PRICE
from tests.acceptance.streams.stage import request
from tests.sidecar.http.edge import connection, read_response
from tests.sidecar.limits.books import Books

CALLERS: Final = 20
PIECE: Final = 'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n' % ("x" * 32_000)
PIECES: Final = 250
LAST: Final = (
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    b'data: {"choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":500}}\n\n'
    b"data: [DONE]\n\n"
)
BILL_MICRO_USD: Final = (1000 * PRICE.input_token + 500 * PRICE.output_token) // 10**6
OFFERED_BYTES: Final = CALLERS * PIECES * len(PIECE)
TEAM: Final = Budget(id="team/team", limits=Amounts(total=10**9))
TEXT: Final = "one two three four five six seven"
SPEAKER, KIND = SPEAKERS[0], KINDS[0]
BODY: Final = SPEAKER.body("openai")


@pytest.fixture
async def fake() -> AsyncIterator[StubProvider]:
    """Every answer of it is eight megabytes long."""
    segments = (PIECE.encode(),) * PIECES
    async with StubProvider(default=Raw((*segments, LAST))) as provider:
        yield provider


@pytest.fixture
async def alone(tmp_path: Path, redis_url: str, fake: StubProvider) -> AsyncIterator[Fleet]:
    """One sidecar's process."""
    with fleet(tmp_path, redis_url, size=1) as running:
        one = KIND.configured(fake, "openai")
        model = one.models[0].model_copy(update={"name": "small"})
        await running.publish(config(one.model_copy(update={"models": (model,)}), budgets=(TEAM,)))
        yield running


def rss_bytes(running: Fleet) -> int:
    status = Path(f"/proc/{running.sidecars[0].process.pid}/status").read_text("utf-8")
    (line,) = (each for each in status.splitlines() if each.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


async def test_callers_who_do_not_read_are_not_read_for(
    alone: Fleet, fake: StubProvider, redis_url: str
) -> None:
    """Twenty streams of eight megabytes wait in the provider, or in sockets; read later, all of it
    is there, and is paid for once."""
    port = alone.sidecars[0].ports.application
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(connection(port))
        first[1].write(request(SPEAKER, BODY))
        await read_response(first[0])
        before, callers = rss_bytes(alone), []
        for _ in range(CALLERS):
            reader, writer = await stack.enter_async_context(connection(port))
            writer.write(request(SPEAKER, BODY))
            callers.append(reader)
        await fake.request(CALLERS + 1)
        await asyncio.gather(*(seen.started.wait() for seen in fake.requests))
        grown = await steady_growth(alone, before)
        bodies = [(await read_response(reader)).body for reader in callers]
    whole = PIECE.encode() * PIECES + LAST
    expected = whole.replace(LAST.split(b"\n\n")[1] + b"\n\n", b"")
    assert all(body == expected for body in bodies)
    assert grown < OFFERED_BYTES / 4
    books = Books(redis_url)
    await until(lambda: money_of(books, TEAM).reserved == 0)
    assert money_of(books, TEAM).settled == BILL_MICRO_USD * (CALLERS + 1)
    books.client.close()


async def steady_growth(running: Fleet, before: int) -> int:
    """In bytes, once it has been the same for a while: nothing more is taken from the provider."""
    grown, same = -1, 0
    while same < 10:
        await asyncio.sleep(0.05)  # what another process does shows in nothing but its size
        found = rss_bytes(running) - before
        same = same + 1 if found == grown else 0
        grown = found
    return grown


async def test_one_who_reads_a_little_now_and_then_gets_every_piece(
    alone: Fleet, fake: StubProvider
) -> None:
    fake.always(Ok(text=TEXT))
    async with connection(alone.sidecars[0].ports.application) as (reader, writer):
        writer.write(request(SPEAKER, BODY))
        heard = b""
        while b"0\r\n\r\n" not in heard:
            heard += await reader.read(7)
    feed = asyncio.StreamReader()
    feed.feed_data(heard)
    assert SPEAKER.heard((await read_response(feed)).body).text == TEXT
