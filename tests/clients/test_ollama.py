"""The official `ollama` client, pointed at a sidecar instead of an Ollama, whoever provides."""

import asyncio
from base64 import b64decode
from typing import Any

import aiohttp
import ollama
from pydantic import BaseModel

from penstock_cli.stub import Ok, Raw, Status, ToolCall
from penstock_cli.stub.ollama import CREATED_AT
from tests.clients.house import House
from tests.clients.ollama_given import HI, SPOKEN, add, always, every_provider, translated
from tests.sidecar.dialects.ollama.given import PNG

CALLS = (ToolCall("add", '{"a":1,"b":2}', "c1"), ToolCall("add", '{"a":3,"b":4}', "c2"))


class Country(BaseModel):
    name: str
    capital: str


@every_provider
async def test_a_chat_is_answered(
    house: House, ollama_client: ollama.AsyncClient, tier: str
) -> None:
    always(house, SPOKEN)
    answer = await ollama_client.chat(tier, HI)
    assert answer.message.content == "All is well."
    assert (answer.message.role, answer.done, answer.done_reason) == ("assistant", True, "stop")
    assert (answer.prompt_eval_count, answer.eval_count) == (7, 3)
    assert answer.total_duration
    assert answer.eval_duration


@every_provider
async def test_a_chat_is_streamed(
    house: House, ollama_client: ollama.AsyncClient, tier: str
) -> None:
    always(house, SPOKEN)
    parts = [part async for part in await ollama_client.chat(tier, HI, stream=True)]
    assert [part.message.content for part in parts] == ["All ", "is ", "well.", ""]
    assert [part.done for part in parts] == [False, False, False, True]
    last = parts[-1]
    assert (last.done_reason, last.prompt_eval_count, last.eval_count) == ("stop", 7, 3)
    assert last.prompt_eval_duration
    assert last.eval_duration


@every_provider
async def test_a_prompt_is_completed(
    house: House, ollama_client: ollama.AsyncClient, tier: str
) -> None:
    always(house, SPOKEN)
    answer = await ollama_client.generate(tier, "Hi", system="Be brief.")
    assert (answer.response, answer.done_reason, answer.eval_count) == ("All is well.", "stop", 3)
    parts = [part async for part in await ollama_client.generate(tier, "Hi", stream=True)]
    assert [part.response for part in parts] == ["All ", "is ", "well.", ""]
    assert (parts[-1].done, parts[-1].eval_count) == (True, 3)


@every_provider
async def test_tools_are_called_and_answered(
    house: House, ollama_client: ollama.AsyncClient, tier: str
) -> None:
    """The client's own conversation, as its documentation has it: ids get lost in it."""
    always(house, Ok("", tool_calls=CALLS))
    answer = await ollama_client.chat(tier, HI, tools=[add])
    parts = [part async for part in await ollama_client.chat(tier, HI, tools=[add], stream=True)]
    streamed = [call for part in parts for call in part.message.tool_calls or ()]
    called = [(c.function.name, c.function.arguments) for c in answer.message.tool_calls or ()]
    assert called == [("add", {"a": 1, "b": 2}), ("add", {"a": 3, "b": 4})]
    assert streamed == list(answer.message.tool_calls or ())
    always(house, Ok("3 and 7."))
    results = [
        {"role": "tool", "tool_name": name, "content": str(add(**arguments))}
        for name, arguments in called
    ]
    final = await ollama_client.chat(tier, [*HI, answer.message, *results], tools=[add])
    assert final.message.content == "3 and 7."


async def test_openai_sees_which_result_answers_which_call(
    house: House, ollama_client: ollama.AsyncClient
) -> None:
    call = {"function": {"name": "add", "arguments": {"a": 1, "b": 2}}}
    conversation = [
        *HI,
        {"role": "assistant", "tool_calls": [call, call]},
        {"role": "tool", "tool_name": "add", "content": "3"},
        {"role": "tool", "tool_name": "add", "content": "4"},
    ]
    await ollama_client.chat("gpt", conversation, tools=[add])
    body: Any = (await house.openai.request()).body
    made = [(c["id"], c["function"]["arguments"]) for c in body["messages"][1]["tool_calls"]]
    assert made == [("call_1_0", '{"a":1,"b":2}'), ("call_1_1", '{"a":1,"b":2}')]
    assert body["messages"][2:] == [
        {"role": "tool", "tool_call_id": "call_1_0", "content": "3"},
        {"role": "tool", "tool_call_id": "call_1_1", "content": "4"},
    ]
    (tool,) = body["tools"]
    assert tool["function"]["name"] == "add"
    assert tool["function"]["parameters"]["required"] == ["a", "b"]


@every_provider
async def test_an_answer_comes_by_a_schema(
    house: House, ollama_client: ollama.AsyncClient, tier: str
) -> None:
    always(house, Ok('{"name":"Canada","capital":"Ottawa"}'))
    answer = await ollama_client.chat(tier, HI, format=Country.model_json_schema())
    country = Country.model_validate_json(answer.message.content or "")
    assert country == Country(name="Canada", capital="Ottawa")
    generated = await ollama_client.generate(tier, "Hi", format=Country.model_json_schema())
    assert Country.model_validate_json(generated.response or "") == country


