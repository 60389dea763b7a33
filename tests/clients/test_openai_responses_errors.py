"""What OpenAI's own client is told of responses that cannot be, or end badly."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openai import APIError, BadRequestError
from openai.types.responses import ResponseStreamEvent

from penstock_cli.stub import Broken, Ok, Status
from tests.clients.openai_house import OpenAiHouse, running_openai_house

EVERYWHERE = pytest.mark.parametrize("tier", ["gpt", "copy", "llama"])


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[OpenAiHouse]:
    async with running_openai_house(tmp_path, None) as running:
        yield running


def always(house: OpenAiHouse, behaviour: Any) -> None:
    for stub in (house.openai, house.copy, house.ollama):
        stub.always(behaviour)


async def test_what_other_providers_cannot_say_is_named(house: OpenAiHouse) -> None:
    hosted: Any = {"tools": [{"type": "web_search"}]}
    async with house.client() as client:
        await client.responses.create(model="gpt", input="Hi", **hosted)
        with pytest.raises(BadRequestError) as caught:
            await client.responses.create(model="llama", input="Hi", **hosted)
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "tools[0].type")
    assert (await house.openai.request()).body["tools"] == hosted["tools"]


async def test_another_candidate_may_say_what_the_first_cannot(house: OpenAiHouse) -> None:
    house.openai.always(Ok("Found."))
    async with house.client() as client:
        response = await client.responses.create(
            model="any", input="Find", tools=[{"type": "web_search"}]
        )
    assert response.output_text == "Found."
    assert house.ollama.requests == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "input"),
        ({"input": []}, "input"),
        ({"input": 3}, "input"),
        ({"input": [3]}, "input[0]"),
        ({"input": [{"role": "robot", "content": "Hi"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        ({"input": [{"role": "user", "content": [{}]}]}, "input[0].content[0]"),
        ({"input": "Hi", "background": True}, "background"),
        ({"input": "Hi", "previous_response_id": 7}, "previous_response_id"),
        ({"input": "Hi", "max_output_tokens": "many"}, "max_output_tokens"),
    ],
)
async def test_a_request_that_is_wrong_is_told_what_to_change(
    house: OpenAiHouse, fields: dict[str, object], param: str
) -> None:
    async with house.client() as client:
        with pytest.raises(BadRequestError) as caught:
            await client.post("/responses", body={"model": "gpt", **fields}, cast_to=object)
    assert caught.value.param == param


@EVERYWHERE
async def test_a_stream_that_breaks_ends_with_this_api_s_error(
    house: OpenAiHouse, tier: str
) -> None:
    always(house, Broken("close", after=6, answer=Ok("one two three four five six seven eight")))
    async with house.client() as client:
        stream = await client.responses.create(model=tier, input="Count", stream=True)
        events: list[ResponseStreamEvent] = [event async for event in stream]
    last = events[-1]
    assert last.type == "error"
    assert last.code == "upstream_stream_broken"
    assert last.param is None
    assert last.message
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert "response.completed" not in {event.type for event in events}


@EVERYWHERE
async def test_an_empty_answer_is_an_error(house: OpenAiHouse, tier: str) -> None:
    always(house, Ok(""))
    async with house.client() as client:
        for stream in (False, True):
            with pytest.raises(APIError, match="answered with nothing"):
                await client.responses.create(model=tier, input="Hi", stream=stream)


async def test_a_provider_s_error_within_its_stream_is_one_of_ours(house: OpenAiHouse) -> None:
    house.openai.always(Broken("error", after=5, answer=Ok("one two three")))
    async with house.client() as client:
        stream = await client.responses.create(model="gpt", input="Count", stream=True)
        events: list[ResponseStreamEvent] = [event async for event in stream]
    assert events[-1].type == "error"
    assert events[-1].code == "upstream_stream_broken"


async def test_a_provider_s_refusal_is_passed_on(house: OpenAiHouse) -> None:
    house.openai.always(Status(400, message="No.", param="text.verbosity"))
    async with house.client() as client:
        with pytest.raises(BadRequestError, match=r"No\.") as caught:
            await client.responses.create(model="gpt", input="Hi")
    assert caught.value.param == "text.verbosity"
