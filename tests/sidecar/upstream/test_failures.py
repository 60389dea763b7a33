import asyncio
import gzip
import socket
from email.utils import formatdate
from typing import Literal

import pytest

from penstock_cli.stub import EMPTY, Broken, Ok, Raw, Status, StubProvider, Tokens
from penstock_config.provider import Timeouts
from penstock_sidecar.errors import (
    EmptyCompletion,
    StreamBroken,
    UpstreamConnectTimeout,
    UpstreamCredentials,
    UpstreamError,
    UpstreamLimited,
    UpstreamLost,
    UpstreamMisconfigured,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from penstock_sidecar.model import Answer, Usage
from penstock_sidecar.upstream.incoming import MAX_ANSWER_BYTES
from tests.sidecar.upstream.conftest import Acme

How = Literal["close", "reset", "end", "stall", "malformed", "error"]
BRISK = Timeouts(connect_seconds=5, first_token_seconds=0.05, idle_seconds=0.05, total_seconds=5)


async def failure(acme: Acme, **fields: object) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await acme.ask(**fields)
    return caught.value


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status(301, headers={"location": "https://elsewhere.example"}), UpstreamMisconfigured),
        (Status(204, body=b""), UpstreamMisconfigured),
        (Status(400), UpstreamRefused),
        (Status(400, error_code="model_decommissioned"), UpstreamMisconfigured),
        (Status(400, "API key not valid. Please pass a valid API key."), UpstreamCredentials),
        (Status(401), UpstreamCredentials),
        (Status(402), UpstreamCredentials),
        (Status(403), UpstreamCredentials),
        (Status(404), UpstreamMisconfigured),
        (Status(408), UpstreamUnavailable),
        (Status(413), UpstreamRefused),
        (Status(422), UpstreamRefused),
        (Status(429), UpstreamLimited),
        (Status(500), UpstreamUnavailable),
        (Status(503), UpstreamUnavailable),
        (Status(529), UpstreamUnavailable),
    ],
    ids=lambda value: str(value.code) if isinstance(value, Status) else None,
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_status_becomes_the_error_of_whoever_must_act(
    stub: StubProvider, acme: Acme, status: Status, kind: type[UpstreamError], stream: bool
) -> None:
    stub.always(status)
    assert type(await failure(acme, stream=stream)) is kind


async def test_a_refusal_passes_on_the_provider_s_words(stub: StubProvider, acme: Acme) -> None:
    stub.always(Status(422, "Unknown tool.", error_code="bad_tool", param="tools[0]"))
    error = await failure(acme)
    assert isinstance(error, UpstreamRefused)
    assert (error.public, error.param) == ("Unknown tool.", "tools[0]")
    assert (error.refused_status, error.refused_code) == (422, "bad_tool")


@pytest.mark.parametrize(
    "status",
    [
        Status(400, error_code="context_length_exceeded"),
        Status(400, "This model's maximum context length is 8192 tokens."),
        Status(413, "prompt is too long: 210000 tokens > 200000 maximum"),
        Status(500, body=b""),
    ],
)
async def test_a_prompt_too_long_is_always_the_same_error(
    stub: StubProvider, acme: Acme, status: Status
) -> None:
    stub.always(status)
    error = await failure(acme)
    too_long = (400, "context_length_exceeded", "messages")
    found = isinstance(error, UpstreamRefused) and (
        error.refused_status,
        error.refused_code,
        error.param,
    )
    assert found == (too_long if status.code != 500 else False)


@pytest.mark.parametrize(
    "body",
    [
        b"<html>\n" * 50,
        b"\xff",
        b"[]",
        b'{"error":null}',
        b'{"error":{"message":{}}}',
        b"x" * 99999,
    ],
)
async def test_an_error_that_is_not_json_is_named_by_its_status(
    stub: StubProvider, acme: Acme, body: bytes
) -> None:
    stub.always(Status(400, body=body))
    assert (await failure(acme)).public == "platform/acme/m refused the request with status 400"


