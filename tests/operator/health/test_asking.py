"""What each kind of provider is asked, and why some are not."""

from typing import Any

import pytest
from pydantic import SecretStr

from penstock_config.provider import Auth, Entra, Managed, ProviderType
from penstock_operator.health.asking import (
    ENTRA,
    NO_AUTHORITIES,
    NO_KEY,
    NO_LOGIN,
    OURS,
    Probe,
    probe_of,
)
from penstock_operator.health.in_force import Reached
from tests.operator.health.facts import provider

KEY = SecretStr("sk/hush")


@pytest.mark.parametrize(
    ("type_", "base_url", "fields", "expected"),
    [
        ("openai", "https://a.example/v1", {}, "https://a.example/v1/models"),
        ("openai", "https://a.example/v1/", {}, "https://a.example/v1/models"),
        ("anthropic", "https://a.example", {}, "https://a.example/v1/models"),
        ("gemini", "https://a.example/v1beta", {}, "https://a.example/v1beta/models"),
        ("ollama", "http://a.example:11434", {}, "http://a.example:11434/api/tags"),
        ("azure-openai", "https://a.example", {}, "https://a.example/openai/v1/models"),
        (
            "azure-openai",
            "https://a.example",
            {"api_version": "preview"},
            "https://a.example/openai/v1/models?api-version=preview",
        ),
        (
            "azure-openai",
            "https://a.example",
            {"api_version": "2024-10-21"},
            "https://a.example/openai/models?api-version=2024-10-21",
        ),
    ],
)
def test_every_kind_is_asked_for_its_list_of_models(
    type_: ProviderType, base_url: str, fields: dict[str, Any], expected: str
) -> None:
    probe = probe_of(Reached(provider(type=type_, base_url=base_url, **fields)))
    assert isinstance(probe, Probe)
    assert probe.url == expected
    assert ("anthropic-version" in probe.headers) == (type_ == "anthropic")


@pytest.mark.parametrize(
    ("auth", "headers", "query"),
    [
        (Auth(), {"Authorization": "Bearer sk/hush"}, ""),
        (Auth(scheme="Header", name="api-key"), {"api-key": "sk/hush"}, ""),
        (Auth(scheme="Query", name="key"), {}, "?key=sk%2Fhush"),
    ],
)
def test_the_key_goes_where_requests_have_it(
    auth: Auth, headers: dict[str, str], query: str
) -> None:
    probe = probe_of(Reached(provider(auth=auth, needs_key=True), KEY))
    assert isinstance(probe, Probe)
    assert (probe.headers, probe.url.partition("models")[2]) == (headers, query)
    assert "hush" not in repr(probe)


def test_its_own_headers_go_along() -> None:
    probe = probe_of(Reached(provider(headers={"x-team": "a"})))
    assert isinstance(probe, Probe)
    assert probe.headers == {"x-team": "a"}


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"managed": Managed(), "needs_key": True}, OURS),
        ({"needs_key": True}, NO_KEY),
        ({"private_ca": True}, NO_AUTHORITIES),
        ({"proxy_login": True}, NO_LOGIN),
        ({"entra": Entra(tenant_id="t", client_id="c", has_secret=True)}, ENTRA),
    ],
)
def test_without_what_it_needs_it_is_not_asked(fields: dict[str, Any], why: str) -> None:
    assert probe_of(Reached(provider(**fields))) == why
