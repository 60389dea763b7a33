"""OpenAI's own client with responses, against a whole sidecar."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import BaseModel

from penstock_cli.stub import Ok, Raw, Tokens, ToolCall
from tests.clients.openai_house import OpenAiHouse, running_openai_house

PIXEL = "data:image/png;base64,iVBORw0KGgo="
WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "description": "Of a place",
    "parameters": {
        "type": "object",
        "properties": {"place": {"type": "string"}},
        "required": ["place"],
        "additionalProperties": False,
    },
    "strict": True,
}
CALLS = (ToolCall("weather", '{"place":"Oslo"}', "call_1"), ToolCall("weather", "{}", "call_2"))
EVERYWHERE = pytest.mark.parametrize("tier", ["gpt", "copy", "llama"])
TRANSLATED = pytest.mark.parametrize("tier", ["copy", "llama"])


class Place(BaseModel):
    name: str
    people: int


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[OpenAiHouse]:
    async with running_openai_house(tmp_path, None) as running:
        yield running


def always(house: OpenAiHouse, behaviour: Any) -> None:
    for stub in (house.openai, house.copy, house.ollama):
        stub.always(behaviour)


def whole(response: Response) -> dict[str, Any]:
    """Without what differs from call to call."""
    document = json.loads(response.to_json())
    assert document.pop("id").startswith("resp_")
    assert document.pop("created_at") > 0
    for item in document["output"]:
        assert item.pop("id").startswith({"message": "msg_", "reasoning": "rs_"}[item["type"]])
    assert isinstance(document, dict)
    return document


@EVERYWHERE
async def test_a_question_is_answered(house: OpenAiHouse, tier: str) -> None:
    always(house, Ok("All is well.", usage=Tokens(7, 3)))
    async with house.client() as client:
        response = await client.responses.create(model=tier, input="How are you?")
    assert response.output_text == "All is well."
    assert response.status == "completed"
    assert response.usage
    assert (response.usage.input_tokens, response.usage.output_tokens) == (7, 3)
    assert response.usage.total_tokens == 10


async def test_the_whole_document_says_what_was_asked(house: OpenAiHouse) -> None:
    house.copy.always(Ok("Yes", usage=Tokens(7, 1, cached=4, reasoning=1)))
    async with house.client() as client:
        response = await client.responses.create(
            model="copy",
            input="Well?",
            instructions="Be brief.",
            max_output_tokens=20,
            metadata={"a": "b"},
            temperature=0.5,
            user="ada",
            store=False,
        )
    assert whole(response) == {
        "object": "response",
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": "Be brief.",
        "max_output_tokens": 20,
        "max_tool_calls": None,
        "metadata": {"a": "b"},
        "model": "upstream-copied",
        "output": [
            {
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [
                    {"type": "output_text", "annotations": [], "logprobs": [], "text": "Yes"}
                ],
            }
        ],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": None,
        "service_tier": None,
        "store": False,
        "temperature": 0.5,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_logprobs": None,
        "top_p": None,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 7,
            "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
            "output_tokens": 1,
            "output_tokens_details": {"reasoning_tokens": 1},
            "total_tokens": 8,
        },
        "user": "ada",
    }


@EVERYWHERE
async def test_the_client_puts_a_stream_together(house: OpenAiHouse, tier: str) -> None:
    always(house, Ok("one two three", usage=Tokens(7, 3)))
    async with (
        house.client() as client,
        client.responses.stream(model=tier, input="Count") as stream,
    ):
        events = [event async for event in stream]
        final = await stream.get_final_response()
    assert final.output_text == "one two three"
    assert final.usage
    assert final.usage.output_tokens == 3
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert [event.type for event in events] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        *["response.output_text.delta"] * 3,
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]


@TRANSLATED
async def test_a_stream_ends_with_what_a_plain_answer_is(house: OpenAiHouse, tier: str) -> None:
    always(house, Ok("Yes, it is.", reasoning="Is it?", usage=Tokens(7, 3)))
    async with house.client() as client:
        plain = await client.responses.create(model=tier, input="Is it?")
        stream = await client.responses.create(model=tier, input="Is it?", stream=True)
        last = [event async for event in stream][-1]
    assert last.type == "response.completed"
    streamed = whole(last.response)
    thought = streamed["output"][0]["summary"][0]
    thought["text"] = thought["text"].strip()  # the stub ends each word with a space
    assert streamed == whole(plain)


@EVERYWHERE
async def test_tools_are_called_and_answered(house: OpenAiHouse, tier: str) -> None:
    always(house, Ok("", tool_calls=CALLS))
    async with house.client() as client:
        first = await client.responses.create(model=tier, input="Weather?", tools=[WEATHER])
        calls = [item for item in first.output if item.type == "function_call"]
        assert [(call.name, json.loads(call.arguments)) for call in calls] == [
            ("weather", {"place": "Oslo"}),
            ("weather", {}),
        ]
        assert len({call.call_id for call in calls}) == 2
        always(house, Ok("Cold."))
        outputs = [
            {"type": "function_call_output", "call_id": call.call_id, "output": "-3"}
            for call in calls
        ]
        second = await client.responses.create(
            model=tier,
            input=[{"role": "user", "content": "Weather?"}, *first.output, *outputs],  # type: ignore[list-item]  # as the guide says
            tools=[WEATHER],
        )
    assert second.output_text == "Cold."


@EVERYWHERE
async def test_calls_are_streamed_with_their_arguments(house: OpenAiHouse, tier: str) -> None:
    always(house, Ok("Let me see.", tool_calls=CALLS))
    async with (
        house.client() as client,
        client.responses.stream(model=tier, input="Weather?", tools=[WEATHER]) as stream,
    ):
        events = [event async for event in stream]
        final = await stream.get_final_response()
    done = [e for e in events if e.type == "response.function_call_arguments.done"]
    assert [json.loads(event.arguments) for event in done] == [{"place": "Oslo"}, {}]
    snapshots = {
        event.item_id: event.snapshot
        for event in events
        if event.type == "response.function_call_arguments.delta"
    }
    assert snapshots == {event.item_id: event.arguments for event in done}
    assert [item.type for item in final.output] == ["message", "function_call", "function_call"]
    parsed = [item.parsed_arguments for item in final.output if item.type == "function_call"]
    assert parsed == [{"place": "Oslo"}, {}]


@EVERYWHERE
async def test_an_answer_by_a_schema_is_parsed(house: OpenAiHouse, tier: str) -> None:
    always(house, Ok('{"name": "Oslo", "people": 717710}'))
    async with house.client() as client:
        response = await client.responses.parse(model=tier, input="Oslo?", text_format=Place)
    assert response.output_parsed == Place(name="Oslo", people=717710)


async def test_a_schema_reaches_each_kind_of_provider(house: OpenAiHouse) -> None:
    always(house, Ok('{"name": "Oslo", "people": 717710}'))
    async with house.client() as client:
        for tier in ("gpt", "copy", "llama"):
            await client.responses.parse(model=tier, input="Oslo?", text_format=Place)
    passed = (await house.openai.request()).body["text"]
    schema = passed["format"]["schema"]  # type: ignore[index]
    assert (await house.copy.request()).body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "Place", "schema": schema, "strict": True},
    }
    assert (await house.ollama.request()).body["format"] == schema


@EVERYWHERE
async def test_pictures_are_seen(house: OpenAiHouse, tier: str) -> None:
    content: Any = [
        {"type": "input_text", "text": "What is it?"},
        {"type": "input_image", "image_url": PIXEL, "detail": "low"},
    ]
    async with house.client() as client:
        await client.responses.create(model=tier, input=[{"role": "user", "content": content}])
    stub = {"gpt": house.openai, "copy": house.copy, "llama": house.ollama}[tier]
    body = (await stub.request()).body
    seen = {
        "gpt": body.get("input"),
        "copy": body.get("messages"),
        "llama": body.get("messages"),
    }[tier]
    assert (
        seen
        == {
            "gpt": [{"role": "user", "content": content}],
            "copy": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is it?"},
                        {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
                    ],
                }
            ],
            "llama": [{"role": "user", "content": "What is it?", "images": ["iVBORw0KGgo="]}],
        }[tier]
    )


@EVERYWHERE
async def test_thoughts_are_told_as_a_summary(house: OpenAiHouse, tier: str) -> None:
    always(house, Ok("Yes", reasoning="Is it? It is."))
    async with (
        house.client() as client,
        client.responses.stream(
            model=tier, input="Is it?", reasoning={"effort": "low", "summary": "auto"}
        ) as stream,
    ):
        events = [event async for event in stream]
        final = await stream.get_final_response()
    thought = final.output[0]
    assert thought.type == "reasoning"
    assert thought.summary[0].text.strip() == "Is it? It is."
    assert final.output_text == "Yes"
    kinds = [event.type for event in events]
    assert kinds.index("response.reasoning_summary_text.done") < kinds.index(
        "response.output_text.delta"
    )


async def test_a_refusal_is_one(house: OpenAiHouse) -> None:
    always(house, Ok("", refusal="I will not."))
    async with house.client() as client:
        for tier in ("gpt", "copy"):
            stream = await client.responses.create(model=tier, input="Do!", stream=True)
            events: list[ResponseStreamEvent] = [event async for event in stream]
            done = next(event for event in events if event.type == "response.refusal.done")
            assert done.refusal.strip() == "I will not."


@EVERYWHERE
async def test_an_answer_that_is_cut_is_incomplete(house: OpenAiHouse, tier: str) -> None:
    always(house, Ok("one two three four"))
    async with house.client() as client:
        plain = await client.responses.create(model=tier, input="Count", max_output_tokens=2)
        stream = await client.responses.create(
            model=tier, input="Count", max_output_tokens=2, stream=True
        )
        last = [event async for event in stream][-1]
    assert last.type == "response.incomplete"
    for response in (plain, last.response):
        assert response.status == "incomplete"
        assert response.incomplete_details
        assert response.incomplete_details.reason == "max_output_tokens"
        assert response.output_text == "one two "


async def test_bytes_pass_but_for_the_model_s_name(house: OpenAiHouse) -> None:
    asked: Any = {"input": "Hi", "what_comes_next_year": {"a": [1]}, "max_output_tokens": 9}
    async with house.client() as client:
        await client.post("/responses", body={"model": "gpt", **asked}, cast_to=object)
    seen = await house.openai.request()
    assert seen.path == "/v1/responses"
    assert seen.body == {"model": "upstream-gpt", **asked}


async def test_a_picture_comes_in_one_event_however_large(house: OpenAiHouse) -> None:
    picture = "iVBORw0KGgo=" * 250_000
    begun = {"type": "image_generation_call", "id": "ig_1", "status": "in_progress"}
    call = {**begun, "status": "completed", "result": picture}
    response = {"id": "resp_1", "object": "response", "status": "completed", "output": [call]}
    said: tuple[dict[str, Any], ...] = (
        {"type": "response.output_item.added", "output_index": 0, "item": begun},
        {"type": "response.output_item.done", "output_index": 0, "item": call},
        {"type": "response.completed", "response": response},
    )
    house.openai.always(Raw(tuple(_event(number, event) for number, event in enumerate(said))))
    async with house.client() as client:
        asked = await client.responses.create(
            model="gpt", input="Draw.", tools=[{"type": "image_generation"}], stream=True
        )
        _, done, completed = [event async for event in asked]
    assert done.type == "response.output_item.done"
    assert done.item.type == "image_generation_call"
    assert done.item.result == picture
    assert completed.type == "response.completed"


def _event(number: int, event: dict[str, Any]) -> bytes:
    document = json.dumps({**event, "sequence_number": number})
    return f"event: {event['type']}\ndata: {document}\n\n".encode()