async def test_a_provider_s_message_is_bounded_and_on_one_line(
    stub: StubProvider, acme: Acme
) -> None:
    stub.always(Status(400, "bad\r\n" + "x" * 5000))
    public = (await failure(acme)).public
    assert public.startswith("bad  xxx")
    assert len(public) == 1000


async def test_keys_never_come_back_in_a_message(stub: StubProvider, acme: Acme) -> None:
    key = acme.keys[0]
    stub.always(Status(400, f"key {key}, sk-proj-abc123DEF456 or Bearer abc.def is odd"))
    assert (await failure(acme)).public == "key [redacted], [redacted] or [redacted] is odd"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "7", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "-3"}, 0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": formatdate(0, usegmt=True)}, 0),
        ({}, None),
    ],
)
async def test_the_provider_s_wait_is_read(
    stub: StubProvider, acme: Acme, headers: dict[str, str], seconds: float | None
) -> None:
    stub.always(Status(429, headers=headers))
    assert (await failure(acme)).retry_after_seconds == seconds


async def test_the_provider_s_rate_limits_come_with_the_error(
    stub: StubProvider, acme: Acme
) -> None:
    stub.always(Status(429, headers={"x-ratelimit-reset-tokens": "6m0s", "server": "x"}))
    assert (await failure(acme)).headers == {"x-ratelimit-reset-tokens": "6m0s"}


async def test_no_key_is_an_error_of_ours(acme: Acme) -> None:
    acme.keys = ()
    error = await failure(acme)
    assert isinstance(error, UpstreamCredentials)
    assert error.public == "no key is configured for platform/acme/m"


async def test_a_key_that_no_header_may_hold_counts_as_none(acme: Acme) -> None:
    acme.keys = ("sk-a\nb", "  \n")
    assert isinstance(await failure(acme), UpstreamCredentials)


async def test_nobody_listening_is_unavailable_and_free(stub: StubProvider, acme: Acme) -> None:
    await stub.refuse()
    error = await failure(acme)
    assert type(error) is UpstreamUnavailable
    assert error.public == "platform/acme/m cannot be reached: no connection could be made"
    assert error.charged is False


async def test_a_name_that_does_not_resolve_is_unavailable(acme: Acme) -> None:
    acme.base_url = "http://nowhere.invalid/v1"
    error = await failure(acme)
    assert type(error) is UpstreamUnavailable
    assert error.public == "platform/acme/m cannot be reached: its name does not resolve"


async def test_a_provider_that_speaks_no_tls_is_unavailable(acme: Acme) -> None:
    acme.base_url = acme.stub.url.replace("http:", "https:")
    error = await failure(acme)
    assert type(error) is UpstreamUnavailable
    assert error.public == "platform/acme/m cannot be reached: TLS failed"


async def test_a_header_that_http_cannot_carry_is_our_configuration_s_fault(acme: Acme) -> None:
    acme.headers = {"x-team": "a\r\nb: c"}
    assert type(await failure(acme)) is UpstreamMisconfigured


