"""Usage that a provider tells before its answer is whole."""

import asyncio

from penstock_config.provider import Price
from penstock_sidecar.errors import StreamBroken
from penstock_sidecar.limits.charge import Meter, Seen
from penstock_sidecar.metering.estimate import Input
from penstock_sidecar.model import Chunk, Usage

METER = Meter(Price(input_token=1_000_000, output_token=1_000_000), Input(10, 30, 0))
INPUT_ALONE = Chunk(b"", usage=Usage(10, 0))
TEXT = Chunk(b"", content=True, text_bytes=300)
FINISH = Chunk(b"", finish="stop")
TOTAL = Chunk(b"", usage=Usage(10, 90))


def charged(*chunks: Chunk, error: BaseException | None = None) -> int | None:
    seen = Seen(sent=True)
    for chunk in chunks:
        seen.add(chunk)
    return METER.charge(seen, error).micro_usd


def test_what_was_seen_counts_where_the_provider_had_not_counted_it_yet() -> None:
    """Else hanging up after the last word is a way to read for nothing."""
    for error in (asyncio.CancelledError(), StreamBroken("x"), None):
        assert charged(INPUT_ALONE, TEXT, error=error) == 10 + 110


def test_a_count_along_the_way_counts_where_it_is_more() -> None:
    along = Chunk(b"", text_bytes=3, content=True, usage=Usage(10, 50))
    assert charged(along, error=asyncio.CancelledError()) == 60


def test_the_last_word_of_the_provider_counts_as_it_is() -> None:
    assert charged(INPUT_ALONE, TEXT, FINISH, TOTAL) == 100
    assert charged(TEXT, FINISH, TOTAL, error=asyncio.CancelledError()) == 100
    zero = Chunk(b"", usage=Usage(0, 0), end=True)
    assert charged(TEXT, zero, error=asyncio.CancelledError()) == 0
