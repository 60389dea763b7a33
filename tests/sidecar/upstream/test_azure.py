"""Azure OpenAI: its paths, and its content filter's word."""

from collections.abc import AsyncIterator

import pytest

from penstock_cli.stub import Ok, Status, Tokens
from penstock_config.provider import Auth
from penstock_sidecar.dialects.dialect import Ask
from penstock_sidecar.errors import (
    UpstreamCredentials,
    UpstreamLimited,
    UpstreamMisconfigured,
    UpstreamRefused,
)
from penstock_sidecar.upstream import open_session
from penstock_sidecar.upstream.azure import azure_paths
from penstock_sidecar.upstream.plans import plan_of
from tests.fakes.vendors.azure import AzureStub, filtered
from tests.sidecar.upstream.conftest import Acme, failure

KEY = Auth(scheme="Header", name="api-key")


@pytest.fixture
async def azure() -> AsyncIterator[Acme]:
    async with AzureStub() as stub, open_session() as session:
        yield Acme(stub, session, type="azure-openai", auth=KEY, keys=("azure-key",))


@pytest.mark.parametrize(
    ("version", "path", "query"),
    [
        (None, "/openai/v1/chat/completions", {}),
        ("preview", "/openai/v1/chat/completions", {"api-version": "preview"}),
        ("latest", "/openai/v1/chat/completions", {"api-version": "latest"}),
        (
            "2024-10-21",
            "/openai/deployments/acme-m/chat/completions",
            {"api-version": "2024-10-21"},
        ),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_version_says_which_api_and_which_path(
    azure: Acme, version: str | None, path: str, query: dict[str, str], stream: bool
) -> None:
    azure.api_version = version
    azure.stub.always(Ok("Hello.", usage=Tokens(5, 2)))
    got = await azure.ask(stream=stream)
    (seen,) = azure.stub.requests
    assert (seen.path, seen.query, seen.model) == (path, query, "acme-m")
    assert (seen.headers["api-key"], "authorization" in seen.headers) == ("azure-key", False)
    assert got.finish == "stop"
    assert got.usage
    assert (got.usage.input_tokens, got.usage.output_tokens) == (5, 2)


def test_embeddings_follow_the_same_rules_and_responses_name_the_model_in_the_body() -> None:
    ask = Ask(model="text/odd name", stream=False, max_output_tokens=None)
    dated, v1 = azure_paths("2024-10-21"), azure_paths(None)
    assert dated("/embeddings")(ask) == (
        "/openai/deployments/text%2Fodd%20name/embeddings?api-version=2024-10-21"
    )
    assert dated("/responses")(ask) == "/openai/responses?api-version=2024-10-21"
    assert v1("/embeddings")(ask) == "/openai/v1/embeddings"
    assert v1("/responses")(ask) == "/openai/v1/responses"


@pytest.mark.parametrize(
    ("version", "known"),
    [
        (None, True),
        ("preview", True),
        ("latest", True),
        ("2024-10-21", False),
        ("2025-02-01-preview", False),
        ("2025-03-01-preview", True),
    ],
)
def test_where_a_version_has_no_responses_they_are_asked_as_chat(
    azure: Acme, version: str | None, known: bool
) -> None:
    azure.api_version = version
    plan = plan_of(azure.provider())
    assert ("openai-responses" in plan.same) is known
    assert plan.spoken("openai-responses", azure.provider().models[0])


async def test_a_key_in_the_query_stands_beside_the_version(azure: Acme) -> None:
    azure.api_version, azure.auth = "2024-10-21", Auth(scheme="Query", name="code")
    await azure.ask()
    assert azure.stub.requests[0].query == {"api-version": "2024-10-21", "code": "azure-key"}


@pytest.mark.parametrize("code", ["content_filter", None])
async def test_the_content_filter_speaks_as_openai_does(azure: Acme, code: str | None) -> None:
    azure.stub.always(filtered(code=code))
    error = await failure(azure)
    assert isinstance(error, UpstreamRefused)
    assert (error.status, error.type) == (400, "invalid_request_error")
    assert (error.code, error.param) == ("content_filter", "messages")
    assert error.public.startswith("The response was filtered due to the prompt")
    assert not error.next_candidate, "who refused the prompt is not gone around"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (Status(401, error_code="401"), UpstreamCredentials),
        (Status(404, error_code="DeploymentNotFound"), UpstreamMisconfigured),
        (Status(400, error_code="OperationNotSupported"), UpstreamMisconfigured),
        (Status(429, error_code="429", retry_after="3"), UpstreamLimited),
    ],
)
async def test_azure_s_codes_name_whoever_must_act(
    azure: Acme, status: Status, kind: type[Exception]
) -> None:
    azure.stub.always(status)
    assert type(await failure(azure)) is kind


async def test_it_is_asked_as_openai_is_wherever_it_lives(azure: Acme) -> None:
    await azure.ask(most=7, top_k=3)
    body = azure.stub.requests[0].body
    assert (body["max_completion_tokens"], "top_k" in body) == (7, False)
