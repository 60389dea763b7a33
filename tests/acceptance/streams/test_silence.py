"""A stream whose provider is silent says that it is alive, in each dialect's way, and no more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import pytest

from penstock_cli.stub import Broken, Ok
from penstock_config.provider import Timeouts
from penstock_sidecar.model import Api
from tests.acceptance.streams.stage import PAIRS, PATIENCE_SECONDS, Pair, Stage, request, stage
from tests.sidecar.http.edge import connection, read_response

PULSES: Final[dict[Api, bytes]] = {
    "openai-chat": b": keep-alive\n\n",
    "openai-completions": b": keep-alive\n\n",
    "openai-responses": b": keep-alive\n\n",
    "anthropic-messages": b'event: ping\ndata: {"type": "ping"}\n\n',
}
"""NDJSON has no comments: Ollama's clients take every line for a piece."""
TEXT: Final = "one two"
SILENT: Final = Timeouts(first_token_seconds=0.5, idle_seconds=0.5, total_seconds=20)


@pytest.fixture
async def quick(tmp_path: Path, redis_url: str) -> AsyncIterator[Stage]:
    async with stage(tmp_path, redis_url, pulse_seconds=0.02) as running:
        yield running


async def heard_in_silence(here: Stage, pair: Pair) -> bytes:
    """The whole answer, whose second word came after two pulses, or after a while without."""
    each = asyncio.Semaphore(1)
    here.main[pair.kind.type].queue(Ok(text=TEXT, each=each), model=pair.upstream_model)
    body, heard, pulse = pair.speaker.body(pair.tier()), b"", PULSES.get(pair.speaker.api)
    async with asyncio.timeout(PATIENCE_SECONDS), connection(here.port) as (reader, writer):
        writer.write(request(pair.speaker, body))
        while b"one" not in heard or (pulse and heard.count(pulse) < 2):
            heard += await reader.read(65536)
        each.release()
        while b"0\r\n\r\n" not in heard:
            heard += await reader.read(65536)
    feed = asyncio.StreamReader()
    feed.feed_data(heard)
    return (await read_response(feed)).body


async def test_every_dialect_s_pulse_is_skipped_by_its_callers(quick: Stage) -> None:
    bodies = await asyncio.gather(*(heard_in_silence(quick, pair) for pair in PAIRS))
    for pair, body in zip(PAIRS, bodies, strict=True):
        heard = pair.speaker.heard(body)
        assert (heard.text, heard.complete, heard.error) == (TEXT, True, False), f"{pair}: {body!r}"
        assert (b"keep-alive" in body or b"ping" in body) == (pair.speaker.api in PULSES), str(pair)


async def test_before_the_first_content_nothing_is_said_so_that_another_can_answer(
    quick: Stage,
) -> None:
    await quick.publish(timeouts=SILENT)
    quick.always(Ok(first=asyncio.Event()), Ok(text=TEXT))
    for pair, response in zip(PAIRS, (await quick.ask_all()).values(), strict=True):
        assert pair.speaker.heard(response.body).text == TEXT, f"{pair}: {response.body!r}"
        assert response.headers["x-penstock-attempted-fallbacks"] == "1"


async def test_it_does_not_keep_a_silent_provider_in_use(quick: Stage) -> None:
    """The provider's own silence is what its time-out is about."""
    await quick.publish(timeouts=SILENT)
    for pair in PAIRS:
        stalled = Broken("stall", after=pair.kind.opening(pair.speaker) + 1, answer=Ok(text=TEXT))
        quick.main[pair.kind.type].queue(stalled, model=pair.upstream_model)
    for pair, response in zip(PAIRS, (await quick.ask_all()).values(), strict=True):
        heard = pair.speaker.heard(response.body)
        assert (heard.text, heard.complete, heard.error) == ("one ", False, True), str(pair)
