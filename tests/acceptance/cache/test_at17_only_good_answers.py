"""AT17: only whole answers with a normal end are kept; a replay, as a stream or not, is what the
official client takes for the provider's own."""

import pytest
from openai import AsyncOpenAI

from penstock_cli.stub import EMPTY, Behaviour, Broken, Ok, Status
from tests.acceptance.cache.levels import BOTH, hit
from tests.planes.plane import Plane, chat

TEXT = "Grüße, 世界! " * 60
STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
BAD: dict[str, Behaviour] = {
    "empty": EMPTY,
    "cut off": Ok(finish="length"),
    "filtered": Ok(finish="content_filter"),
    "an error": Status(500),
    "refused": Status(400),
    "broken off": Broken("close"),
    "ended early": Broken("end"),
    "an error in band": Broken("error"),
}


@STREAMED
@pytest.mark.parametrize("case", BAD)
async def test_at17_what_is_not_whole_is_never_kept(plane: Plane, case: str, stream: bool) -> None:
    await plane.publish(plane.config(cache=BOTH))
    asked = {**chat(), "model": "solo", "stream": stream}
    plane.main.always(BAD[case])
    await plane.ask(asked)
    plane.main.always(Ok(text="good"))
    for again in (asked, {**asked, "stream": not stream}):
        answer = await plane.ask(again)
        assert b"good" in answer.body
        assert hit(answer) is (again is not asked), "only the good one is given again"


async def said(client: AsyncOpenAI, *, stream: bool) -> tuple[str, str, int]:
    """Text, finish reason and output tokens, as the client understands them."""
    if not stream:
        plain = await client.chat.completions.create(**chat())
        assert plain.usage
        choice = plain.choices[0]
        text = choice.message.content or ""
        return text, choice.finish_reason, plain.usage.completion_tokens
    asked = chat(stream_options={"include_usage": True})
    async with client.chat.completions.stream(**asked) as events:
        final = await events.get_final_completion()
    assert final.usage
    text = final.choices[0].message.content or ""
    return text, final.choices[0].finish_reason, final.usage.completion_tokens


@pytest.mark.parametrize("first", [False, True], ids=["kept plain", "kept from a stream"])
async def test_at17_streams_and_plain_answers_serve_each_other(plane: Plane, first: bool) -> None:
    plane.main.always(Ok(text=TEXT))
    await plane.publish(plane.config(cache=BOTH))
    async with plane.client() as client:
        given = await said(client, stream=first)
        again = [await said(client, stream=stream) for stream in (False, True)]
    assert given[:2] == (TEXT, "stop")
    assert again == [given, given]
    assert len(plane.main.requests) == 1


@STREAMED
async def test_at17_a_caller_who_leaves_leaves_nothing_half(plane: Plane, stream: bool) -> None:
    """What could not be read to its end is not there for the next."""
    plane.main.always(Broken("close"))
    await plane.publish(plane.config(cache=BOTH))
    asked = {**chat(), "model": "solo", "stream": stream}
    for _ in range(2):
        await plane.ask(asked)
    assert len(plane.main.requests) == 2, "both had to be asked upstream"
