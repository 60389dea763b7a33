"""An application with OpenAI's own client, against a whole sidecar."""

import asyncio
import json
from math import ceil

import pytest
from openai import APIError, NotFoundError, RateLimitError

from penstock_cli.stub import Broken, Ok, Status
from penstock_config.cache import Cache, ExactCache
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from tests.planes.plane import KEY, Plane, chat, within
from tests.sidecar.http.edge import connection, post


async def test_a_plain_answer(plane: Plane) -> None:
    plane.main.always(Ok(text="Good day"))
    async with plane.client() as client:
        raw = await client.chat.completions.with_raw_response.create(**chat())
    completion = raw.parse()
    assert completion.choices[0].message.content == "Good day"
    assert completion.usage
    assert completion.usage.completion_tokens == 2
    assert raw.headers["x-penstock-provider"] == "team/main"
    assert raw.headers["x-penstock-model"] == "small"
    assert raw.headers["x-penstock-tier"] == "fast"
    assert raw.headers["x-penstock-call-id"]
    assert float(raw.headers["x-penstock-cost-usd"]) > 0


async def test_a_streamed_answer(plane: Plane) -> None:
    plane.main.always(Ok(text="one two three"))
    async with plane.client() as client:
        stream = await client.chat.completions.create(**chat(), stream=True)
        chunks = [chunk async for chunk in stream]
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "one two three"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert all(chunk.choices for chunk in chunks), "the usage chunk that nobody asked for is gone"


async def test_a_usage_chunk_is_there_for_who_asks(plane: Plane) -> None:
    async with plane.client() as client:
        stream = await client.chat.completions.create(
            **chat(), stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    assert chunks[-1].choices == []
    assert chunks[-1].usage


async def test_the_first_words_come_before_the_last_are_made(plane: Plane) -> None:
    pieces = asyncio.Semaphore(1)
    plane.main.always(Ok(text="one two", each=pieces))
    async with plane.client() as client:
        stream = await client.chat.completions.create(**chat(), stream=True)
        async for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        pieces.release()
        rest = [chunk async for chunk in stream]
    assert rest


async def test_the_provider_gets_our_key_and_never_the_caller_s(plane: Plane) -> None:
    async with plane.client(api_key="sk-the-callers") as client:
        await client.chat.completions.create(**chat())
    seen = await plane.main.request()
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert "sk-the-callers" not in str(seen.headers)
    assert seen.model == "upstream-small"


async def test_models_tiers_and_auto_are_listed(plane: Plane) -> None:
    async with plane.client() as client:
        names = {model.id async for model in client.models.list()}
    assert {"fast", "solo", "small", "large"} <= names


async def test_one_model_is_told_by_its_id(plane: Plane) -> None:
    async with plane.client() as client:
        found = await client.models.retrieve("fast")
        assert (found.id, found.object) == ("fast", "model")
        with pytest.raises(NotFoundError, match="the model `no/such` does not exist") as caught:
            await client.models.retrieve("no/such")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


async def test_a_failing_provider_is_replaced_unseen(plane: Plane) -> None:
    plane.main.always(Status(500))
    plane.backup.always(Ok(text="from the backup"))
    async with plane.client() as client:
        raw = await client.chat.completions.with_raw_response.create(**chat())
    assert raw.parse().choices[0].message.content == "from the backup"
    assert raw.headers["x-penstock-provider"] == "team/backup"
    assert raw.headers["x-penstock-attempted-fallbacks"] == "1"


async def test_a_stream_that_breaks_before_its_content_is_replaced_unseen(plane: Plane) -> None:
    plane.main.always(Broken("close", after=1))
    plane.backup.always(Ok(text="whole"))
    async with plane.client() as client:
        stream = await client.chat.completions.create(**chat(), stream=True)
        chunks = [chunk async for chunk in stream]
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "whole"


@pytest.mark.parametrize("how", ["close", "reset", "malformed"])
async def test_a_stream_that_breaks_after_its_content_raises_in_the_client(
    plane: Plane, how: str
) -> None:
    plane.main.always(Broken(how, after=3))  # type: ignore[arg-type]  # parametrised by its words
    async with plane.client() as client:
        stream = await client.chat.completions.create(**chat(), stream=True)
        with pytest.raises(APIError):
            async for _ in stream:
                pass
    assert plane.backup.requests == []


async def test_the_second_equal_request_comes_from_the_cache(plane: Plane) -> None:
    await plane.publish(plane.config(cache=Cache(exact=ExactCache(ttl_seconds=60))))
    async with plane.client() as client:
        first = await client.chat.completions.with_raw_response.create(**chat())
        second = await client.chat.completions.with_raw_response.create(**chat())
    assert first.headers["x-penstock-cache"] == "miss"
    assert second.headers["x-penstock-cache"] == "hit-exact"
    assert float(second.headers["x-penstock-cost-usd"]) == 0
    assert float(second.headers["x-penstock-cost-saved-usd"]) > 0
    assert second.parse().choices == first.parse().choices
    assert len(plane.main.requests) == 1


async def test_a_cached_answer_serves_streams_as_well(plane: Plane) -> None:
    await plane.publish(plane.config(cache=Cache(exact=ExactCache(ttl_seconds=60))))
    plane.main.always(Ok(text="kept"))
    async with plane.client() as client:
        await client.chat.completions.create(**chat())
        stream = await client.chat.completions.create(**chat(), stream=True)
        chunks = [chunk async for chunk in stream]
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "kept"
    assert len(plane.main.requests) == 1


async def test_a_limit_that_is_reached_is_a_429_with_a_true_hint(plane: Plane) -> None:
    limits = RateLimits(requests_per_minute=2, window_seconds=30)
    app_limit = CallerLimit(name="app", per="App", limits=limits)
    await plane.publish(plane.config(limits=(app_limit,)))
    async with plane.client() as client:
        first = await client.chat.completions.with_raw_response.create(**chat())
        second = await client.chat.completions.with_raw_response.create(**chat())
        with pytest.raises(RateLimitError) as caught:
            await client.chat.completions.create(**chat())
    remaining = [int(r.headers["x-ratelimit-remaining-requests"]) for r in (first, second)]
    assert remaining == [1, 0]
    assert caught.value.code == "rate_limit_exceeded"
    assert caught.value.type == "requests"
    headers = caught.value.response.headers
    milliseconds = int(headers["retry-after-ms"])
    assert 0 < milliseconds < 40_000, "the window, its first second, and jitter upwards"
    assert int(headers["retry-after"]) == ceil(milliseconds / 1000)
    assert len(plane.main.requests) == 2


async def test_a_client_that_waits_as_long_as_told_is_served_at_its_first_retry(
    plane: Plane,
) -> None:
    """AT7."""
    limits = RateLimits(requests_per_minute=1, window_seconds=1)
    await plane.publish(plane.config(limits=(CallerLimit(name="a", per="App", limits=limits),)))
    async with plane.client(max_retries=1) as client:
        await client.chat.completions.create(**chat())
        await client.chat.completions.create(**chat())
    assert len(plane.main.requests) == 2


async def test_a_caller_that_leaves_ends_the_provider_s_work(plane: Plane) -> None:
    """AT23: before the first token, and half-way."""
    for number, behaviour in enumerate((Broken("stall", after=None), Broken("stall", after=3)), 1):
        plane.main.always(behaviour)
        async with connection(plane.ports.application) as (reader, writer):
            writer.write(post(json.dumps(chat(stream=True)).encode()))
            seen = await plane.main.request(number)
            if behaviour.after:
                await reader.readuntil(b"data: ")
        await within(1, seen.disconnected)