async def test_providers_are_told_the_schema(
    house: House, ollama_client: ollama.AsyncClient
) -> None:
    schema = Country.model_json_schema()
    await ollama_client.chat("gpt", HI, format=schema)
    await ollama_client.chat("llama", HI, format=schema)
    await ollama_client.chat("gpt", HI, format="json")
    told = [request.body["response_format"] for request in house.openai.requests]
    assert told == [
        {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
        {"type": "json_object"},
    ]
    assert (await house.ollama.request()).body["format"] == schema


async def test_pictures_are_seen(house: House, ollama_client: ollama.AsyncClient) -> None:
    picture = ollama.Image(value=b64decode(PNG))
    shown = [{"role": "user", "content": "What is it?", "images": [picture]}]
    await ollama_client.chat("gpt", shown)
    await ollama_client.generate("gpt", "What is it?", images=[picture])
    parts = [
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "text", "text": "What is it?"},
    ]
    for request in house.openai.requests:
        assert request.body["messages"] == [{"role": "user", "content": parts}]
    await ollama_client.chat("llama", shown)
    messages: Any = (await house.ollama.request()).body["messages"]
    assert messages[0]["images"] == [PNG]


@every_provider
async def test_thoughts_are_told_apart(
    house: House, ollama_client: ollama.AsyncClient, tier: str
) -> None:
    always(house, Ok("Yes", reasoning="Well."))
    answer = await ollama_client.chat(tier, HI, think=True)
    assert (answer.message.thinking, answer.message.content) == ("Well.", "Yes")
    generated = await ollama_client.generate(tier, "Hi", think=True)
    assert (generated.thinking, generated.response) == ("Well.", "Yes")
    parts = [part async for part in await ollama_client.chat(tier, HI, think=True, stream=True)]
    assert "".join(part.message.thinking or "" for part in parts).strip() == "Well."


async def test_options_reach_the_provider(house: House, ollama_client: ollama.AsyncClient) -> None:
    options = {"temperature": 0.2, "seed": 7, "stop": ["END"], "num_predict": 9, "num_ctx": 1_024}
    await ollama_client.chat("gpt", HI, options=options, keep_alive="24h", think="low")
    body = (await house.openai.request()).body
    assert {n: v for n, v in body.items() if n not in {"model", "messages", "stream"}} == {
        "temperature": 0.2,
        "seed": 7,
        "stop": ["END"],
        "max_tokens": 9,
        "reasoning_effort": "low",
    }
    await ollama_client.chat("llama", HI, options=options, keep_alive="24h")
    body = (await house.ollama.request()).body
    del options["num_ctx"]
    assert body["options"] == options
    assert "keep_alive" not in body


async def test_at_an_ollama_bytes_pass(house: House) -> None:
    """What the caller sent, and what the provider answered: unknown fields and odd spaces too."""
    config = house.config()
    providers = [
        provider.model_copy(
            update={
                "models": tuple(
                    m.model_copy(update={"upstream_name": m.name, "max_output_tokens": None})
                    for m in provider.models
                )
            }
        )
        for provider in config.providers
    ]
    await house.publish(config.model_copy(update={"providers": tuple(providers)}))
    sent = {
        "/api/chat": b'{ "model":"llama", "messages":[{"role":"user","content":"Hi"}], "x":[1]}',
        "/api/generate": b'{ "model":"llama", "prompt":"Hi", "raw" : true, "context": [1,2]}',
    }
    answered = (
        b'{"model":"llama","created_at":"' + CREATED_AT.encode() + b'","response":"Hi",'
        b' "message":{"role":"assistant","content":"Hi"},"x_new":1,"done":false}\n'
        b'{"model":"llama","response":"","message":{},"done":true,"eval_count":1,"context":[1]}\n'
    )
    house.ollama.always(Raw((answered[:40], answered[40:]), "application/x-ndjson"))
    async with aiohttp.ClientSession() as session:
        for path, body in sent.items():
            async with session.post(house.url + path, data=body) as response:
                assert response.headers["content-type"] == "application/x-ndjson"
                assert await response.read() == answered
    assert [(r.path, r.raw) for r in house.ollama.requests] == list(sent.items())


async def test_without_a_client_a_stream_is_what_one_gets(house: House) -> None:
    """`stream` absent means true here."""
    always(house, Ok("Yes"))
    body = b'{"model":"gpt","prompt":"Hi"}'
    url = f"{house.url}/api/generate"
    async with aiohttp.ClientSession() as session, session.post(url, data=body) as response:
        assert response.headers["content-type"] == "application/x-ndjson"
        lines = (await response.read()).splitlines()
    assert len(lines) == 2
    assert (await house.openai.request()).body["stream"] is True


@translated
async def test_line_separators_in_a_text_break_no_stream(
    house: House, ollama_client: ollama.AsyncClient, tier: str
) -> None:
    """The client would cut a line at one that is not escaped."""
    text = "zero\u0085one\u2028two\u2029three"
    always(house, Ok(text))
    parts = [part async for part in await ollama_client.chat(tier, HI, stream=True)]
    assert "".join(part.message.content or "" for part in parts) == text


@every_provider
async def test_the_synchronous_client_is_served_too(house: House, tier: str) -> None:
    always(house, SPOKEN)

    def talk() -> tuple[str | None, str, str | None]:
        with ollama.Client(host=house.url) as sync:
            plain = sync.chat(tier, HI).message.content
            streamed = "".join(
                part.message.content or "" for part in sync.chat(tier, HI, stream=True)
            )
            return plain, streamed, sync.generate(tier, "Hi").response

    assert await asyncio.to_thread(talk) == ("All is well.",) * 3


async def test_the_next_candidate_may_speak_another_dialect(
    house: House, ollama_client: ollama.AsyncClient
) -> None:
    house.anthropic.always(Status(500))
    house.openai.always(SPOKEN)
    parts = [part async for part in await ollama_client.chat("any", HI, stream=True)]
    assert "".join(part.message.content or "" for part in parts) == "All is well."
    assert parts[-1].model == "any"
