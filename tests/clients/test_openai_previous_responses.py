"""`previous_response_id`, with OpenAI's own client against whole sidecars that share a Redis."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from openai import APIStatusError, BadRequestError, NotFoundError
from openai.types.responses import Response

from penstock_cli.stub import Ok, Status, StubProvider, ToolCall
from penstock_config.cache import Cache
from tests.clients.openai_house import OpenAiHouse, running_openai_house
from tests.planes.relay import Relay, relay
from tests.planes.shipped import running

EVERYWHERE = pytest.mark.parametrize("tier", ["gpt", "copy", "llama"])
TRANSLATED = pytest.mark.parametrize("tier", ["copy", "llama"])
FIRST, ANSWER, SECOND = "I am Ada.", "Good day, Ada.", "Who am I?"
SAID = [
    {"role": "user", "content": FIRST},
    {"role": "assistant", "content": ANSWER},
    {"role": "user", "content": SECOND},
]
GREETED = {"type": "message", "role": "assistant", "content": ANSWER}


@pytest.fixture
async def house(tmp_path: Path, redis_url: str) -> AsyncIterator[OpenAiHouse]:
    async with running_openai_house(tmp_path, redis_url) as house:
        yield house


def stub_of(house: OpenAiHouse, tier: str) -> StubProvider:
    return {"gpt": house.openai, "copy": house.copy, "llama": house.ollama}[tier]


async def told(stub: StubProvider) -> list[dict[str, Any]]:
    """What the provider's last request held, in one form for both dialects."""
    body = stub.requests[-1].body
    found = body.get("messages") or body.get("input")
    assert isinstance(found, list)
    return [{"role": each["role"], "content": each["content"]} for each in found]


@EVERYWHERE
@pytest.mark.parametrize("stream", [False, True])
async def test_another_sidecar_goes_on_from_a_response(
    house: OpenAiHouse, tier: str, stream: bool
) -> None:
    stub = stub_of(house, tier)
    stub.always(Ok(ANSWER))
    async with (
        running(house.folder, APP="shop") as (_, ports),
        house.client() as here,
        house.client(ports.application) as there,
    ):
        first: Response
        if stream:
            async with here.responses.stream(model=tier, input=FIRST) as events:
                first = await events.get_final_response()
        else:
            first = await here.responses.create(model=tier, input=FIRST)
        second = await there.responses.create(
            model=tier, input=SECOND, previous_response_id=first.id
        )
        assert await told(stub) == SAID
        await here.responses.create(model=tier, input="And?", previous_response_id=second.id)
    assert await told(stub) == [
        *SAID,
        {"role": "assistant", "content": ANSWER},
        {"role": "user", "content": "And?"},
    ]
    assert "previous_response_id" not in stub.requests[-1].body


@TRANSLATED
async def test_the_answer_names_the_response_it_goes_on_from(house: OpenAiHouse, tier: str) -> None:
    async with house.client() as client:
        first = await client.responses.create(model=tier, input=FIRST)
        second = await client.responses.create(
            model=tier, input=SECOND, previous_response_id=first.id
        )
    assert second.previous_response_id == first.id


async def test_instructions_are_not_carried_over(house: OpenAiHouse) -> None:
    house.copy.always(Ok(ANSWER))
    async with house.client() as client:
        first = await client.responses.create(model="copy", input=FIRST, instructions="Old.")
        await client.responses.create(
            model="copy", input=SECOND, instructions="New.", previous_response_id=first.id
        )
    assert await told(house.copy) == [{"role": "system", "content": "New."}, *SAID]


