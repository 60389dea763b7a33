"""Turns that become contents: signatures, results, addresses."""

import pytest

from penstock_sidecar.dialects.dialect import Unspeakable
from penstock_sidecar.dialects.prompt import File, Image, Text, Thought, ToolCall, ToolResult, Turn
from penstock_sidecar.dialects.signatures import of_google
from tests.sidecar.dialects.gemini.requests import FORMER, extra, of, wrote


def test_a_signature_is_of_the_text_before_it() -> None:
    body = wrote(
        messages=[
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": "Yes?", **extra("c2ln")},
            {"role": "user", "content": "So"},
        ]
    )
    assert body["contents"][1]["parts"] == [{"text": "Yes?", "thoughtSignature": "c2ln"}]


def test_signed_thoughts_keep_their_place_and_others_are_left_out() -> None:
    signed = of_google("c2ln")
    parts = (
        Thought("Hm.", signed),
        Thought("", signed),
        Thought("of Anthropic's", "EqQBCgIYAhIM"),
        Thought("", redacted="EmwKAhgBEgy3va3"),
        Thought("unsigned"),
        Text("Yes."),
        Thought("", signed),
        Thought("", signed),
    )
    body = of(Turn("user", (Text("Hi"),)), Turn("assistant", parts))
    assert body["contents"][1]["parts"] == [
        {"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"},
        {"text": "", "thoughtSignature": "c2ln"},
        {"text": "Yes.", "thoughtSignature": "c2ln"},
        {"text": "", "thoughtSignature": "c2ln"},
    ]


def test_a_call_without_a_signature_is_excused_since_gemini_3() -> None:
    """Another provider made it, or the caller has lost what he was given."""
    turns = (
        Turn("user", (Text("Hi"),)),
        Turn("assistant", (ToolCall("a", "f", "{}"), ToolCall("b", "f", "{}"))),
        Turn("user", (ToolResult("a", (), "f"), ToolResult("b", (), "f"))),
        Turn("assistant", (ToolCall("c", "f", "{}", signature="EqQBCgIYAhIM"),)),
    )
    excused = "skip_thought_signature_validator"
    newest, former = of(*turns), of(*turns, model=FORMER)
    assert [
        [part.get("thoughtSignature") for part in content["parts"]]
        for content in newest["contents"]
        if content["role"] == "model"
    ] == [[excused, None], [excused]]
    assert "thoughtSignature" not in str(former)


def test_results_hold_pictures_and_failures() -> None:
    """An id that is empty is not said: older models know calls by the tool's name."""
    parts = (Text("one"), Image("AAAA", "image/png"), Text("two"))
    result = ToolResult("", parts, "f", failed=True)
    turns = (Turn("assistant", (ToolCall("", "f", ""),)), Turn("user", (Text("So?"), result)))
    assert of(*turns, model=FORMER)["contents"] == [
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
        {
            "role": "user",
            "parts": [
                {
                    "functionResponse": {
                        "name": "f",
                        "response": {"error": "one\ntwo"},
                        "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
                    }
                }
            ],
        },
        {"role": "user", "parts": [{"text": "So?"}]},
    ]


def test_turns_without_words_are_left_out() -> None:
    body = of(Turn("user", (Text("Hi"), Text(""))), Turn("assistant", ()), Turn("user", ()))
    assert body["contents"] == [{"role": "user", "parts": [{"text": "Hi"}]}]


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        ("https://x.example/a.PNG#b", "image/png"),
        ("https://x.example/a.jpg?b=c.gif", "image/jpeg"),
        ("gs://bucket/a.heic", "image/heic"),
        ("https://generativelanguage.googleapis.com/v1beta/files/abc-123", None),
        ("https://x.example/a.b/c", None),
    ],
)
def test_an_address_tells_its_type_where_it_ends_in_one(url: str, media_type: str | None) -> None:
    [content] = of(Turn("user", (File(url=url),)))["contents"]
    told = {} if media_type is None else {"mimeType": media_type}
    assert content["parts"] == [{"fileData": {"fileUri": url, **told}}]


@pytest.mark.parametrize(
    "url", ["http://x.example/a.png", "ftp://x/a", "file:///etc/passwd", "http://["]
)
def test_addresses_that_google_does_not_fetch_are_refused(url: str) -> None:
    with pytest.raises(Unspeakable) as caught:
        of(Turn("user", (Image(url=url, where="messages[0].content[0].image_url"),)))
    assert caught.value.param == "messages[0].content[0].image_url"
