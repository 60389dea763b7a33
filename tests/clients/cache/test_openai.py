"""OpenAI's own client gets kept answers of its other APIs, streamed or not (AT17)."""

from typing import Any

import pytest
from openai import APIError, AsyncOpenAI

from penstock_cli.stub import Broken, Ok, StubProvider, Tokens, ToolCall
from tests.clients.cache.given import LONG, MISHAPS, SPOKEN, both
from tests.clients.openai_house import OpenAiHouse
from tests.planes.shipped import running

WEATHER: Any = {
    "type": "function",
    "name": "weather",
    "parameters": {
        "type": "object",
        "properties": {"place": {"type": "string"}},
        "required": ["place"],
        "additionalProperties": False,
    },
    "strict": True,
}
CALLS = (ToolCall("weather", '{"place":"Oslo"}', "call_1"), ToolCall("weather", "{}", "call_2"))
ANSWERS: dict[str, tuple[Ok, dict[str, Any]]] = {
    "text": (SPOKEN, {}),
    "long text": (Ok(LONG, usage=Tokens(7, 900)), {}),
    "tools": (Ok("", tool_calls=CALLS), {"tools": [WEATHER]}),
    "thinking": (Ok("Yes", reasoning="Hm.", usage=Tokens(7, 9, reasoning=5)), {}),
}
REFUSAL: tuple[Ok, dict[str, Any]] = (Ok("", refusal="I will not"), {})
"""Which Ollama's dialect has not."""
EVERYWHERE = [(kind, tier) for kind in ANSWERS for tier in ("gpt", "copy", "llama")]


def stubs(house: OpenAiHouse) -> tuple[StubProvider, ...]:
    return house.openai, house.copy, house.ollama


def always(house: OpenAiHouse, behaviour: Any) -> None:
    for stub in stubs(house):
        stub.always(behaviour)


def requests(house: OpenAiHouse) -> int:
    return sum(len(stub.requests) for stub in stubs(house))


async def completed(client: AsyncOpenAI, *, streamed: bool, **fields: Any) -> tuple[Any, str]:
    """Id, choices and usage, and where they came from."""
    asking: Any = client.completions.with_raw_response
    if not streamed:
        raw = await asking.create(prompt="Hi", **fields)
        found = raw.parse()
        texts = [(choice.text, choice.finish_reason) for choice in found.choices]
        return (found.id, texts, found.usage), raw.headers["x-penstock-cache"]
    options = {"include_usage": True}
    raw = await asking.create(prompt="Hi", stream=True, stream_options=options, **fields)
    said: dict[int, list[str]] = {}
    ended: dict[int, str] = {}
    last: Any = None
    async for last in raw.parse():
        for choice in last.choices:
            said.setdefault(choice.index, []).append(choice.text)
            ended |= {choice.index: choice.finish_reason} if choice.finish_reason else {}
    texts = [("".join(said[index]), ended[index]) for index in sorted(said)]
    return (last.id, texts, last.usage), raw.headers["x-penstock-cache"]


async def responded(client: AsyncOpenAI, *, streamed: bool, **fields: Any) -> tuple[Any, str]:
    fields = {"input": "Hi", "store": False, **fields}
    if not streamed:
        raw = await client.responses.with_raw_response.create(**fields)
        found: Any = raw.parse()
        return found.to_dict(), raw.headers["x-penstock-cache"]
    async with client.responses.stream(**fields) as stream:
        whole = await stream.get_final_response()
        state = stream._response.headers["x-penstock-cache"]
    dumped: Any = whole.to_dict()
    for item in dumped["output"]:
        for part in (item, *item.get("content", ())):
            part.pop("parsed", None)
            part.pop("parsed_arguments", None)
    return dumped, state


