"""The official `openai` client, a real sidecar, and Anthropic behind it."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from penstock_cli.stub import EMPTY, Broken, Ok, Raw, Status, Tokens, ToolCall
from tests.clients.house import KEY, House
from tests.fakes.vendors.anthropic import Anthropic

HI: Any = [{"role": "user", "content": "Hi"}]
PARAMETERS = {
    "type": "object",
    "properties": {"town": {"type": "string"}},
    "required": ["town"],
}
WEATHER: Any = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
CALLS = (ToolCall("weather", '{"town":"Ulm"}', "toolu_1"), ToolCall("now", "{}", "toolu_2"))


class Town(BaseModel):
    name: str
    size: int | None


@pytest.fixture
async def gpt(house: House) -> AsyncIterator[AsyncOpenAI]:
    """As an application has it: a key of nobody's, no retries."""
    async with AsyncOpenAI(base_url=f"{house.url}/v1", api_key="mine", max_retries=0) as found:
        yield found


def ask(tier: str = "claude", **fields: Any) -> dict[str, Any]:
    return {"model": tier, "messages": HI, **fields}


async def test_a_completion(house: House, gpt: AsyncOpenAI) -> None:
    house.anthropic.always(Ok("Good day", usage=Tokens(9, 3, cached=4)))
    completion = await gpt.chat.completions.create(**ask())
    [choice] = completion.choices
    assert (choice.message.content, choice.finish_reason) == ("Good day", "stop")
    assert completion.model == "claude-opus-4-7"
    usage = completion.usage
    assert usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (9, 3, 12)
    assert usage.prompt_tokens_details
    assert usage.prompt_tokens_details.cached_tokens == 4
    request = await house.anthropic.request()
    assert request.path == "/v1/messages"
    assert request.body == {"model": "claude-opus-4-7", "max_tokens": 8192, "messages": HI}
    assert request.headers["anthropic-version"] == "2023-06-01"
    assert request.headers["x-api-key"] == KEY
    assert "mine" not in str(request.headers)


async def test_a_streamed_completion_with_its_usage(house: House, gpt: AsyncOpenAI) -> None:
    house.anthropic.always(Ok("one two three", usage=Tokens(7, 3)))
    options: Any = {"include_usage": True}
    stream = await gpt.chat.completions.create(**ask(), stream=True, stream_options=options)
    chunks = [chunk async for chunk in stream]
    texts = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    assert texts == ["one ", "two ", "three"]
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (7, 3)


async def test_parallel_tool_calls_there_and_back(house: House, gpt: AsyncOpenAI) -> None:
    house.anthropic.queue(Ok("I look.", tool_calls=CALLS), Ok("Rain."))
    first = await gpt.chat.completions.create(**ask(tools=[WEATHER]))
    calls = first.choices[0].message.tool_calls or []
    assert first.choices[0].finish_reason == "tool_calls"
    assert [call.to_dict() for call in calls] == [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in CALLS
    ]
    results: Any = [{"role": "tool", "tool_call_id": c.id, "content": "rain"} for c in calls]
    turns = [*HI, first.choices[0].message, *results]
    second = await gpt.chat.completions.create(**ask(tools=[WEATHER], messages=turns))
    assert second.choices[0].message.content == "Rain."


async def test_streamed_tool_calls(house: House, gpt: AsyncOpenAI) -> None:
    house.anthropic.always(Ok("", tool_calls=CALLS))
    async with gpt.chat.completions.stream(**ask(tools=[WEATHER])) as stream:
        completion = await stream.get_final_completion()
    calls = completion.choices[0].message.tool_calls or []
    assert [(c.id, c.function.name, c.function.arguments) for c in calls] == [
        (call.id, call.name, call.arguments) for call in CALLS
    ]


async def test_thoughts_are_reasoning_content(house: House, gpt: AsyncOpenAI) -> None:
    house.anthropic.always(Ok("Yes", reasoning="Let me see", usage=Tokens(7, 9, reasoning=5)))
    completion = await gpt.chat.completions.create(**ask(reasoning_effort="low"))
    assert completion.choices[0].message.to_dict()["reasoning_content"] == "Let me see"
    assert completion.usage
    assert completion.usage.completion_tokens_details
    assert completion.usage.completion_tokens_details.reasoning_tokens == 5
    body = (await house.anthropic.request()).body
    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert body["output_config"] == {"effort": "low"}


