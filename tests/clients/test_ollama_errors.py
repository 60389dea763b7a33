"""What the official `ollama` client hears when things go wrong."""

import json
from typing import Any

import ollama
import pytest

from penstock_cli.stub import Broken, Ok, Raw, Status
from tests.clients.house import House
from tests.clients.ollama_given import HI, add, always, asked, every_provider, translated

GARBLED_CALL = (
    b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","function":'
    b'{"name":"add","arguments":"{\\"a\\":"}}]}}]}\n\n'
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}\n\n'
    b"data: [DONE]\n\n"
)


async def heard(
    ollama_client: ollama.AsyncClient, tier: str, parts: list[ollama.ChatResponse]
) -> None:
    """Adds what comes to `parts`, which hold it when an error ends it."""
    async for part in await ollama_client.chat(tier, HI, stream=True):
        parts.append(part)  # noqa: PERF401  # a comprehension would lose them


@every_provider
@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        (Status(400, "this model does not support tools"), 400),
        (Status(401), 502),
        (Status(429), 429),
        (Status(500), 502),
        (Ok(""), 502),
    ],
)
async def test_a_provider_s_error_is_a_response_error(
    house: House, ollama_client: ollama.AsyncClient, tier: str, behaviour: Any, status: int
) -> None:
    always(house, behaviour)
    for stream in (False, True):
        with pytest.raises(ollama.ResponseError) as caught:
            await (heard(ollama_client, tier, []) if stream else ollama_client.chat(tier, HI))
        assert caught.value.status_code == status
        assert caught.value.error
        assert "{" not in caught.value.error


async def test_a_refusal_keeps_the_provider_s_words(
    house: House, ollama_client: ollama.AsyncClient
) -> None:
    always(house, Status(400, "this model does not support tools"))
    with pytest.raises(ollama.ResponseError, match="does not support tools"):
        await ollama_client.chat("llama", HI)


@every_provider
async def test_a_cut_stream_raises_after_what_came(
    house: House, ollama_client: ollama.AsyncClient, tier: str
) -> None:
    always(house, Broken("close", 5, Ok("one two three four five six seven")))
    before: list[ollama.ChatResponse] = []
    with pytest.raises(ollama.ResponseError, match=r"half-way|broke"):
        await heard(ollama_client, tier, before)
    assert before
    assert not any(part.done for part in before)


async def test_a_call_that_cannot_be_read_is_an_error_and_no_call(
    house: House, ollama_client: ollama.AsyncClient
) -> None:
    house.openai.always(Raw((GARBLED_CALL,)))
    with pytest.raises(ollama.ResponseError, match="no JSON object"):
        await heard(ollama_client, "gpt", [])
    call = {"id": "c", "function": {"name": "add", "arguments": '{"a":'}}
    choice = {"index": 0, "message": {"tool_calls": [call]}, "finish_reason": "tool_calls"}
    document = json.dumps({"choices": [choice]}).encode()
    house.openai.always(Raw((document,), "application/json"))
    with pytest.raises(ollama.ResponseError, match="no JSON object") as caught:
        await ollama_client.chat("gpt", HI, tools=[add])
    assert caught.value.status_code == 502


@translated
@pytest.mark.parametrize(
    ("fields", "named"),
    [({"suffix": "return"}, "suffix"), ({"raw": True}, "raw"), ({"context": [1]}, "context")],
)
async def test_what_only_an_ollama_can_do_is_refused_by_name(
    house: House, ollama_client: ollama.AsyncClient, tier: str, fields: dict[str, Any], named: str
) -> None:
    with pytest.raises(ollama.ResponseError, match=f"`{named}` cannot be expressed") as caught:
        await ollama_client.generate(tier, "def f():", **fields)
    assert caught.value.status_code == 400
    assert asked(house) == []
