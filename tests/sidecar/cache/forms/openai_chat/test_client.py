"""A replayed answer, read by the official client over HTTP (AT17, AT22)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from openai import AsyncOpenAI

from penstock_sidecar.cache.entry import Entry
from penstock_sidecar.cache.forms.openai_chat import FORM as CHAT
from penstock_sidecar.cache.hit import Hit
from tests.sidecar.cache.builders import USAGE, completion, request

CALLS = [
    {"id": f"c{i}", "type": "function", "function": {"name": f"f{i}", "arguments": '{"a":1}'}}
    for i in range(2)
]
ANSWERS = {
    "text": completion({"content": "Grüße, 世界! " * 500}),
    "refusal": completion({"refusal": "I will not"}),
    "tools": completion({"tool_calls": CALLS}),
    "choices": completion({"content": "one"}, {"content": "two"}),
}


@asynccontextmanager
async def client_of(document: dict[str, object]) -> AsyncIterator[AsyncOpenAI]:
    """The official client, against a server that knows one answer."""
    entry = Entry(orjson.dumps(document), "p", "m", "t", USAGE, 1, 0.0)
    hit = Hit(entry, CHAT, "hit-exact", "id", 1)

    async def replay(asked: web.Request) -> web.Response:
        body = await asked.json()
        stream = bool(body.get("stream"))
        wanted = bool((body.get("stream_options") or {}).get("include_usage"))
        again = replace(request(stream=stream), usage_wanted=wanted)
        data = b"".join(hit.pieces(again))
        return web.Response(body=data, content_type=hit.content_type(again))

    app = web.Application()
    app.router.add_post("/v1/chat/completions", replay)
    async with (
        TestServer(app) as server,
        AsyncOpenAI(base_url=str(server.make_url("/v1")), api_key="none", max_retries=0) as client,
    ):
        yield client


@pytest.mark.parametrize("name", ANSWERS)
async def test_a_replayed_stream_is_the_plain_answer_to_the_client(name: str) -> None:
    async with client_of(ANSWERS[name]) as client:
        plain = await client.chat.completions.create(model="fast", messages=[])
        async with client.chat.completions.stream(
            model="fast", messages=[], stream_options={"include_usage": True}
        ) as stream:
            streamed = await stream.get_final_completion()
    assert streamed.usage == plain.usage
    for one, other in zip(streamed.choices, plain.choices, strict=True):
        assert one.finish_reason == other.finish_reason
        assert one.message.content == other.message.content
        assert one.message.refusal == other.message.refusal
        assert _calls(one.message.tool_calls) == _calls(other.message.tool_calls)


async def test_no_usage_chunk_comes_unasked() -> None:
    async with client_of(ANSWERS["text"]) as client:
        stream = await client.chat.completions.create(model="fast", messages=[], stream=True)
        chunks = [chunk async for chunk in stream]
    assert all(chunk.usage is None and len(chunk.choices) == 1 for chunk in chunks)


def _calls(calls: object) -> list[tuple[str, str, str]]:
    assert calls is None or isinstance(calls, list)
    return [(c.id, c.function.name, c.function.arguments) for c in calls or []]
