"""The official `openai` client, a real sidecar, and Gemini behind it."""

import json
from collections.abc import AsyncIterable, AsyncIterator, Callable
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionChunk
from pydantic import BaseModel, SecretStr

from penstock_cli.stub import EMPTY, Broken, Ok, Raw, Status, Tokens, ToolCall
from penstock_config.credentials import Credentials
from penstock_config.provider import Auth, Model
from penstock_config.schema import SidecarConfig
from tests.fakes.vendors.gemini import KEY_HEADER, KEY_INVALID, GeminiProvider, limited
from tests.planes.plane import NAMESPACE, PRICE, Plane, policy, provider, running_plane, tier

GOOGLE_KEY = "AIzaSyTheOnlyOne"
MODEL = Model(
    name="flash",
    upstream_name="gemini-3.7-flash",
    capabilities=("chat", "tools", "vision", "json", "reasoning"),
    context_window=1_048_576,
    max_output_tokens=4_096,
    price=PRICE,
)
HI: list[Any] = [{"role": "user", "content": "Hi"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
TOO_LONG = "The input token count (9) exceeds the maximum number of tokens allowed (8)."
TWO_CALLS = Ok(
    "",
    tool_calls=(
        ToolCall("weather", '{"city":"Rome"}', "fc1"),
        ToolCall("weather", '{"city":"Oslo"}', "fc2"),
    ),
)


@pytest.fixture
async def google() -> AsyncIterator[GeminiProvider]:
    async with GeminiProvider(signature="c2lnbmVk") as running:
        yield running


@pytest.fixture
async def plane(tmp_path: Path, redis_url: str, google: GeminiProvider) -> AsyncIterator[Plane]:
    """Tier `fast` falls back from Gemini to an OpenAI; `solo` is Gemini alone."""
    async with running_plane(tmp_path, redis_url) as running:
        gemini = provider(
            "google",
            google,
            "flash",
            type="gemini",
            base_url=f"{google.url}/v1beta",
            auth=Auth(scheme="Header", name=KEY_HEADER),
            models=(MODEL,),
        )
        config = SidecarConfig(
            cluster="test",
            namespace=NAMESPACE,
            providers=(gemini, provider("backup", running.backup, "large")),
            tiers=(
                tier("fast", ("google", "flash"), ("backup", "large")),
                tier("solo", ("google", "flash")),
            ),
            policies=(policy(),),
        )
        keys = {f"{NAMESPACE}/google": GOOGLE_KEY, f"{NAMESPACE}/backup": "sk-backup"}
        credentials = Credentials(
            provider_keys={name: (SecretStr(key),) for name, key in keys.items()},
            redis=running.credentials().redis,
            scope_key=SecretStr("scope"),
        )
        await running.publish(config, credentials)
        yield running


@pytest.fixture
async def client(plane: Plane) -> AsyncIterator[AsyncOpenAI]:
    async with plane.client() as connected:
        yield connected


async def test_a_chat(client: AsyncOpenAI, google: GeminiProvider) -> None:
    google.always(Ok("All is well.", reasoning="Hm.", usage=Tokens(7, 9, cached=4, reasoning=5)))
    answer = await client.chat.completions.create(
        model="fast", messages=HI, max_tokens=64, reasoning_effort="low"
    )
    document = answer.model_dump(exclude_unset=True)
    assert document.pop("id").startswith("chatcmpl-")
    assert document.pop("created") > 1_700_000_000
    assert document == {
        "object": "chat.completion",
        "model": "gemini-3.7-flash",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "All is well.",
                    "refusal": None,
                    "reasoning_content": "Hm.",
                    "extra_content": {"google": {"thought_signature": "c2lnbmVk"}},
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 7,
            "completion_tokens": 9,
            "total_tokens": 16,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 5},
        },
    }
    seen = await google.request()
    assert seen.path == "/v1beta/models/gemini-3.7-flash:generateContent"
    assert seen.headers[KEY_HEADER] == GOOGLE_KEY
    assert "authorization" not in seen.headers
    assert seen.body == {
        "contents": [{"role": "user", "parts": [{"text": "Hi"}]}],
        "generationConfig": {
            "maxOutputTokens": 64,
            "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "LOW"},
        },
    }


async def chunks_of(client: AsyncOpenAI, **fields: Any) -> list[ChatCompletionChunk]:
    stream = await client.chat.completions.create(
        **{"model": "solo", "messages": HI, "stream": True, **fields}
    )
    return [chunk async for chunk in stream]


