"""Anthropic's own client against a sidecar, whoever serves."""

import json
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from penstock_cli.stub import Ok, Tokens
from tests.clients.anthropic_given import (
    CALLERS_KEY,
    CALLS,
    HI,
    IMAGE,
    TOWNS,
    WEATHER,
    all_of,
    always,
    ask,
    every_provider,
    seen,
)
from tests.clients.house import KEY, House
from tests.fakes.vendors.anthropic import SIGNATURE


@every_provider
async def test_a_message(house: House, client: AsyncAnthropic, tier: str) -> None:
    always(house, Ok("Good day", usage=Tokens(7, 3)))
    message = await client.messages.create(**ask(tier))
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert [block.to_dict() for block in message.content] == [{"type": "text", "text": "Good day"}]
    assert (message.usage.input_tokens, message.usage.output_tokens) == (7, 3)
    assert message.id.startswith("msg_")
    assert message._request_id


@every_provider
async def test_a_streamed_message(house: House, client: AsyncAnthropic, tier: str) -> None:
    always(house, Ok("one two three", usage=Tokens(7, 3)))
    async with client.messages.stream(**ask(tier)) as stream:
        texts = [text async for text in stream.text_stream]
        message = await stream.get_final_message()
    assert texts == ["one ", "two ", "three"]
    assert message.stop_reason == "end_turn"
    assert message.content[0].to_dict() == {"type": "text", "text": "one two three"}
    assert (message.usage.input_tokens, message.usage.output_tokens) == (7, 3)


@every_provider
async def test_the_events_of_a_stream_come_in_anthropic_s_order(
    house: House, client: AsyncAnthropic, tier: str
) -> None:
    always(house, Ok("one two"))
    stream = await client.messages.create(**ask(tier), stream=True)
    kinds = await all_of(stream)
    assert kinds == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@every_provider
@pytest.mark.parametrize("streamed", [False, True])
async def test_parallel_tool_calls(
    house: House, client: AsyncAnthropic, tier: str, streamed: bool
) -> None:
    always(house, Ok("", tool_calls=CALLS))
    fields = ask(tier, tools=[WEATHER])
    if streamed:
        async with client.messages.stream(**fields) as stream:
            message = await stream.get_final_message()
    else:
        message = await client.messages.create(**fields)
    calls = [block for block in message.content if block.type == "tool_use"]
    assert [call.input for call in calls] == TOWNS
    assert [call.name for call in calls] == ["weather", "weather"]
    assert len({call.id for call in calls}) == 2
    assert message.stop_reason == "tool_use"


@every_provider
async def test_a_conversation_with_tools_goes_on(
    house: House, client: AsyncAnthropic, tier: str
) -> None:
    """Calls and results, as the client keeps them, are understood by each provider."""
    always(house, Ok("", tool_calls=CALLS))
    fields = ask(tier, tools=[WEATHER])
    asked = await client.messages.create(**fields)
    always(house, Ok("Rain in both."))
    results = [
        {"type": "tool_result", "tool_use_id": block.id, "content": "rain"}
        for block in asked.content
        if block.type == "tool_use"
    ]
    turns = [{"role": "assistant", "content": asked.content}, {"role": "user", "content": results}]
    fields["messages"] = [*HI, *turns]
    answered = await client.messages.create(**fields)
    assert answered.content[0].to_dict()["text"] == "Rain in both."
    sent = json.dumps((await seen(house, tier, 2)).body)
    assert sent.count("rain") == 2
    assert all(block.id in sent for block in asked.content if block.type == "tool_use")


@every_provider
async def test_at_most_one_call_is_asked_for(
    house: House, client: AsyncAnthropic, tier: str
) -> None:
    choice = {"type": "any", "disable_parallel_tool_use": True}
    asking = client.messages.create(**ask(tier, tools=[WEATHER], tool_choice=choice))
    if tier == "llama":
        with pytest.raises(anthropic.BadRequestError, match="tool_choice"):
            await asking
        return
    await asking
    body = (await seen(house, tier)).body
    if tier == "claude":
        assert body["tool_choice"] == choice
    else:
        assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)


@every_provider
async def test_thinking(house: House, client: AsyncAnthropic, tier: str) -> None:
    always(house, Ok("Yes", reasoning="Let me see", usage=Tokens(7, 9, reasoning=5)))
    fields = ask(tier, thinking={"type": "adaptive"}, output_config={"effort": "low"})
    async with client.messages.stream(**fields) as stream:
        streamed = await stream.get_final_message()
    plain = await client.messages.create(**fields)
    for message in (streamed, plain):
        thought, text = (block.to_dict() for block in message.content)
        assert str(thought.pop("thinking")).strip() == "Let me see"
        signature = SIGNATURE if tier == "claude" else ""
        assert thought == {"type": "thinking", "signature": signature}
        assert text["text"] == "Yes"
    body = (await seen(house, tier)).body
    asked = {
        "claude": body.get("thinking"),
        "gpt": body.get("reasoning_effort"),
        "llama": body.get("think"),
    }
    assert asked[tier] == ({"type": "adaptive"} if tier == "claude" else "low")


async def test_thoughts_of_another_provider_are_not_shown_to_anthropic(
    house: House, client: AsyncAnthropic
) -> None:
    """It refuses a thought without its own signature."""
    house.openai.always(Ok("Yes", reasoning="hm"))
    first = await client.messages.create(**ask("gpt", thinking={"type": "adaptive"}))
    turns = [{"role": "assistant", "content": first.content}, *HI]
    fields = ask("claude", messages=[*HI, *turns])
    await client.messages.create(**fields)
    sent = (await house.anthropic.request()).body["messages"]
    assert sent[1] == {"role": "assistant", "content": [{"type": "text", "text": "Yes"}]}  # type: ignore[index]