async def test_a_conversation_moves_from_one_provider_to_another(house: OpenAiHouse) -> None:
    house.openai.always(Ok(ANSWER, reasoning="Ada, then."))
    async with house.client() as client:
        first = await client.responses.create(model="gpt", input=FIRST)
        second = await client.responses.create(
            model="llama", input=SECOND, previous_response_id=first.id
        )
        await client.responses.create(model="gpt", input="And?", previous_response_id=second.id)
    assert await told(house.ollama) == SAID
    assert house.openai.requests[-1].body["input"] == [
        {"role": "user", "content": FIRST},
        GREETED,
        {"role": "user", "content": SECOND},
        {
            "type": "message",
            "role": "assistant",
            "content": "This is upstream-llama speaking.",
        },
        {"role": "user", "content": "And?"},
    ]


@EVERYWHERE
async def test_results_alone_follow_a_kept_call(house: OpenAiHouse, tier: str) -> None:
    stub = stub_of(house, tier)
    stub.always(Ok("", tool_calls=(ToolCall("weather", '{"place":"Oslo"}', "call_1"),)))
    tools: Any = [{"type": "function", "name": "weather", "parameters": {"type": "object"}}]
    async with house.client() as client:
        first = await client.responses.create(model=tier, input="Weather?", tools=tools)
        call = next(item for item in first.output if item.type == "function_call")
        stub.always(Ok("Cold."))
        result: Any = {"type": "function_call_output", "call_id": call.call_id, "output": "-3"}
        second = await client.responses.create(
            model=tier, input=[result], previous_response_id=first.id, tools=tools
        )
    assert second.output_text == "Cold."
    body = stub.requests[-1].body
    if tier == "gpt":
        assert body["input"] == [
            {"role": "user", "content": "Weather?"},
            {
                "type": "function_call",
                "call_id": "call_1",
                "name": "weather",
                "arguments": '{"place":"Oslo"}',
            },
            result,
        ]
    else:
        messages: Any = body["messages"]
        assert [message["role"] for message in messages] == ["user", "assistant", "tool"]
        assert messages[2]["content"] == "-3"


async def test_an_item_that_has_no_words_elsewhere_is_named_as_the_caller_sent_it(
    house: OpenAiHouse,
) -> None:
    async with house.client() as client:
        first = await client.responses.create(model="llama", input=FIRST)
        with pytest.raises(BadRequestError, match=r"`input\[0\]\.type` cannot") as caught:
            await client.responses.create(
                model="llama",
                input=[{"type": "item_reference", "id": "msg_1"}],
                previous_response_id=first.id,
            )
    assert caught.value.param == "input[0].type"


async def test_what_is_not_to_be_stored_is_not_kept(house: OpenAiHouse) -> None:
    async with house.client() as client:
        first = await client.responses.create(model="llama", input=FIRST, store=False)
        with pytest.raises(BadRequestError) as caught:
            await client.responses.create(
                model="llama", input=SECOND, previous_response_id=first.id
            )
    assert caught.value.code == "previous_response_not_found"
    assert caught.value.param == "previous_response_id"
    assert f"Previous response with id '{first.id}' not found." in caught.value.message


async def test_a_provider_that_serves_responses_may_know_what_we_do_not(
    house: OpenAiHouse,
) -> None:
    async with house.client() as client:
        second = await client.responses.create(
            model="gpt", input=SECOND, previous_response_id="resp_of_last_week"
        )
        assert house.openai.requests[-1].body["previous_response_id"] == "resp_of_last_week"
        await client.responses.create(model="gpt", input="And?", previous_response_id=second.id)
    assert house.openai.requests[-1].body["previous_response_id"] == second.id
    assert house.openai.requests[-1].body["input"] == "And?"


async def test_a_provider_s_word_that_it_knows_nothing_is_passed_on(house: OpenAiHouse) -> None:
    house.openai.always(
        Status(
            400,
            message="Previous response with id 'resp_x' not found.",
            error_code="previous_response_not_found",
            param="previous_response_id",
        )
    )
    async with house.client() as client:
        with pytest.raises(BadRequestError) as caught:
            await client.responses.create(model="any", input=SECOND, previous_response_id="resp_x")
    assert caught.value.code == "previous_response_not_found"


