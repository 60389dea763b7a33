"""What costs no known most at Gemini: pictures that do not come along."""

from typing import Any

import pytest

from penstock_sidecar.metering.features import unbounded_feature
from penstock_sidecar.model import Api
from tests.sidecar.metering import given as a

FILM = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
DATA = "data:image/png;base64,AAAA"
BASE64 = {"type": "base64", "media_type": "image/png", "data": "AAAA"}


def openai(url: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]


def response(url: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": [{"type": "input_image", "image_url": url}]}]


def anthropic(source: object) -> list[dict[str, Any]]:
    picture = {"type": "image", "source": source}
    result = {"type": "tool_result", "tool_use_id": "t", "content": [picture]}
    return [{"role": "user", "content": [{"type": "text", "text": "?"}, result]}]


@pytest.mark.parametrize(
    ("api", "given", "named"),
    [
        ("openai-chat", openai(FILM), "messages[0].content[0]"),
        ("openai-responses", response(FILM), "input[0].content[0]"),
        (
            "anthropic-messages",
            anthropic({"type": "url", "url": FILM}),
            "messages[0].content[1].content[0]",
        ),
        ("openai-chat", openai(DATA), None),
        ("openai-responses", response(DATA), None),
        ("anthropic-messages", anthropic(BASE64), None),
    ],
)
def test_a_picture_by_its_address_may_be_a_film(api: Api, given: object, named: str | None) -> None:
    request = a.request(api=api)
    asked = a.request(api=api, document={"model": "m", request.input_field: given})
    assert unbounded_feature(asked, "gemini") == named
    assert unbounded_feature(asked, "openai") is None