@every_provider
async def test_a_picture(house: House, client: AsyncAnthropic, tier: str) -> None:
    parts = [IMAGE, {"type": "text", "text": "What is it?"}]
    await client.messages.create(**ask(tier, messages=[{"role": "user", "content": parts}]))
    message = (await seen(house, tier)).body["messages"][0]  # type: ignore[index]
    said: dict[str, Any] = {
        "claude": {"role": "user", "content": parts},
        "gpt": {
            "role": "user",
            "content": [
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "text", "text": "What is it?"},
            ],
        },
        "llama": {"role": "user", "content": "What is it?", "images": ["AAAA"]},
    }
    assert message == said[tier]


@every_provider
async def test_an_answer_by_a_schema(house: House, client: AsyncAnthropic, tier: str) -> None:
    always(house, Ok('{"town": "Ulm"}'))
    schema = WEATHER["input_schema"]
    config: Any = {"format": {"type": "json_schema", "schema": schema}}
    message = await client.messages.create(**ask(tier, output_config=config))
    assert json.loads(message.content[0].to_dict()["text"]) == {"town": "Ulm"}
    body = (await seen(house, tier)).body
    said: dict[str, Any] = {
        "claude": body.get("output_config"),
        "gpt": body.get("response_format"),
        "llama": body.get("format"),
    }
    wanted: dict[str, Any] = {
        "claude": config,
        "gpt": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": schema, "strict": True},
        },
        "llama": schema,
    }
    assert said[tier] == wanted[tier]


@every_provider
@pytest.mark.parametrize("streamed", [False, True])
async def test_the_limit_is_a_stop_reason(
    house: House, client: AsyncAnthropic, tier: str, streamed: bool
) -> None:
    always(house, Ok("one two three"))
    fields = ask(tier, max_tokens=2)
    if streamed:
        async with client.messages.stream(**fields) as stream:
            message = await stream.get_final_message()
    else:
        message = await client.messages.create(**fields)
    assert message.stop_reason == "max_tokens"


async def test_a_stop_sequence_is_named(house: House, client: AsyncAnthropic) -> None:
    house.anthropic.always(Ok("one", finish="stop_sequence"))
    message = await client.messages.create(**ask("claude", stop_sequences=["END"]))
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "END")


async def test_bytes_pass_to_anthropic_as_they_are(house: House, client: AsyncAnthropic) -> None:
    """Unknown fields too."""
    house.anthropic.always(Ok("Hi"))
    fields = ask("opus", metadata={"user_id": "u-1"})
    await client.messages.create(**fields, extra_body={"diagnostics": {"previous_message_id": "x"}})
    body = (await house.anthropic.request()).body
    assert body == {
        **fields,
        "model": "claude-opus-4-7",
        "diagnostics": {"previous_message_id": "x"},
    }


async def test_version_and_betas_reach_anthropic_and_nothing_else_of_the_caller_s(
    house: House, client: AsyncAnthropic
) -> None:
    betas = {"anthropic-beta": "context-1m-2025-08-07", "x-secret": "s", "cookie": "c=1"}
    await client.messages.create(**ask("claude"), extra_headers=betas)
    headers = (await house.anthropic.request()).headers
    assert headers["anthropic-version"] == client.default_headers["anthropic-version"]
    assert headers["anthropic-beta"] == "context-1m-2025-08-07"
    assert headers["x-api-key"] == KEY
    assert CALLERS_KEY not in str(headers)
    assert {"x-secret", "cookie", "authorization", "x-stainless-lang"}.isdisjoint(headers)


async def test_they_do_not_reach_others(house: House, client: AsyncAnthropic) -> None:
    await client.messages.create(**ask("gpt"), extra_headers={"anthropic-beta": "b"})
    headers = (await house.openai.request()).headers
    assert headers["authorization"] == f"Bearer {KEY}"
    assert {"anthropic-beta", "anthropic-version", "x-api-key"}.isdisjoint(headers)


@every_provider
async def test_what_coding_agents_send_is_understood_everywhere(
    house: House, client: AsyncAnthropic, tier: str
) -> None:
    """Marks for the cache, edits of the context and a user that is no plain name, by the beta."""
    mark = {"cache_control": {"type": "ephemeral"}}
    fields: Any = ask(
        tier,
        system=[{"type": "text", "text": "You write code.", **mark}],
        messages=[{"role": "user", "content": [{"type": "text", "text": "Hi", **mark}]}],
        tools=[{**WEATHER, "eager_input_streaming": True, **mark}],
        thinking={"type": "adaptive"},
        metadata={"user_id": '{"device_id":"d","session_id":"s"}'},
        context_management={"edits": [{"type": "clear_tool_uses_20250919"}]},
    )
    always(house, Ok("Done."))
    message = await client.beta.messages.create(**fields, betas=["context-management-2025-06-27"])
    assert message.content[-1].to_dict()["text"] == "Done."
    request = await seen(house, tier)
    said = request.body if tier == "claude" else request.body["messages"][0]  # type: ignore[index]
    wanted: dict[str, Any] = {
        "claude": {**fields, "model": "claude-opus-4-7"},
        "gpt": {"role": "system", "content": "You write code."},
        "llama": {"role": "system", "content": "You write code."},
    }
    assert said == wanted[tier]
    if tier == "claude":
        assert request.headers["anthropic-beta"] == "context-management-2025-06-27"
