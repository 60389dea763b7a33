"""The fake is as strict and as exact as what it stands for."""

from typing import Any

import aiohttp
import pytest

from penstock_cli.stub import Ok, Tokens, ToolCall
from tests.fakes.vendors.gemini import GeminiProvider
from tests.fakes.vendors.gemini_rules import complaint

HI: dict[str, Any] = {"role": "user", "parts": [{"text": "Hi"}]}


def model(*ids: str, **more: Any) -> dict[str, Any]:
    parts = [{"functionCall": {"id": id_, "name": "f", "args": {}}, **more} for id_ in ids]
    return {"role": "model", "parts": parts}


def results(*ids: str) -> dict[str, Any]:
    parts = [{"functionResponse": {"id": id_, "name": "f", "response": {}}} for id_ in ids]
    return {"role": "user", "parts": parts}


SIGNED = {"thoughtSignature": "c2ln"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"model": "m"}, 'Unknown name "model"'),
        ({"generationConfig": {"max_tokens": 1}}, 'Unknown name "max_tokens" at \'generation_'),
        ({"tools": [{"functionDeclarations": [{"name": "f", "strict": True}]}]}, '"strict"'),
        ({"tools": [{"functionDeclarations": [{"name": "1 f"}]}]}, "Invalid function name"),
        ({"contents": []}, "contents is not specified"),
        ({"contents": [{"role": "assistant", "parts": [{"text": "a"}]}]}, "valid role"),
        ({"contents": [{"role": "user", "parts": []}]}, "must not be empty"),
        ({"contents": [{"role": "user", "parts": [{"thought": True}]}]}, "required oneof"),
        ({"contents": [{"role": "user", "parts": [{"text": "a", "detail": 1}]}]}, '"detail"'),
        (
            {"generationConfig": {"thinkingConfig": {"thinkingBudget": 1, "thinkingLevel": "LOW"}}},
            "only one of thinking budget and thinking level",
        ),
        ({"generationConfig": {"responseJsonSchema": {}}}, "only supported with response mime"),
        (
            {
                "generationConfig": {
                    "responseMimeType": "application/json",
                    "responseJsonSchema": {"anyOf": [{"$ref": "#", "title": "a"}]},
                }
            },
            "Schema.ref",
        ),
        ({"contents": [HI, model("a", "b", **SIGNED), results("a")]}, "number of function"),
        ({"contents": [HI, model("a", **SIGNED), HI]}, "number of function"),
        ({"contents": [HI, model("a", **SIGNED), results("b")]}, "does not match"),
        ({"contents": [HI, model("a"), results("a")]}, "missing a thought_signature"),
    ],
)
def test_what_google_refuses_is_refused(body: dict[str, Any], words: str) -> None:
    assert words in (complaint({"contents": [HI], **body}, strict=True) or "")


@pytest.mark.parametrize(
    ("contents", "strict"),
    [
        ([HI, model("a", "b", **SIGNED), results("b", "a"), HI], True),
        ([HI, model("a"), results("a")], False),
        ([HI, model("a"), results("a"), HI], True),
    ],
)
def test_what_google_takes_is_taken(contents: list[Any], strict: bool) -> None:
    """Signatures of former turns are not asked for."""
    assert complaint({"contents": contents}, strict=strict) is None


async def test_bytes_are_google_s() -> None:
    async with GeminiProvider(signature="c2ln") as google, aiohttp.ClientSession() as session:
        google.always(Ok("Ja.", tool_calls=(ToolCall("f", '{"a":1}', ""),), usage=Tokens(7, 3)))
        url = f"{google.url}/v1beta/models/m"
        async with session.post(
            f"{url}:streamGenerateContent?alt=sse", json={"contents": [HI]}
        ) as response:
            assert response.headers["content-type"] == "text/event-stream"
            streamed = await response.text()
        async with session.post(f"{url}:generateContent", json={"contents": []}) as response:
            assert response.status == 400
            refused = await response.text()
    assert streamed.split("\r\n\r\n")[1] == (
        'data: {"candidates": [{"content": {"parts": [{"functionCall": {"name": "f","args":'
        ' {"a": 1}},"thoughtSignature": "c2ln"}],"role": "model"},"index": 0}],"usageMetadata":'
        ' {"promptTokenCount": 7,"candidatesTokenCount": 2,"totalTokenCount": 9,'
        '"promptTokensDetails": [{"modality": "TEXT","tokenCount": 7}]},"modelVersion": "m",'
        '"responseId": "stub1"}'
    )
    assert refused == (
        '{\n  "error": {\n    "code": 400,\n    "message": "* GenerateContentRequest.contents:'
        ' contents is not specified",\n    "status": "INVALID_ARGUMENT"\n  }\n}\n'
    )
