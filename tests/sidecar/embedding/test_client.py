"""The client against an embedder over HTTP."""

import asyncio
import logging
import time

import pytest

from penstock_config.embedder import (
    MAX_NAMES,
    Match,
    NearestRequest,
    RefusalCode,
    RemoveRequest,
    VectorRequest,
)
from penstock_sidecar.cache.semantic.embedder import EmbedderUnavailable, TextTooLong
from penstock_sidecar.embedding import EmbedderClient
from penstock_sidecar.embedding.breaker import FAILURES, FIRST_PAUSE_SECONDS
from tests.fakes.listening import listening
from tests.sidecar.embedding.conftest import PARTITION, SHELF, Asking

TEXT = "How do I open a savings account?"
SOON_SECONDS = 0.02
WANTED = NearestRequest(shelf=SHELF, partition=PARTITION, text=TEXT, k=4, least=0.5)


def vector(name: str, text: str) -> VectorRequest:
    later_ms = int(time.time() + 600) * 1000
    return VectorRequest(
        shelf=SHELF, partition=PARTITION, name=name, text=text, expires_at_ms=later_ms
    )


async def why(client: EmbedderClient) -> str:
    with pytest.raises(EmbedderUnavailable) as caught:
        await client.nearest(WANTED)
    return caught.value.why


async def test_it_tells_what_is_kept_and_hears_what_is_near(asking: Asking) -> None:
    client, other = asking.client(), "How can I open a savings account?"
    asking.fake.near[TEXT, other] = 0.97
    await client.keep(vector("t:1", other))
    await client.keep(vector("t:2", "Something else"))
    found = await client.nearest(WANTED)
    assert found == (Match(name="t:1", similarity=0.97),)
    similar = await client.similar(SHELF, TEXT, 0.9)
    assert [match.name for match in similar.matches] == ["t:1"]


async def test_it_takes_away_by_name_and_all(asking: Asking) -> None:
    client = asking.client()
    for number in range(3):
        await client.keep(vector(f"t:{number}", f"text {number}"))
    await client.remove(SHELF, ["t:1"])
    assert [v.name for v in asking.fake.kept] == ["t:0", "t:2"]
    await client.remove(SHELF, None)
    assert asking.fake.kept == []


async def test_many_names_are_told_in_portions_that_the_embedder_takes(asking: Asking) -> None:
    names = [f"t:{number}" for number in range(MAX_NAMES + 1)]
    await asking.client().remove(SHELF, names)
    told = [r.names for r in asking.fake.asked if isinstance(r, RemoveRequest)]
    assert [len(portion or ()) for portion in told] == [MAX_NAMES, 1]


async def test_a_text_beyond_the_models_window_is_no_failure(asking: Asking) -> None:
    client = asking.client()
    asking.fake.too_long.add(TEXT)
    for _ in range(FAILURES + 1):
        with pytest.raises(TextTooLong):
            await client.nearest(WANTED)


async def test_no_call_is_longer_than_its_deadline(asking: Asking) -> None:
    client = asking.client(deadline_seconds=SOON_SECONDS)
    asking.fake.silent.set()
    assert await why(client) == "late"


async def test_an_embedder_that_fails_is_left_alone_and_tried_after_a_pause(
    asking: Asking,
) -> None:
    client = asking.client()
    asking.fake.refuses = RefusalCode.OVERLOADED
    assert [await why(client) for _ in range(FAILURES)] == ["refused"] * FAILURES
    assert await why(client) == "paused"
    assert len(asking.fake.asked) == FAILURES
    asking.fake.refuses = None
    asking.clock.now += FIRST_PAUSE_SECONDS
    assert await client.nearest(WANTED) == ()
    assert await client.nearest(WANTED) == ()


async def test_nobody_listens_then_somebody_does(asking: Asking) -> None:
    client = asking.client()
    await asking.fake.stop()
    assert [await why(client) for _ in range(FAILURES)] == ["away"] * FAILURES
    await asking.fake.start()
    asking.clock.now += FIRST_PAUSE_SECONDS
    assert await client.nearest(WANTED) == ()


async def test_a_caller_that_leaves_during_the_try_leaves_room_for_another(
    asking: Asking,
) -> None:
    client = asking.client()
    asking.fake.refuses = RefusalCode.BROKEN
    for _ in range(FAILURES):
        await why(client)
    asking.fake.refuses = None
    asking.fake.silent.set()
    asking.clock.now += FIRST_PAUSE_SECONDS
    trying = asyncio.create_task(client.nearest(WANTED))
    await asking.fake.until(lambda: len(asking.fake.asked) == FAILURES + 1)
    assert await why(client) == "paused"
    trying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await trying
    asking.fake.silent.clear()
    assert await client.nearest(WANTED) == ()


async def test_another_namespaces_shelf_is_refused(asking: Asking) -> None:
    assert await why(asking.client("other")) == "refused"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n{\xff\xff}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 46\r\n\r\n"
        b'{"matches":[{"name":"a{b}","similarity":1.0}]}',
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 600000\r\n\r\n" + b" " * 600_000,
        b"HTTP/1.1 502 Bad\r\ncontent-length: 4\r\n\r\nmoan",
    ],
)
async def test_an_answer_that_makes_no_sense_is_of_no_use(asking: Asking, answer: bytes) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        await reader.read()

    async with listening(serve) as port:
        asking.fake.port = port
        assert await why(asking.client()) == "refused"


async def test_it_says_once_that_the_embedder_is_lost_and_once_that_it_is_found(
    asking: Asking, caplog: pytest.LogCaptureFixture
) -> None:
    client = asking.client()
    asking.fake.refuses = RefusalCode.BROKEN
    with caplog.at_level(logging.INFO):
        for _ in range(FAILURES * 2):
            await why(client)
        asking.fake.refuses = None
        asking.clock.now += FIRST_PAUSE_SECONDS
        await client.nearest(WANTED)
    ours = [r for r in caplog.records if r.name.startswith("penstock")]
    assert [r.message for r in ours] == ["embedder.lost", "embedder.found"]


@pytest.mark.parametrize("refuses", [RefusalCode.BROKEN, RefusalCode.TOO_LONG])
async def test_no_error_and_no_log_holds_a_word_of_the_text(
    asking: Asking, refuses: RefusalCode, caplog: pytest.LogCaptureFixture
) -> None:
    asking.fake.refuses = refuses
    with caplog.at_level(logging.DEBUG), pytest.raises(Exception) as caught:  # noqa: PT011  # whichever it is
        await asking.client().nearest(WANTED)
    chain: BaseException | None = caught.value
    said = []
    while chain:
        said.append(repr(chain))
        chain = chain.__cause__
    assert "savings" not in " ".join((*said, caplog.text))