async def test_a_connection_that_takes_too_long_is_a_free_timeout(acme: Acme) -> None:
    """The kernel takes the connection, nobody answers TLS's hello."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        acme.base_url = f"https://127.0.0.1:{silent.getsockname()[1]}/v1"
        acme.timeouts = Timeouts(connect_seconds=0.05)
        error = await failure(acme)
    assert type(error) is UpstreamConnectTimeout
    assert error.charged is False


@pytest.mark.parametrize("after", [None, 0, 1])
async def test_no_content_in_time_is_a_timeout(
    stub: StubProvider, acme: Acme, after: int | None
) -> None:
    stub.always(Broken("stall", after))
    acme.timeouts = BRISK
    error = await failure(acme, stream=True)
    assert type(error) is UpstreamTimeout
    assert error.public == "platform/acme/m sent no content within 0.05 seconds"


async def test_heartbeats_do_not_stand_for_content(stub: StubProvider, acme: Acme) -> None:
    stub.always(Raw((b": still here\n\n",) * 1000, each=0.01))
    acme.timeouts = BRISK
    assert type(await failure(acme, stream=True)) is UpstreamTimeout


async def test_a_stall_after_content_is_a_broken_stream(stub: StubProvider, acme: Acme) -> None:
    stub.always(Broken("stall", 2))
    acme.timeouts = Timeouts(idle_seconds=0.05)
    error = await failure(acme, stream=True)
    assert type(error) is StreamBroken
    assert error.public == "platform/acme/m sent nothing for 0.05 seconds"


async def test_the_whole_answer_has_a_bound_in_time(stub: StubProvider, acme: Acme) -> None:
    stub.always(Ok("a " * 10_000, each=0.001))
    acme.timeouts = Timeouts(total_seconds=1)
    error = await failure(acme, stream=True)
    assert type(error) is StreamBroken
    assert error.public == "platform/acme/m did not finish within 1 seconds"


async def test_a_plain_answer_may_take_longer_than_a_first_token(
    stub: StubProvider, acme: Acme
) -> None:
    stub.always(Ok("Yes", first=0.1))
    acme.timeouts = BRISK
    assert (await acme.ask()).text_bytes == 3


async def test_a_plain_answer_that_never_comes_is_a_timeout(stub: StubProvider, acme: Acme) -> None:
    stub.always(Broken("stall", 1))
    acme.timeouts = Timeouts(total_seconds=0.05)
    assert type(await failure(acme)) is UpstreamTimeout


@pytest.mark.parametrize(
    "raw",
    [
        Raw((b'{"choices":[]}',), content_type="text/html"),
        Raw((b"data: [DONE]\n\n",), content_type="application/json"),
        Raw((b"data: {}\n\n",), headers={"content-encoding": "gzip"}),
        Raw((gzip.compress(b"0" * 10_000_000),), headers={"content-encoding": "gzip"}),
    ],
)
async def test_an_answer_of_another_format_is_our_configuration_s_fault(
    stub: StubProvider, acme: Acme, raw: Raw
) -> None:
    stub.always(raw)
    assert isinstance(await failure(acme, stream=True), UpstreamMisconfigured)


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"{}", b'{"choices":{}}', b'{"choices":null}', b"\xff"]
)
async def test_a_plain_answer_of_nonsense_is_unavailable(
    stub: StubProvider, acme: Acme, body: bytes
) -> None:
    stub.always(Raw((body,), content_type="application/json"))
    assert isinstance(await failure(acme), UpstreamUnavailable)


@pytest.mark.parametrize("data", [b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
async def test_an_event_of_nonsense_breaks_the_stream(
    stub: StubProvider, acme: Acme, data: bytes
) -> None:
    stub.always(Raw((b"data: " + data + b"\n\n",)))
    assert type(await failure(acme, stream=True)) is StreamBroken


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (b'{"message":"x","code":429}', UpstreamLimited),
        (b'{"message":"x","code":502}', UpstreamUnavailable),
        (b'{"message":"x","code":"rate_limit_exceeded"}', UpstreamLimited),
        (b'{"message":"x","code":"context_length_exceeded"}', UpstreamRefused),
        (b'{"message":"x","type":"overloaded_error"}', UpstreamUnavailable),
        (b'{"message":"x","type":"server_error"}', StreamBroken),
        (b'"x"', StreamBroken),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_within_status_200_is_read_like_one(
    stub: StubProvider, acme: Acme, error: bytes, kind: type[UpstreamError], stream: bool
) -> None:
    body = b'{"error":' + error + b"}"
    if stream:
        stub.always(Raw((b"data: " + body + b"\n\n",)))
    else:
        stub.always(Raw((body,), content_type="application/json"))
    assert type(await failure(acme, stream=stream)) is kind


async def test_an_event_beyond_its_bound_breaks_the_stream(stub: StubProvider, acme: Acme) -> None:
    stub.always(Ok("x" * 1_100_000))
    assert type(await failure(acme, stream=True)) is StreamBroken


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_beyond_its_bound_is_broken(
    stub: StubProvider, acme: Acme, stream: bool
) -> None:
    stub.always(Ok(("x" * 500_000 + " ") * (MAX_ANSWER_BYTES // 500_000 + 1)))
    assert type(await failure(acme, stream=stream)) is StreamBroken


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