@both
@pytest.mark.parametrize(
    ("tier", "fields"),
    [("instruct", {}), ("copy", {}), ("llama", {}), ("instruct", {"n": 2}), ("copy", {"n": 2})],
)
async def test_at17_a_kept_completion_is_the_same_completion_streamed_or_not(
    openai_house: OpenAiHouse, tier: str, fields: Any, streamed: bool
) -> None:
    always(openai_house, SPOKEN)
    async with openai_house.client() as client:
        first, came = await completed(client, streamed=streamed, model=tier, **fields)
        plain, from_where = await completed(client, streamed=False, model=tier, **fields)
        again, from_there = await completed(client, streamed=True, model=tier, **fields)
    assert (came, from_where, from_there) == ("miss", "hit-exact", "hit-exact")
    assert plain == again == first
    assert first[2].completion_tokens > 0
    assert requests(openai_house) == 1


@both
@pytest.mark.parametrize(("kind", "tier"), [*EVERYWHERE, ("refusal", "gpt"), ("refusal", "copy")])
async def test_at17_a_kept_response_is_the_same_response_streamed_or_not(
    openai_house: OpenAiHouse, kind: str, tier: str, streamed: bool
) -> None:
    answer, fields = REFUSAL if kind == "refusal" else ANSWERS[kind]
    always(openai_house, answer)
    async with openai_house.client() as client:
        first, came = await responded(client, streamed=streamed, model=tier, **fields)
        plain, from_where = await responded(client, streamed=False, model=tier, **fields)
        again, from_there = await responded(client, streamed=True, model=tier, **fields)
    assert (came, from_where, from_there) == ("miss", "hit-exact", "hit-exact")
    assert first["output"]
    assert plain == again == first
    assert requests(openai_house) == 1


@both
async def test_at17_another_sidecar_gives_it_in_the_other_manner(
    openai_house: OpenAiHouse, streamed: bool
) -> None:
    always(openai_house, Ok("Let me look.", reasoning="Hm.", tool_calls=CALLS))
    asking: Any = ((completed, "instruct", {}), (responded, "gpt", {"tools": [WEATHER]}))
    async with (
        running(openai_house.folder, APP="shop", REDIS_DEADLINE_SECONDS="5") as (_, ports),
        openai_house.client() as here,
        openai_house.client(ports.application) as there,
    ):
        for ask, tier, fields in asking:
            first, _ = await ask(here, streamed=streamed, model=tier, **fields)
            again, state = await ask(there, streamed=not streamed, model=tier, **fields)
            assert (again, state) == (first, "hit-exact")


async def test_a_response_that_can_be_gone_on_from_is_not_given_twice(
    openai_house: OpenAiHouse,
) -> None:
    always(openai_house, SPOKEN)
    async with openai_house.client() as client:
        first, one = await responded(client, streamed=False, model="gpt", store=True)
        second, other = await responded(client, streamed=False, model="gpt", store=True)
    assert (one, other) == ("bypass", "bypass")
    assert first["id"] != second["id"]


async def test_one_caller_s_labels_are_not_told_to_the_next(openai_house: OpenAiHouse) -> None:
    """A response repeats them."""
    always(openai_house, SPOKEN)
    async with openai_house.client() as client:
        for label in ("ann", "bob"):
            fields = {"model": "copy", "metadata": {"who": label}}
            answer, state = await responded(client, streamed=False, **fields)
            assert (answer["metadata"], state) == ({"who": label}, "miss")


@both
async def test_at17_unfit_answers_are_not_given_again(
    openai_house: OpenAiHouse, streamed: bool
) -> None:
    always(openai_house, Ok("one two", finish="length"))
    async with openai_house.client() as client:
        for _ in range(2):
            _, state = await completed(client, streamed=streamed, model="instruct")
            assert state == "miss"
        for _ in range(2):
            raw = await client.responses.with_raw_response.create(
                model="gpt", input="Hi", store=False
            )
            assert raw.headers["x-penstock-cache"] == "miss"


@pytest.mark.parametrize("how", MISHAPS)
async def test_at17_half_a_stream_is_not_given_again(openai_house: OpenAiHouse, how: Any) -> None:
    asking = ((completed, "instruct"), (responded, "gpt"))
    async with openai_house.client() as client:
        for ask, tier in asking:
            always(openai_house, Broken(how, 5, Ok("one two three four five six seven")))
            with pytest.raises((APIError, RuntimeError)):
                await ask(client, streamed=True, model=tier)
            always(openai_house, SPOKEN)
            _, state = await ask(client, streamed=False, model=tier)
            assert state == "miss"
