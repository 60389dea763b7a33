"""Which headers a provider of Anthropic's dialect gets beside its key."""

import pytest

from penstock_sidecar.dialects.anthropic.headers import OUR_VERSION, headers_for
from penstock_sidecar.model import Api, Request

NEW = "2026-10-21"


def request(api: Api = "anthropic-messages", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("c1", "m", False, False, b"", {}, named, api=api)


@pytest.mark.parametrize(
    ("configured", "asked", "wanted"),
    [
        ({}, request(), {"anthropic-version": OUR_VERSION}),
        ({}, request(anthropic_version=NEW), {"anthropic-version": NEW}),
        ({"Anthropic-Version": NEW}, request(), {"anthropic-version": NEW}),
        (
            {"anthropic-version": "x"},
            request(anthropic_version=NEW),
            {"anthropic-version": NEW},
        ),
        (
            {"anthropic-beta": "a"},
            request(anthropic_beta="b,c"),
            {"anthropic-version": OUR_VERSION, "anthropic-beta": "a,b,c"},
        ),
        (
            {"anthropic-version": NEW, "anthropic-beta": "a"},
            request("openai-chat", anthropic_version="x", anthropic_beta="b"),
            {"anthropic-version": OUR_VERSION, "anthropic-beta": "a"},
        ),
        ({}, request("anthropic-count-tokens", anthropic_version=NEW), {"anthropic-version": NEW}),
        (
            {},
            request(x_api_key="sk", authorization="Bearer sk"),
            {"anthropic-version": OUR_VERSION},
        ),
    ],
)
def test_version_and_betas(
    configured: dict[str, str], asked: Request, wanted: dict[str, str]
) -> None:
    assert headers_for(configured)(asked) == wanted