async def test_a_stream(client: AsyncOpenAI, google: GeminiProvider) -> None:
    google.always(Ok("All is well.", usage=Tokens(7, 3)))
    chunks = await chunks_of(client, stream_options={"include_usage": True})
    *said, last = chunks
    deltas = [chunk.choices[0].delta.model_dump(exclude_unset=True) for chunk in said]
    assert deltas == [
        {"role": "assistant", "content": ""},
        {"content": "All "},
        {"content": "is "},
        {"content": "well."},
        {"extra_content": {"google": {"thought_signature": "c2lnbmVk"}}},
        {},
    ]
    assert [chunk.choices[0].finish_reason for chunk in said] == [None] * 5 + ["stop"]
    assert last.choices == []
    assert last.usage
    assert (last.usage.prompt_tokens, last.usage.completion_tokens) == (7, 3)
    seen = await google.request()
    assert (seen.path, seen.query) == (
        "/v1beta/models/gemini-3.7-flash:streamGenerateContent",
        {"alt": "sse"},
    )


async def answered_plain(client: AsyncOpenAI, messages: list[Any]) -> Any:
    answer = await client.chat.completions.create(model="solo", messages=messages, tools=[WEATHER])
    return answer.choices[0].message


async def answered_in_a_stream(client: AsyncOpenAI, messages: list[Any]) -> Any:
    async with client.chat.completions.stream(
        model="solo", messages=messages, tools=[WEATHER]
    ) as stream:
        return (await stream.get_final_completion()).choices[0].message


@pytest.mark.parametrize("ask", [answered_plain, answered_in_a_stream])
async def test_parallel_tools_and_their_signature_go_round(
    client: AsyncOpenAI, google: GeminiProvider, ask: Callable[..., Any]
) -> None:
    """What the client got is sent back as the client writes it."""
    google.queue(TWO_CALLS, Ok("Sun and snow."))
    message = await ask(client, HI)
    assert [(c.id, json.loads(c.function.arguments)) for c in message.tool_calls] == [
        ("fc1", {"city": "Rome"}),
        ("fc2", {"city": "Oslo"}),
    ]
    results = [
        {"role": "tool", "tool_call_id": "fc1", "content": "sun"},
        {"role": "tool", "tool_call_id": "fc2", "content": "snow"},
    ]
    again = await ask(client, [*HI, message, *results])
    assert again.content == "Sun and snow."
    contents: Any = (await google.request(2)).body["contents"]
    assert contents[1]["parts"] == [
        {
            "functionCall": {"id": "fc1", "name": "weather", "args": {"city": "Rome"}},
            "thoughtSignature": "c2lnbmVk",
        },
        {"functionCall": {"id": "fc2", "name": "weather", "args": {"city": "Oslo"}}},
    ]
    assert [p["functionResponse"]["response"] for p in contents[2]["parts"]] == [
        {"output": "sun"},
        {"output": "snow"},
    ]


async def test_calls_of_another_provider_go_on_at_gemini(
    client: AsyncOpenAI, google: GeminiProvider
) -> None:
    """Without a signature, which Gemini would ask for."""
    google.always(Ok("Sun."))
    function = {"name": "weather", "arguments": '{"city":"Rome"}'}
    call = {"id": "call_1", "type": "function", "function": function}
    result = {"role": "tool", "tool_call_id": "call_1", "content": "sun"}
    messages: list[Any] = [*HI, {"role": "assistant", "tool_calls": [call]}, result]
    answer = await client.chat.completions.create(model="solo", messages=messages)
    assert answer.choices[0].message.content == "Sun."


class Place(BaseModel):
    city: str
    people: int | None


async def test_a_schema(client: AsyncOpenAI, google: GeminiProvider) -> None:
    google.always(Ok('{"city":"Rome","people":3}'))
    answer = await client.chat.completions.parse(model="solo", messages=HI, response_format=Place)
    assert answer.choices[0].message.parsed == Place(city="Rome", people=3)
    config: Any = (await google.request()).body["generationConfig"]
    assert config["responseMimeType"] == "application/json"
    assert config["responseJsonSchema"]["properties"].keys() == {"city", "people"}


async def test_a_picture(client: AsyncOpenAI, google: GeminiProvider) -> None:
    url = "data:image/png;base64,iVBORw0KGgo="
    part = {"type": "image_url", "image_url": {"url": url, "detail": "low"}}
    messages: list[Any] = [{"role": "user", "content": [part]}]
    await client.chat.completions.create(model="solo", messages=messages)
    data = {"mimeType": "image/png", "data": "iVBORw0KGgo="}
    assert (await google.request()).body["contents"] == [
        {"role": "user", "parts": [{"inlineData": data}]}
    ]


