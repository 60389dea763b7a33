"""A provider says no, by its status."""

from email.utils import formatdate

import pytest

from penstock_cli.stub import Status, StubProvider
from penstock_sidecar.errors import (
    UpstreamCredentials,
    UpstreamError,
    UpstreamLimited,
    UpstreamMisconfigured,
    UpstreamOverloaded,
    UpstreamRefused,
    UpstreamUnavailable,
)
from tests.sidecar.upstream.conftest import Acme, failure


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
        (Status(529), UpstreamOverloaded),
    ],
    ids=lambda value: str(value.code) if isinstance(value, Status) else None,
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_status_becomes_the_error_of_whoever_must_act(
    stub: StubProvider, acme: Acme, status: Status, kind: type[UpstreamError], stream: bool
) -> None:
    stub.always(status)
    assert type(await failure(acme, stream=stream)) is kind


OPENROUTERS = Status(
    403,
    body=b'{"error": {"code": 403, "message": "Moderated",'
    b' "metadata": {"reasons": ["violence"], "flagged_input": "..."}}}',
)
XAIS = Status(
    403,
    body=b'{"code": "The caller does not have permission to execute the specified operation",'
    b' "error": "Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}',
)
BLOCKED = "Your resource was temporarily blocked: behavior that may violate our content policy."


@pytest.mark.parametrize("status", [OPENROUTERS, XAIS], ids=["OpenRouter", "xAI"])
async def test_a_prompt_that_was_flagged_is_no_fault_of_the_key(
    stub: StubProvider, acme: Acme, status: Status
) -> None:
    stub.always(status)
    error = await failure(acme)
    assert type(error) is UpstreamRefused
    assert (error.status, error.code, error.param) == (400, "content_filter", "messages")
    assert len(stub.requests) == 1


@pytest.mark.parametrize("text", ["Your account was flagged.", BLOCKED])
async def test_an_account_that_was_flagged_is(stub: StubProvider, acme: Acme, text: str) -> None:
    stub.always(Status(403, text))
    assert type(await failure(acme)) is UpstreamCredentials


async def test_what_the_caller_named_and_nobody_has_is_his_to_mend(
    stub: StubProvider, acme: Acme
) -> None:
    body = b'{"error": {"message": "Item with id \'rs_x\' not found.", "type":'
    body += b' "invalid_request_error", "param": "input", "code": null}}'
    stub.always(Status(404, body=body))
    error = await failure(acme)
    assert type(error) is UpstreamRefused
    assert (error.status, error.param) == (404, "input")
    assert error.public == "Item with id 'rs_x' not found."
    stub.always(Status(404, "No such model.", param="model"))
    assert type(await failure(acme)) is UpstreamMisconfigured


async def test_a_refusal_passes_on_the_provider_s_words(stub: StubProvider, acme: Acme) -> None:
    stub.always(Status(422, "Unknown tool.", error_code="bad_tool", param="tools[0]"))
    error = await failure(acme)
    assert isinstance(error, UpstreamRefused)
    assert (error.public, error.param) == ("Unknown tool.", "tools[0]")
    assert (error.status, error.code) == (422, "bad_tool")


@pytest.mark.parametrize(
    "status",
    [
        Status(400, error_code="context_length_exceeded"),
        Status(400, "This model's maximum context length is 8192 tokens."),
        Status(413, "prompt is too long: 210000 tokens > 200000 maximum"),
        Status(
            400,
            "The input token count (1200000) exceeds the maximum number of tokens allowed"
            " (1048576).",
        ),
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
        error.status,
        error.code,
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


@pytest.mark.parametrize(
    "message",
    [
        "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
        "You have reached your specified API usage limits. You will regain access on 2026-12-01.",
    ],
)
async def test_a_bill_of_ours_is_not_the_caller_s_fault(
    stub: StubProvider, acme: Acme, message: str
) -> None:
    stub.always(Status(400, message, error_type="invalid_request_error"))
    assert type(await failure(acme)) is UpstreamCredentials


async def test_an_overloaded_provider_may_serve_later_and_others_now(
    stub: StubProvider, acme: Acme
) -> None:
    stub.always(Status(529, retry_after="7"))
    error = await failure(acme)
    assert (error.status, error.type, error.code) == (503, "overloaded_error", "overloaded")
    assert (error.next_candidate, error.same_again, error.retry_after_seconds) == (True, True, 7)


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


async def test_a_header_that_repeats_our_key_is_left_out(stub: StubProvider, acme: Acme) -> None:
    said = {"x-request-id": f"req-{acme.keys[0]}", "openai-processing-ms": "7"}
    stub.always(Status(429, headers=said))
    assert (await failure(acme)).headers == {"openai-processing-ms": "7"}
