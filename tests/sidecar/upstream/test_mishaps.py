"""AT20, AT21 and AT23: empty answers, broken streams, callers who leave."""

import asyncio
from typing import Literal

import pytest

from penstock_cli.stub import EMPTY, Broken, Ok, Raw, StubProvider, Tokens
from penstock_config.provider import Timeouts
from penstock_sidecar.errors import (
    EmptyCompletion,
    StreamBroken,
    UpstreamError,
    UpstreamLost,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from penstock_sidecar.model import Answer, Usage
from penstock_sidecar.upstream.first_content import MAX_HELD
from tests.sidecar.upstream.conftest import Acme, failure

How = Literal["close", "reset", "end", "stall", "malformed", "error"]
BRISK = Timeouts(connect_seconds=5, first_token_seconds=0.05, idle_seconds=0.05, total_seconds=5)


@pytest.mark.parametrize("stream", [False, True])
async def test_at20_an_empty_answer_is_a_failure_before_any_byte(
    stub: StubProvider, acme: Acme, stream: bool
) -> None:
    stub.always(EMPTY)
    upstream, call = acme.upstream(), acme.prepare(stream=stream)
    with pytest.raises(EmptyCompletion):
        await upstream.call(call).__aenter__()


@pytest.mark.parametrize("stream", [False, True])
async def test_what_an_empty_answer_cost_is_known(
    stub: StubProvider, acme: Acme, stream: bool
) -> None:
    stub.always(Ok("", usage=Tokens(9, 0)))
    error = await failure(acme, stream=stream)
    assert isinstance(error, EmptyCompletion)
    assert error.usage == Usage(9, 0)


@pytest.mark.parametrize("text", [" ", "\n \n"])
async def test_white_space_alone_is_empty(stub: StubProvider, acme: Acme, text: str) -> None:
    stub.always(Ok(text))
    assert type(await failure(acme)) is EmptyCompletion
    assert type(await failure(acme, stream=True)) is EmptyCompletion


@pytest.mark.parametrize("body", [b'{"choices":[]}', b'{"choices":[{"message":null}]}'])
async def test_no_choices_is_empty(stub: StubProvider, acme: Acme, body: bytes) -> None:
    stub.always(Raw((body,), content_type="application/json"))
    assert type(await failure(acme)) is EmptyCompletion


@pytest.mark.parametrize("held", [b":\n\n", b'data: {"choices":[{"delta":{"content":" "}}]}\n\n'])
async def test_nothing_is_not_waited_for_without_end(
    stub: StubProvider, acme: Acme, held: bytes
) -> None:
    content = b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n'
    stub.always(Raw((held * (MAX_HELD - 1) + content + b"data: [DONE]\n\n",)))
    async with acme.upstream().call(acme.prepare(stream=True)) as answer:
        assert len([chunk async for chunk in answer.chunks]) == MAX_HELD + 1
    stub.always(Raw((held * MAX_HELD + content,)))
    assert type(await failure(acme, stream=True)) is EmptyCompletion


async def test_a_provider_that_filters_the_content_has_answered(
    stub: StubProvider, acme: Acme
) -> None:
    stub.always(Ok("", finish="content_filter"))
    assert (await acme.ask()).finish == "content_filter"
    assert (await acme.ask(stream=True)).finish == "content_filter"


async def test_thinking_releases_a_stream_but_is_no_answer(stub: StubProvider, acme: Acme) -> None:
    stub.always(Ok("", reasoning="Let me see."))
    assert (await acme.ask(stream=True)).text_bytes == len("Let me see. ")
    assert type(await failure(acme)) is EmptyCompletion


MISHAPS: list[tuple[int | None, How, type[UpstreamError]]] = [
    (None, "close", UpstreamLost),
    (None, "reset", UpstreamLost),
    (0, "close", UpstreamLost),
    (0, "end", StreamBroken),
    (0, "stall", UpstreamTimeout),
    (1, "close", UpstreamLost),
    (1, "reset", UpstreamLost),
    (1, "end", StreamBroken),
    (1, "malformed", StreamBroken),
    (1, "error", StreamBroken),
]


@pytest.mark.parametrize(("after", "how", "kind"), MISHAPS)
async def test_at21_a_mishap_before_content_leaves_room_for_another_candidate(
    stub: StubProvider, acme: Acme, after: int | None, how: How, kind: type[UpstreamError]
) -> None:
    stub.always(Broken(how, after))
    if how == "stall":
        acme.timeouts = BRISK
    error = await failure(acme, stream=True)
    assert type(error) is kind
    assert error.next_candidate
    assert error.charged is None  # the provider may have begun to generate


async def _until_the_end(answer: Answer) -> None:
    async for chunk in answer.chunks:
        assert not chunk.end


@pytest.mark.parametrize("how", ["close", "reset", "end", "malformed", "error"])
@pytest.mark.parametrize("words", [1, 3])
async def test_at21_a_mishap_after_content_breaks_the_stream(
    stub: StubProvider, acme: Acme, how: How, words: int
) -> None:
    go = asyncio.Event()
    stub.always(Broken(how, 1 + words, Ok("a b c d"), then=go))
    async with acme.upstream().call(acme.prepare(stream=True)) as answer:
        seen = [await anext(answer.chunks) for _ in range(1 + words)]
        go.set()
        with pytest.raises(StreamBroken):
            await _until_the_end(answer)
    assert sum(chunk.text_bytes for chunk in seen) == 2 * words


@pytest.mark.parametrize("how", ["close", "reset", "end", "malformed"])
async def test_half_a_plain_answer_is_a_failure(stub: StubProvider, acme: Acme, how: How) -> None:
    stub.always(Broken(how, 1))
    assert isinstance(await failure(acme), UpstreamUnavailable)


async def test_at23_leaving_before_the_first_token_closes_the_connection(
    stub: StubProvider, acme: Acme
) -> None:
    stub.always(Ok(first=asyncio.Event()))
    asking = asyncio.create_task(acme.ask(stream=True))
    seen = await stub.request()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await seen.disconnected.wait()


async def test_at23_leaving_half_way_closes_the_connection(stub: StubProvider, acme: Acme) -> None:
    stub.always(Ok("a b c", each=asyncio.Semaphore(1)))
    async with acme.upstream().call(acme.prepare(stream=True)) as answer:
        await anext(answer.chunks)
        seen = await stub.request()
        assert not seen.disconnected.is_set()
    await seen.disconnected.wait()
