"""Anthropic's own client gets kept answers: the same message, streamed or not (AT17)."""

from typing import Any

import anthropic
import orjson
import pytest
from anthropic import AsyncAnthropic

from penstock_cli.stub import Broken, Ok, Tokens, ToolCall
from tests.clients.anthropic_given import CALLS, WEATHER, always, ask
from tests.clients.cache.given import LONG, SPOKEN, both, requests
from tests.clients.house import House

LONG_CALL = ToolCall("weather", orjson.dumps({"town": 'Ü"\n' * 1_000}).decode(), "toolu_9")
ANSWERS: dict[str, tuple[Ok, dict[str, Any]]] = {
    "text": (SPOKEN, {}),
    "long text": (Ok(LONG, usage=Tokens(7, 900)), {}),
    "tools": (Ok("Let me look.", tool_calls=CALLS), {"tools": [WEATHER]}),
    "long call": (Ok("", tool_calls=(LONG_CALL,)), {"tools": [WEATHER]}),
    "thinking": (
        Ok("Yes", reasoning="Let me see", usage=Tokens(7, 9, reasoning=5)),
        {"thinking": {"type": "adaptive"}},
    ),
}
SEQUENCE = (Ok("one", finish="stop_sequence"), {"stop_sequences": ["END"]})
"""Only Anthropic itself says which one it was."""


async def asked(client: AsyncAnthropic, fields: Any, *, streamed: bool) -> tuple[Any, str]:
    """The message, and where it came from."""
    if streamed:
        async with client.messages.stream(**fields) as stream:
            found = await stream.get_final_message()
            state = stream.response.headers["x-penstock-cache"]
    else:
        raw = await client.messages.with_raw_response.create(**fields)
        found, state = await raw.parse(), raw.headers["x-penstock-cache"]
    return found.model_dump(exclude={"content": {"__all__": {"parsed_output"}}}), state


@both
@pytest.mark.parametrize("kind", [*ANSWERS, "sequence"])
async def test_at17_a_kept_message_is_the_same_message_streamed_or_not(
    house: House, client: AsyncAnthropic, kind: str, streamed: bool
) -> None:
    answer, fields = SEQUENCE if kind == "sequence" else ANSWERS[kind]
    await _kept(house, client, answer, ask("claude", **fields), streamed=streamed)


@both
@pytest.mark.parametrize("tier", ["gpt", "llama"])
@pytest.mark.parametrize("kind", ANSWERS)
async def test_at17_so_is_one_that_another_vendor_s_model_has_made(
    house: House, client: AsyncAnthropic, kind: str, tier: str, streamed: bool
) -> None:
    answer, fields = ANSWERS[kind]
    await _kept(house, client, answer, ask(tier, **fields), streamed=streamed)


async def _kept(
    house: House, client: AsyncAnthropic, answer: Ok, fields: Any, *, streamed: bool
) -> None:
    always(house, answer)
    first, came = await asked(client, fields, streamed=streamed)
    plain, from_where = await asked(client, fields, streamed=False)
    again, from_there = await asked(client, fields, streamed=True)
    assert (came, from_where, from_there) == ("miss", "hit-exact", "hit-exact")
    assert first["content"]
    assert plain == again == first
    assert requests(house) == 1


@both
async def test_at17_another_sidecar_gives_it_in_the_other_manner(
    house: House, client: AsyncAnthropic, other_url: str, streamed: bool
) -> None:
    always(house, Ok("Let me look.", reasoning="Rain?", tool_calls=CALLS))
    fields = ask("claude", tools=[WEATHER], thinking={"type": "adaptive"})
    first, _ = await asked(client, fields, streamed=streamed)
    async with client.with_options(base_url=other_url) as other:
        again, state = await asked(other, fields, streamed=not streamed)
    assert state == "hit-exact"
    assert [block["type"] for block in first["content"]] == [
        "thinking",
        "text",
        "tool_use",
        "tool_use",
    ]
    assert again == first


UNFIT: dict[str, Any] = {
    "truncated": Ok("one two", finish="length"),
    "refused": Ok("", finish="refusal", refusal="I will not"),
    "paused": Ok("one two", finish="pause_turn"),
}


@both
@pytest.mark.parametrize("case", UNFIT)
async def test_at17_unfit_messages_are_not_given_again(
    house: House, client: AsyncAnthropic, case: str, streamed: bool
) -> None:
    always(house, UNFIT[case])
    for _ in range(2):
        _, state = await asked(client, ask("claude"), streamed=streamed)
        assert state == "miss"
    assert requests(house) == 2


@pytest.mark.parametrize("how", ["close", "malformed", "error"])
async def test_at17_half_a_stream_is_not_given_again(
    house: House, client: AsyncAnthropic, how: Any
) -> None:
    always(house, Broken(how, 5, Ok("one two three")))
    with pytest.raises(anthropic.APIError):
        await asked(client, ask("claude"), streamed=True)
    always(house, SPOKEN)
    _, state = await asked(client, ask("claude"), streamed=False)
    assert state == "miss"


async def test_other_betas_are_another_question(house: House, client: AsyncAnthropic) -> None:
    always(house, SPOKEN)
    states = []
    for betas in ([], ["context-1m-2025-08-07"], []):
        raw = await client.beta.messages.with_raw_response.create(**ask("claude"), betas=betas)
        states.append(raw.headers["x-penstock-cache"])
    assert states == ["miss", "miss", "hit-exact"]


async def test_whose_request_it_is_does_not_matter(house: House, client: AsyncAnthropic) -> None:
    always(house, SPOKEN)
    states = []
    for user in ("ann", "bob"):
        fields = ask("claude", metadata={"user_id": user})
        states.append((await asked(client, fields, streamed=False))[1])
    assert states == ["miss", "hit-exact"]


async def test_counting_is_never_cached(client: AsyncAnthropic) -> None:
    fields = ask("claude")
    del fields["max_tokens"]
    for _ in range(2):
        raw = await client.messages.with_raw_response.count_tokens(**fields)
        assert raw.headers["x-penstock-cache"] == "bypass"