@pytest.mark.parametrize(
    ("scope", "app", "user", "found"),
    [
        ("App", "shop", "eve", True),
        ("App", "other", "ada", False),
        ("User", "shop", "ada", True),
        ("User", "shop", "eve", False),
        ("User", "other", "ada", False),
        ("Namespace", "other", "eve", True),
    ],
)
async def test_the_policy_s_scope_says_who_may_go_on(
    tmp_path: Path, redis_url: str, scope: Any, app: str, user: str, found: bool
) -> None:
    async with (
        running_openai_house(tmp_path, redis_url, cache=Cache(scope=scope)) as house,
        running(tmp_path, APP=app) as (_, ports),
        house.client() as ada,
        house.client(ports.application) as other,
    ):
        house.openai.always(Ok(ANSWER))
        first = await ada.responses.create(model="gpt", input=FIRST, safety_identifier="ada")
        asked: Any = {"model": "gpt", "input": SECOND, "user": user}
        if found:
            await other.responses.create(**asked, previous_response_id=first.id)
            assert await told(house.openai) == SAID
        else:
            with pytest.raises(BadRequestError) as caught:
                await other.responses.create(**asked, previous_response_id=first.id)
            assert caught.value.code == "previous_response_not_found"
            assert len(house.openai.requests) == 1, "nor is the provider asked for him"


@pytest.mark.parametrize("how", ["cut", "frozen"])
async def test_with_redis_away_it_is_said_at_once(tmp_path: Path, redis_url: str, how: str) -> None:
    async with (
        relay(redis_url) as redis,
        running_openai_house(tmp_path, redis.url) as house,
        house.client(timeout=10) as client,
    ):
        first = await client.responses.create(model="llama", input=FIRST)
        await away(redis, how)
        with pytest.raises(APIStatusError) as caught:
            await client.responses.create(
                model="llama", input=SECOND, previous_response_id=first.id
            )
        assert (caught.value.status_code, caught.value.code) == (503, "responses_unavailable")
        assert caught.value.response.headers["retry-after"]
        lone = await client.responses.create(model="llama", input="Hi")
    assert lone.output_text == "This is upstream-llama speaking."


async def away(redis: Relay, how: str) -> None:
    if how == "cut":
        await redis.cut()
    else:
        redis.freeze()


async def test_a_kept_response_can_be_read_again_and_forgotten(house: OpenAiHouse) -> None:
    async with house.client() as client:
        first = await client.responses.create(model="llama", input=FIRST)
        again = await client.responses.retrieve(first.id)
        assert again.to_dict() == first.to_dict()
        await client.responses.delete(first.id)
        for ask in (client.responses.retrieve, client.responses.delete):
            with pytest.raises(NotFoundError, match=f"Response with id '{first.id}' not found"):
                await ask(first.id)
        with pytest.raises(BadRequestError) as caught:
            await client.responses.create(model="llama", input="?", previous_response_id=first.id)
    assert caught.value.code == "previous_response_not_found"


async def test_what_is_kept_is_whole_and_nothing_lies_below_it(house: OpenAiHouse) -> None:
    async with house.client() as client:
        first = await client.responses.create(model="llama", input=FIRST)
        with pytest.raises(BadRequestError) as caught:
            await client.responses.retrieve(first.id, stream=True)
        assert caught.value.param == "stream"
        with pytest.raises(NotFoundError) as unknown:
            await client.responses.input_items.list(first.id)
        assert unknown.value.code == "unknown_url"


async def test_another_app_s_response_is_not_found(house: OpenAiHouse) -> None:
    async with (
        running(house.folder, APP="other") as (_, ports),
        house.client() as here,
        house.client(ports.application) as there,
    ):
        first = await here.responses.create(model="llama", input=FIRST)
        with pytest.raises(NotFoundError):
            await there.responses.delete(first.id)
        assert (await here.responses.retrieve(first.id)).id == first.id