@pytest.mark.parametrize(
    ("finish", "expected"),
    [("length", "length"), ("SAFETY", "content_filter"), ("RECITATION", "content_filter")],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_finishes(
    client: AsyncOpenAI, google: GeminiProvider, finish: str, expected: str, stream: bool
) -> None:
    google.always(Ok("All", finish=finish))
    if stream:
        found = (await chunks_of(client))[-1].choices[0].finish_reason
    else:
        answer = await client.chat.completions.create(model="solo", messages=HI)
        found = answer.choices[0].finish_reason
    assert found == expected


async def test_a_blocked_prompt_is_answered_by_the_filter(
    client: AsyncOpenAI, google: GeminiProvider
) -> None:
    body = b'{"promptFeedback": {"blockReason": "SAFETY"},"usageMetadata": {"promptTokenCount": 7}}'
    google.queue(
        Raw((body,), "application/json; charset=UTF-8"), Raw((b"data: " + body + b"\r\n\r\n",))
    )
    plain = await client.chat.completions.create(model="fast", messages=HI)
    assert plain.choices[0].finish_reason == "content_filter"
    chunks = await chunks_of(client, model="fast")
    assert chunks[-1].choices[0].finish_reason == "content_filter"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "behaviour",
    [
        EMPTY,
        Ok("", finish="MALFORMED_FUNCTION_CALL"),
        KEY_INVALID,
        limited("17s"),
        Status(404),
        Status(499),
        Status(503),
        Status(400, "User location is not supported for the API use.", "FAILED_PRECONDITION"),
        Broken("end", 0),
        Broken("error", 0),
        Broken("malformed", 0),
        Broken("reset", 0),
    ],
    ids=str,
)
async def test_before_the_first_word_another_takes_over(
    plane: Plane, google: GeminiProvider, behaviour: Any, stream: bool
) -> None:
    google.always(behaviour)
    plane.backup.always(Ok("Here."))
    async with plane.client() as client:
        if stream:
            chunks = await chunks_of(client, model="fast")
            text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        else:
            answer = await client.chat.completions.create(model="fast", messages=HI)
            text = answer.choices[0].message.content or ""
    assert text == "Here."


async def listen(stream: AsyncIterable[ChatCompletionChunk], said: list[str]) -> None:
    async for chunk in stream:
        said.append(chunk.choices[0].delta.content or "")  # noqa: PERF401  # also before an error


@pytest.mark.parametrize("how", ["end", "close", "reset", "error", "malformed"])
async def test_a_stream_cut_half_way_is_no_success(
    client: AsyncOpenAI, google: GeminiProvider, how: Any
) -> None:
    google.always(Broken(how, 2, Ok("All is well.")))
    stream = await client.chat.completions.create(model="fast", messages=HI, stream=True)
    said: list[str] = []
    with pytest.raises(openai.APIError):
        await listen(stream, said)
    assert "".join(said) == "All is "


@pytest.mark.parametrize(
    ("behaviour", "kind", "code"),
    [
        (Status(400, "Bad tool."), openai.BadRequestError, None),
        (Status(400, TOO_LONG), openai.BadRequestError, "context_length_exceeded"),
        (KEY_INVALID, openai.InternalServerError, "upstream_credentials_exhausted"),
        (limited("17.5s"), openai.RateLimitError, "rate_limit_exceeded"),
    ],
    ids=["arguments", "too long", "key", "quota"],
)
async def test_errors(
    client: AsyncOpenAI,
    google: GeminiProvider,
    behaviour: Status,
    kind: type[openai.APIStatusError],
    code: str | None,
) -> None:
    google.always(behaviour)
    with pytest.raises(kind) as caught:
        await client.chat.completions.create(model="solo", messages=HI)
    assert caught.value.code == code
    assert GOOGLE_KEY not in str(caught.value)


async def test_the_wait_that_google_tells_reaches_the_client(
    client: AsyncOpenAI, google: GeminiProvider
) -> None:
    google.always(limited("17.5s"))
    with pytest.raises(openai.RateLimitError) as caught:
        await client.chat.completions.create(model="solo", messages=HI)
    headers = caught.value.response.headers
    assert 17_000 < int(headers["retry-after-ms"]) <= 17_500
    assert headers["retry-after"] == "18"


async def test_what_gemini_cannot_be_told_goes_to_who_can(
    plane: Plane, client: AsyncOpenAI, google: GeminiProvider
) -> None:
    plane.backup.always(Ok("Here."))
    answer = await client.chat.completions.create(model="fast", messages=HI, logit_bias={"5": 1})
    assert answer.choices[0].message.content == "Here."
    with pytest.raises(openai.BadRequestError) as caught:
        await client.chat.completions.create(model="solo", messages=HI, logit_bias={"5": 1})
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "logit_bias")
    assert google.requests == []


async def test_several_choices_and_their_logprobs(
    client: AsyncOpenAI, google: GeminiProvider
) -> None:
    google.always(Ok("All is well."))
    chunks = await chunks_of(client, n=2, logprobs=True, top_logprobs=2)
    texts = {0: "", 1: ""}
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == {0: "All is well.", 1: "All is well."}
    config = (await google.request()).body["generationConfig"]
    assert config == {
        "candidateCount": 2,
        "responseLogprobs": True,
        "logprobs": 2,
        "maxOutputTokens": 4_096,
    }
