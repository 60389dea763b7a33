"""AT22: what comes from a provider goes on as it is, piece by piece, when it comes."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from penstock_cli.stub import Ok, Raw, Tokens
from penstock_cli.stub.answer import Asked, answer
from tests.acceptance.streams.callers import SPEAKERS
from tests.acceptance.streams.providers import KINDS
from tests.acceptance.streams.stage import PAIRS, PATIENCE_SECONDS, Pair, Stage, request
from tests.sidecar.http.edge import connection

PASSING = [pair for pair in PAIRS if pair.kind.passes(pair.speaker)]
WORDS = "one two three four five"
every_passing = pytest.mark.parametrize("pair", PASSING, ids=str)
every_pair = pytest.mark.parametrize("pair", PAIRS, ids=str)


def test_at22_every_dialect_passes_somewhere() -> None:
    assert {pair.speaker for pair in PASSING} == set(SPEAKERS)
    assert {pair.kind for pair in PASSING} == {k for k in KINDS if k.type != "gemini"}


class Chunks:
    """A response as HTTP framed it: a piece for each chunk."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def head(self) -> str:
        return (await self._reader.readuntil(b"\r\n\r\n")).decode()

    async def next(self) -> bytes:
        """Empty at the end."""
        size = int(await self._reader.readuntil(b"\r\n"), 16)
        return (await self._reader.readexactly(size + 2))[:-2]

    async def rest(self) -> list[bytes]:
        found = []
        while chunk := await self.next():
            found.append(chunk)
        return found


@asynccontextmanager
async def asked(here: Stage, pair: Pair, **fields: object) -> AsyncIterator[Chunks]:
    document = json.loads(pair.speaker.body(pair.tier(fallback=False))) | fields
    async with asyncio.timeout(PATIENCE_SECONDS), connection(here.port) as (reader, writer):
        writer.write(request(pair.speaker, json.dumps(document).encode()))
        chunks = Chunks(reader)
        assert "200 OK" in await chunks.head()
        yield chunks


def pieces(pair: Pair, *, usage: bool = False) -> list[bytes]:
    """A stream in the dialect's own words, with what nobody here knows, and odd spaces in it."""
    asking = Asked(1, "vendor", stream=True, prompt_bytes=10, include_usage=usage)
    meant = answer(Ok(text=WORDS, usage=Tokens(10, 5)), asking)
    dialect = pair.kind.dialect(pair.speaker)
    return [_with_oddities(send.data) for send in dialect.stream(meant)]


def _with_oddities(piece: bytes) -> bytes:
    """Of JSON an unknown field first, with a blank and an escape that no encoder would choose."""
    before, brace, after = piece.partition(b"{")
    return before + b'{ "x-odd" : "\\u0041\\/",  ' + after if brace else piece


def framed(pair: Pair, sent: list[bytes]) -> list[bytes]:
    """What may stand between pieces, too: comments, other line ends, fields of SSE."""
    if pair.speaker.event_end != b"\n\n":
        return sent
    first, *rest = sent
    return [b": hello\n\n", b"id: 7\nretry: 10\n" + first, b":\r\n\r\n", *rest]


@every_passing
async def test_at22_every_byte_is_the_provider_s(here: Stage, pair: Pair) -> None:
    sent = framed(pair, pieces(pair))
    kind = pair.kind.dialect(pair.speaker).STREAM_TYPE
    here.main[pair.kind.type].always(Raw(tuple(sent), content_type=kind))
    async with asked(here, pair) as chunks:
        assert b"".join(await chunks.rest()) == b"".join(sent)


@every_passing
async def test_at22_pieces_that_came_apart_stay_apart(here: Stage, pair: Pair) -> None:
    """Each is sent when its reader has the one before: none waits for the next."""
    sent, go_on = pieces(pair), asyncio.Semaphore(0)
    opening = pair.kind.opening(pair.speaker)
    kind = pair.kind.dialect(pair.speaker).STREAM_TYPE
    raw = Raw(tuple(sent), content_type=kind, each=go_on)
    here.main[pair.kind.type].always(raw)
    for _ in range(opening + 1):
        go_on.release()
    async with asked(here, pair) as chunks:
        found = []
        for number in range(len(sent)):
            found.append(await chunks.next())
            if number >= opening:
                go_on.release()
        assert await chunks.next() == b""
    assert found == sent


@every_pair
async def test_at22_in_other_words_each_piece_goes_on_when_it_comes(
    here: Stage, pair: Pair
) -> None:
    """A word more of the answer is heard before the provider sends the next: no burst."""
    go_on = asyncio.Semaphore(1)
    here.main[pair.kind.type].always(Ok(text=WORDS, each=go_on))
    heard, texts = b"", list[str]()
    async with asked(here, pair) as chunks:
        for word in range(len(WORDS.split())):
            while len(text_of(pair, heard).split()) <= word:
                heard += await chunks.next()
            texts.append(text_of(pair, heard))
            go_on.release()
        heard += b"".join(await chunks.rest())
    assert texts[0] == "one "
    assert [len(text.split()) for text in texts] == [1, 2, 3, 4, 5]
    assert pair.speaker.heard(heard).complete
    assert pair.speaker.heard(heard).text == WORDS


def text_of(pair: Pair, heard: bytes) -> str:
    whole, end, _ = heard.rpartition(pair.speaker.event_end)
    return pair.speaker.heard(whole + end).text


OPENAI = [pair for pair in PASSING if pair.speaker.api in {"openai-chat", "openai-completions"}]


@pytest.mark.parametrize("pair", OPENAI, ids=str)
async def test_at22_usage_that_nobody_asked_for_is_taken_out_again(here: Stage, pair: Pair) -> None:
    """We ask for it, to bill by; its event is gone, and all others are as they were."""
    fake = here.main[pair.kind.type]
    sent = pieces(pair, usage=True)
    fake.always(Raw(tuple(sent)))
    async with asked(here, pair) as chunks:
        body = b"".join(await chunks.rest())
    assert (await fake.request()).body["stream_options"] == {"include_usage": True}
    usage = [piece for piece in sent if b'"choices":[]' in piece]
    assert len(usage) == 1
    assert body == b"".join(piece for piece in sent if piece not in usage)


@pytest.mark.parametrize("pair", [p for p in PAIRS if p.speaker in SPEAKERS[:2]], ids=str)
async def test_at22_usage_that_was_asked_for_is_the_last_event_without_choices(
    here: Stage, pair: Pair
) -> None:
    here.main[pair.kind.type].always(Ok(text=WORDS))
    async with asked(here, pair, stream_options={"include_usage": True}) as chunks:
        *_, last, done, end = b"".join(await chunks.rest()).split(b"\n\n")
    document = json.loads(last.removeprefix(b"data: "))
    assert (document["choices"], done, end) == ([], b"data: [DONE]", b"")
    assert document["usage"]["completion_tokens"] == 5
