"""OpenAI's own client with legacy completions, against a whole sidecar."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from openai import APIError, BadRequestError

from penstock_cli.stub import Broken, Ok, Status, Tokens
from tests.clients.openai_house import OpenAiHouse, running_openai_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[OpenAiHouse]:
    async with running_openai_house(tmp_path, None) as running:
        yield running


EVERYWHERE = pytest.mark.parametrize("tier", ["instruct", "copy", "llama"])


@EVERYWHERE
async def test_a_text_is_gone_on_with(house: OpenAiHouse, tier: str) -> None:
    for stub in (house.openai, house.copy, house.ollama):
        stub.always(Ok(" upon a time", usage=Tokens(5, 3)))
    async with house.client() as client:
        answer = await client.completions.create(model=tier, prompt="Once", max_tokens=9)
    assert answer.object == "text_completion"
    assert answer.id.startswith("cmpl-")
    assert answer.choices[0].to_dict() == {
        "text": " upon a time",
        "index": 0,
        "logprobs": None,
        "finish_reason": "stop",
    }
    assert answer.usage
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 3)


@EVERYWHERE
async def test_a_text_is_streamed(house: OpenAiHouse, tier: str) -> None:
    for stub in (house.openai, house.copy, house.ollama):
        stub.always(Ok("one two three", usage=Tokens(5, 3)))
    async with house.client() as client:
        stream = await client.completions.create(model=tier, prompt="Count", stream=True)
        pieces = [piece async for piece in stream]
    assert [piece.choices[0].text for piece in pieces] == ["one ", "two ", "three", ""]
    assert [piece.choices[0].finish_reason for piece in pieces] == [None, None, None, "stop"]
    assert {piece.object for piece in pieces} == {"text_completion"}


@EVERYWHERE
async def test_usage_comes_last_for_who_asks(house: OpenAiHouse, tier: str) -> None:
    for stub in (house.openai, house.copy, house.ollama):
        stub.always(Ok("one two", usage=Tokens(5, 2)))
    async with house.client() as client:
        stream = await client.completions.create(
            model=tier, prompt="Count", stream=True, stream_options={"include_usage": True}
        )
        pieces = [piece async for piece in stream]
    assert pieces[-1].choices == []
    assert pieces[-1].usage
    assert pieces[-1].usage.completion_tokens == 2
    assert [piece.usage for piece in pieces[:-1]] == [None] * (len(pieces) - 1)


async def test_the_api_s_default_bounds_what_names_no_bound(house: OpenAiHouse) -> None:
    async with house.client() as client:
        for tier in ("instruct", "copy", "llama"):
            await client.completions.create(model=tier, prompt="Once")
    assert (await house.openai.request()).body["max_tokens"] == 16
    assert (await house.copy.request()).body["max_tokens"] == 16
    options = (await house.ollama.request()).body["options"]
    assert options == {"num_predict": 16}


async def test_where_chat_serves_a_prompt_is_one_user_turn(house: OpenAiHouse) -> None:
    async with house.client() as client:
        await client.completions.create(
            model="copy",
            prompt=["Once"],
            n=2,
            stop=["\n"],
            temperature=0.5,
            logprobs=3,
            seed=7,
            user="ada",
        )
    seen = await house.copy.request()
    assert seen.path == "/v1/chat/completions"
    assert seen.body == {
        "model": "upstream-copied",
        "messages": [{"role": "user", "content": "Once"}],
        "max_tokens": 16,
        "n": 2,
        "stop": ["\n"],
        "temperature": 0.5,
        "logprobs": True,
        "top_logprobs": 3,
        "seed": 7,
        "user": "ada",
    }


async def test_an_echo_begins_each_answer(house: OpenAiHouse) -> None:
    house.copy.always(Ok(" upon a time"))
    async with house.client() as client:
        plain = await client.completions.create(model="copy", prompt="Once", echo=True, n=2)
        stream = await client.completions.create(
            model="copy", prompt="Once", echo=True, stream=True
        )
        streamed = [piece.choices[0].text async for piece in stream]
    assert [choice.text for choice in plain.choices] == ["Once upon a time"] * 2
    assert "".join(streamed) == "Once upon a time"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": [1, 2, 3]}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"suffix": "the end"}, "suffix"),
        ({"best_of": 3, "n": 1}, "best_of"),
        ({"echo": True, "logprobs": 1}, "echo"),
        ({"max_tokens": 0, "echo": True}, "max_tokens"),
    ],
)
async def test_what_chat_cannot_say_passes_or_is_named(
    house: OpenAiHouse, fields: dict[str, object], param: str
) -> None:
    house.openai.always(Ok("Once", usage=Tokens(1, 0)))
    asked: dict[str, object] = {"prompt": "Once", **fields}
    async with house.client() as client:
        await client.completions.create(model="instruct", **asked)  # type: ignore[call-overload]  # the test's own
        with pytest.raises(BadRequestError) as caught:
            await client.completions.create(model="copy", **asked)  # type: ignore[call-overload]
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", param)
    seen = await house.openai.request()
    assert seen.path == "/v1/completions"
    assert {name: seen.body[name] for name in fields} == fields


async def test_several_prompts_pass_and_each_has_its_answers(house: OpenAiHouse) -> None:
    async with house.client() as client:
        stream = await client.completions.create(
            model="instruct", prompt=["a", "b"], n=2, stream=True
        )
        pieces = [piece async for piece in stream]
    ends = [piece.choices[0].index for piece in pieces if piece.choices[0].finish_reason]
    assert ends == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "prompt"),
        ({"prompt": []}, "prompt"),
        ({"prompt": "a", "n": 2, "best_of": 1}, "best_of"),
        ({"prompt": "a", "best_of": 2, "stream": True}, "best_of"),
        ({"prompt": "a", "max_tokens": -1}, "max_tokens"),
    ],
)
async def test_a_request_that_is_wrong_is_told_what_to_change(
    house: OpenAiHouse, fields: dict[str, object], param: str
) -> None:
    async with house.client() as client:
        with pytest.raises(BadRequestError) as caught:
            await client.post("/completions", body={"model": "gpt", **fields}, cast_to=object)
    assert caught.value.param == param


async def test_a_stream_that_breaks_says_so_and_has_no_end(house: OpenAiHouse) -> None:
    house.openai.always(Broken("close", after=2, answer=Ok("one two three")))
    texts: list[str] = []
    async with house.client() as client:
        stream = await client.completions.create(model="instruct", prompt="Count", stream=True)

        async def read() -> None:
            async for piece in stream:
                texts.append(piece.choices[0].text)  # noqa: PERF401  # what came before the error

        with pytest.raises(APIError, match="openai/instruct"):
            await read()
    assert texts == ["one ", "two "]


async def test_a_provider_s_refusal_is_passed_on(house: OpenAiHouse) -> None:
    house.openai.always(Status(400, message="No.", param="logit_bias"))
    async with house.client() as client:
        with pytest.raises(BadRequestError, match=r"No\.") as caught:
            await client.completions.create(model="instruct", prompt="Once")
    assert caught.value.param == "logit_bias"
