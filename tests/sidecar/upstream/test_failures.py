"""A provider cannot be reached, is late, or talks nonsense."""

import gzip
import socket

import pytest

from penstock_cli.stub import Broken, Ok, Raw, StubProvider
from penstock_config.provider import Timeouts
from penstock_sidecar.dialects.splitter import MAX_EVENT_BYTES
from penstock_sidecar.errors import (
    StreamBroken,
    UpstreamConnectTimeout,
    UpstreamContextTooLong,
    UpstreamCredentials,
    UpstreamError,
    UpstreamForeign,
    UpstreamLimited,
    UpstreamMisconfigured,
    UpstreamOverloaded,
    UpstreamTimeout,
    UpstreamUnavailable,
    UpstreamUnreachable,
)
from penstock_sidecar.upstream.incoming import MAX_ANSWER_BYTES
from tests.sidecar.upstream.conftest import Acme, failure

BRISK = Timeouts(connect_seconds=5, first_token_seconds=0.05, idle_seconds=0.05, total_seconds=5)


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
    assert type(error) is UpstreamUnreachable
    assert error.public == "platform/acme/m cannot be reached: no connection could be made"
    assert error.charged is False


async def test_a_name_that_does_not_resolve_is_unavailable(acme: Acme) -> None:
    acme.base_url = "http://nowhere.invalid/v1"
    error = await failure(acme)
    assert type(error) is UpstreamUnreachable
    assert error.public == "platform/acme/m cannot be reached: its name does not resolve"


async def test_a_provider_that_speaks_no_tls_is_unavailable(acme: Acme) -> None:
    acme.base_url = acme.stub.url.replace("http:", "https:")
    error = await failure(acme)
    assert type(error) is UpstreamUnreachable
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
    ("raw", "kind"),
    [
        (Raw((b'{"choices":[]}',), content_type="text/html"), UpstreamForeign),
        (Raw((b"data: [DONE]\n\n",), content_type="application/json"), UpstreamForeign),
        (Raw((b"data: {}\n\n",), headers={"content-encoding": "gzip"}), UpstreamMisconfigured),
        (
            Raw((gzip.compress(b"0" * 10_000_000),), headers={"content-encoding": "gzip"}),
            UpstreamMisconfigured,
        ),
    ],
)
async def test_an_answer_of_another_format_is_nobodys_who_serves_models(
    stub: StubProvider, acme: Acme, raw: Raw, kind: type[UpstreamError]
) -> None:
    stub.always(raw)
    assert type(await failure(acme, stream=True)) is kind


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
        (b'{"message":"x","code":"context_length_exceeded"}', UpstreamContextTooLong),
        (b'{"message":"x","type":"overloaded_error"}', UpstreamOverloaded),
        (b'{"message":"x","type":"api_error"}', UpstreamUnavailable),
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
    stub.always(Ok("x" * MAX_EVENT_BYTES))
    assert type(await failure(acme, stream=True)) is StreamBroken


@pytest.mark.parametrize("stream", [False, True])
async def test_an_answer_beyond_its_bound_is_broken(
    stub: StubProvider, acme: Acme, stream: bool
) -> None:
    stub.always(Ok(("x" * 500_000 + " ") * (MAX_ANSWER_BYTES // 500_000 + 1)))
    assert type(await failure(acme, stream=stream)) is StreamBroken