async def test_an_answer_by_a_schema(house: House, gpt: AsyncOpenAI) -> None:
    house.anthropic.always(Ok('{"name": "Ulm", "size": 9}'))
    completion = await gpt.chat.completions.parse(**ask(response_format=Town))
    assert completion.choices[0].message.parsed == Town(name="Ulm", size=9)
    config: Any = (await house.anthropic.request()).body["output_config"]
    assert config["format"]["schema"]["additionalProperties"] is False


async def test_a_refusal_is_a_content_filter(house: House, gpt: AsyncOpenAI) -> None:
    house.anthropic.always(Ok("", finish="refusal", refusal="No exploits."))
    completion = await gpt.chat.completions.create(**ask())
    [choice] = completion.choices
    assert (choice.finish_reason, choice.message.refusal) == ("content_filter", "No exploits.")


@pytest.mark.parametrize("finish", ["max_tokens", "pause_turn", "model_context_window_exceeded"])
async def test_an_answer_that_is_not_at_its_end(
    house: House, gpt: AsyncOpenAI, finish: str
) -> None:
    house.anthropic.always(Ok("one", finish=finish))
    completion = await gpt.chat.completions.create(**ask())
    assert completion.choices[0].finish_reason == "length"


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (Status(400, "messages.0: bad"), openai.BadRequestError, None),
        (
            Status(400, "prompt is too long: 9 tokens > 8 maximum"),
            openai.BadRequestError,
            "context_length_exceeded",
        ),
        (Status(401), openai.InternalServerError, "upstream_credentials_exhausted"),
        (Status(429, retry_after="7"), openai.RateLimitError, "rate_limit_exceeded"),
        (Status(500), openai.InternalServerError, "upstream_error"),
        (Status(529, retry_after="7"), openai.InternalServerError, "overloaded"),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_errors_are_those_that_the_client_knows(
    house: House,
    gpt: AsyncOpenAI,
    status: Status,
    kind: type[openai.APIStatusError],
    code: str | None,
    streamed: bool,
) -> None:
    house.anthropic.always(status)
    with pytest.raises(kind) as caught:
        await gpt.chat.completions.create(**ask(), stream=streamed)
    assert caught.value.code == code
    assert caught.value.response.headers.get("retry-after") == status.retry_after


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"1": 1}}, "logit_bias"),
    ],
)
async def test_what_anthropic_cannot_express_is_refused_by_name(
    house: House, gpt: AsyncOpenAI, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as caught:
        await gpt.chat.completions.create(**ask(**fields))
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", param)
    assert house.anthropic.requests == []


async def test_another_candidate_may_have_the_words(house: House, gpt: AsyncOpenAI) -> None:
    house.openai.always(Ok("{}"))
    format_: Any = {"type": "json_object"}
    completion = await gpt.chat.completions.create(**ask("any", response_format=format_))
    assert completion.choices[0].message.content == "{}"


@pytest.mark.parametrize("behaviour", [EMPTY, Status(529), Broken("error", 2)])
async def test_who_fails_before_its_content_is_replaced_unseen(
    house: House, gpt: AsyncOpenAI, behaviour: Any
) -> None:
    house.anthropic.always(behaviour)
    house.openai.always(Ok("whole"))
    stream = await gpt.chat.completions.create(**ask("any"), stream=True)
    texts = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(texts) == "whole"


@pytest.mark.parametrize("how", ["close", "malformed", "error", "end"])
async def test_who_breaks_after_its_content_is_heard_of(
    house: House, gpt: AsyncOpenAI, how: Any
) -> None:
    house.anthropic.always(Broken(how, after=5, answer=Ok("one two three four")))
    stream = await gpt.chat.completions.create(**ask(), stream=True)
    with pytest.raises(openai.APIError):
        _ = [chunk async for chunk in stream]


async def test_an_error_that_comes_as_an_answer_is_one(house: House, gpt: AsyncOpenAI) -> None:
    document = Anthropic().error(Status(529))
    house.anthropic.always(Raw((document,), content_type="application/json"))
    with pytest.raises(openai.InternalServerError) as caught:
        await gpt.chat.completions.create(**ask())
    assert (caught.value.status_code, caught.value.code) == (503, "overloaded")
