"""Errors as each dialect's clients read them."""

import json
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from penstock_sidecar.errors import (
    BodyTooLarge,
    BudgetExceeded402,
    ContextTooLong,
    Denied,
    LimiterUnavailable,
    MalformedRequest,
    Overloaded,
    RateLimited,
    SidecarError,
    UnknownModel,
    UpstreamOverloaded,
    UpstreamRefused,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from penstock_sidecar.http import problem
from penstock_sidecar.http.speech import ANTHROPIC, OPENAI, RESPONSES, Speech, speech_of


def said(error: SidecarError) -> dict[str, Any]:
    found = json.loads(str(problem.response(error, "c1", ANTHROPIC).text))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (MalformedRequest("x"), 400, "invalid_request_error"),
        (UnknownModel("x"), 404, "not_found_error"),
        (BodyTooLarge("x"), 413, "request_too_large"),
        (UpstreamRefused("x", status=422), 422, "invalid_request_error"),
        (BudgetExceeded402("x"), 402, "billing_error"),
        (RateLimited("x"), 429, "rate_limit_error"),
        (UpstreamUnavailable("x"), 502, "api_error"),
        (LimiterUnavailable("x"), 503, "api_error"),
        (Denied("x"), 503, "api_error"),
        (UpstreamTimeout("x"), 504, "timeout_error"),
        (Overloaded("x"), 529, "overloaded_error"),
        (UpstreamOverloaded("x"), 529, "overloaded_error"),
    ],
)
def test_anthropic_s_clients_know_each_error(error: SidecarError, status: int, kind: str) -> None:
    assert problem.response(error, "c1", ANTHROPIC).status == status
    error_document = {"type": kind, "message": "x"}
    assert said(error) == {"type": "error", "error": error_document, "request_id": "c1"}


def test_others_hear_of_an_overload_by_503() -> None:
    assert problem.response(UpstreamOverloaded("x"), "c1", OPENAI).status == 503


def test_the_call_s_id_is_where_clients_look_for_it() -> None:
    error = MalformedRequest("x")
    assert problem.response(error, "c1", ANTHROPIC).headers["request-id"] == "c1"
    assert "request-id" not in problem.response(error, "c1", OPENAI).headers
    for speech in (ANTHROPIC, OPENAI):
        assert problem.response(error, "c1", speech).headers["x-request-id"] == "c1"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ContextTooLong("9 tokens do not fit"), "prompt is too long: 9 tokens do not fit"),
        (
            UpstreamRefused("Prompt is too long: 9 > 8", code="context_length_exceeded"),
            "Prompt is too long: 9 > 8",
        ),
    ],
)
def test_a_prompt_too_long_is_said_in_words_that_clients_look_for(
    error: SidecarError, message: str
) -> None:
    assert said(error)["error"]["message"] == message


@pytest.mark.parametrize(
    ("path", "speech"),
    [
        ("/v1/chat/completions", OPENAI),
        ("/v1/completions", OPENAI),
        ("/v1/embeddings", OPENAI),
        ("/v1/responses", RESPONSES),
        ("/v1/responses/resp_1", OPENAI),
        ("/v1/messages", ANTHROPIC),
        ("/v1/models", ANTHROPIC),
        ("/v1/complete", ANTHROPIC),
    ],
)
def test_anthropic_s_version_names_a_dialect_only_where_the_path_does_not(
    path: str, speech: Speech
) -> None:
    """A ping of Anthropic's in a stream of OpenAI's would be read as a piece of the answer."""
    request = make_mocked_request("POST", path, headers={"anthropic-version": "2023-06-01"})
    assert speech_of(request) is speech
