"""OpenAI's own client with responses of Anthropic's models: signed thoughts go round."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI

from penstock_cli.stub import Ok, ToolCall
from tests.clients.house import House, running_house

WEATHER: Any = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
CALL = ToolCall("weather", '{"place":"Oslo"}', "toolu_1")
REASONING: Any = {"effort": "high", "summary": "auto"}


@pytest.fixture
async def shared(tmp_path: Path, redis_url: str) -> AsyncIterator[House]:
    async with running_house(tmp_path, redis_url) as running:
        yield running


@pytest.mark.parametrize("kept", [False, True])
async def test_a_signed_thought_comes_back_with_the_result(shared: House, kept: bool) -> None:
    """By the client, who sends all of the conversation, or from what is kept of it."""
    shared.anthropic.always(Ok("", reasoning="Where? Oslo.", tool_calls=(CALL,)))
    asked: Any = {"model": "sonnet", "tools": [WEATHER], "reasoning": REASONING}
    async with AsyncOpenAI(base_url=f"{shared.url}/v1", api_key="k", max_retries=0) as client:
        first = await client.responses.create(input="Weather?", store=kept, **asked)
        assert [item.type for item in first.output] == ["reasoning", "function_call"]
        shared.anthropic.always(Ok("Cold."))
        result = {"type": "function_call_output", "call_id": "toolu_1", "output": "-3"}
        if kept:
            more: Any = {"input": [result], "previous_response_id": first.id}
        else:
            more = {"input": [{"role": "user", "content": "Weather?"}, *first.output, result]}
        second = await client.responses.create(**asked, **more)
    assert second.output_text == "Cold."
    messages: Any = shared.anthropic.requests[-1].body["messages"]
    thought, call = messages[1]["content"]
    assert (thought["type"], thought["thinking"].strip()) == ("thinking", "Where? Oslo.")
    assert thought["signature"]
    assert call == {
        "type": "tool_use",
        "id": "toolu_1",
        "name": "weather",
        "input": {"place": "Oslo"},
    }
    (told,) = messages[2]["content"]
    assert (told["type"], told["tool_use_id"]) == ("tool_result", "toolu_1")


async def test_its_thoughts_do_not_go_to_openai(shared: House) -> None:
    shared.anthropic.always(Ok("Oslo.", reasoning="Where?"))
    async with AsyncOpenAI(base_url=f"{shared.url}/v1", api_key="k", max_retries=0) as client:
        first = await client.responses.create(model="sonnet", input="Where?", reasoning=REASONING)
        assert first.output[0].type == "reasoning"
        await client.responses.create(model="gpt", input="And?", previous_response_id=first.id)
    messages: Any = shared.openai.requests[-1].body["messages"]
    assert messages == [
        {"role": "user", "content": "Where?"},
        {"role": "assistant", "content": "Oslo."},
        {"role": "user", "content": "And?"},
    ]
