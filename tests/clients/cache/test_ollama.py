"""Ollama's own client gets kept answers: the same answer, streamed or not (AT17)."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import ollama
import pytest

from penstock_cli.stub import Broken, Ok, Tokens, ToolCall
from penstock_config.cache import Cache, ExactCache
from tests.clients.cache.given import LONG, MISHAPS, SPOKEN, both, requests
from tests.clients.house import House
from tests.clients.ollama_given import HI, add, always

CALLS = (ToolCall("add", '{"a":1,"b":2}', "c1"), ToolCall("add", '{"a":3,"b":4}', "c2"))
CHATS: dict[str, tuple[Ok, dict[str, Any]]] = {
    "text": (SPOKEN, {}),
    "long text": (Ok(LONG, usage=Tokens(7, 900)), {}),
    "tools": (Ok("Let me add.", tool_calls=CALLS), {"tools": [add]}),
    "calls alone": (Ok("", tool_calls=CALLS), {"tools": [add]}),
    "thinking": (Ok("Yes", reasoning="Let me see", usage=Tokens(7, 9)), {"think": True}),
}
PROMPTS = {kind: CHATS[kind] for kind in ("text", "long text", "thinking")}
tiers = pytest.mark.parametrize("tier", ["llama", "gpt", "claude"])


@dataclass(slots=True)
class App:
    """The client, and where each of its answers came from: it shows nobody its headers."""

    client: ollama.AsyncClient
    states: list[str] = field(default_factory=list)

    async def chat(self, tier: str, *, streamed: bool, **fields: Any) -> dict[str, Any]:
        if not streamed:
            return _plain(await self.client.chat(tier, HI, **fields))
        parts = [part async for part in await self.client.chat(tier, HI, stream=True, **fields)]
        return _added([part.model_dump() for part in parts], "message", "content")

    async def generate(self, tier: str, *, streamed: bool, **fields: Any) -> dict[str, Any]:
        if not streamed:
            return _plain(await self.client.generate(tier, "Hi", **fields))
        answer = await self.client.generate(tier, "Hi", stream=True, **fields)
        return _added([part.model_dump() async for part in answer], None, "response")


def _plain(answer: Any) -> dict[str, Any]:
    found = answer.model_dump()
    assert isinstance(found, dict)
    return found


def _added(parts: list[dict[str, Any]], holder: str | None, text: str) -> dict[str, Any]:
    """As an application adds them: words in a row, calls in a row, the rest of the last."""
    *_, last = parts
    assert [part["done"] for part in parts] == [False] * (len(parts) - 1) + [True]
    words = [part[holder] if holder else part for part in parts]
    said = {name: "".join(word[name] or "" for word in words) for name in (text, "thinking")}
    whole = {**words[-1], **said, "thinking": said["thinking"] or None}
    if holder:
        calls = [call for word in words for call in word["tool_calls"] or ()]
        whole["tool_calls"] = calls or None
        return {**last, holder: whole}
    return {**last, **whole}


@pytest.fixture
async def app(house: House) -> AsyncIterator[App]:
    async with app_at(house.url) as found:
        yield found


@contextlib.asynccontextmanager
async def app_at(url: str) -> AsyncIterator[App]:
    states: list[str] = []

    async def hear(response: httpx.Response) -> None:
        states.append(response.headers.get("x-penstock-cache", ""))

    async with ollama.AsyncClient(host=url, event_hooks={"response": [hear]}) as client:
        yield App(client, states)


@both
@tiers
@pytest.mark.parametrize("kind", CHATS)
async def test_at17_a_kept_chat_is_the_same_chat_streamed_or_not(
    house: House, app: App, kind: str, tier: str, streamed: bool
) -> None:
    answer, fields = CHATS[kind]
    always(house, answer)
    first = await app.chat(tier, streamed=streamed, **fields)
    plain = await app.chat(tier, streamed=False, **fields)
    again = await app.chat(tier, streamed=True, **fields)
    assert app.states == ["miss", "hit-exact", "hit-exact"]
    assert first["message"]["content"] or first["message"]["tool_calls"]
    assert first["eval_count"] == plain["eval_count"] > 0
    assert first["eval_duration"] == plain["eval_duration"] > 0
    assert plain == again == first
    assert requests(house) == 1


@both
@tiers
@pytest.mark.parametrize("kind", PROMPTS)
async def test_at17_a_kept_completion_is_the_same_completion_streamed_or_not(
    house: House, app: App, kind: str, tier: str, streamed: bool
) -> None:
    answer, fields = PROMPTS[kind]
    always(house, answer)
    first = await app.generate(tier, streamed=streamed, **fields)
    plain = await app.generate(tier, streamed=False, **fields)
    again = await app.generate(tier, streamed=True, **fields)
    assert app.states == ["miss", "hit-exact", "hit-exact"]
    assert first["response"]
    assert plain == again == first
    assert requests(house) == 1


@both
async def test_at17_another_sidecar_gives_it_in_the_other_manner(
    house: House, app: App, other_url: str, streamed: bool
) -> None:
    always(house, Ok("Let me add.", reasoning="Both?", tool_calls=CALLS))
    fields = {"tools": [add], "think": True}
    chat = await app.chat("llama", streamed=streamed, **fields)
    completion = await app.generate("llama", streamed=streamed)
    async with app_at(other_url) as other:
        assert await other.chat("llama", streamed=not streamed, **fields) == chat
        assert await other.generate("llama", streamed=not streamed) == completion
    assert other.states == ["hit-exact", "hit-exact"]
    assert len(chat["message"]["tool_calls"]) == 2


@both
async def test_at17_a_truncated_answer_is_not_given_again(
    house: House, app: App, streamed: bool
) -> None:
    always(house, Ok("one two", finish="length"))
    for ask in (app.chat, app.generate):
        await ask("llama", streamed=streamed)
        await ask("llama", streamed=streamed)
    assert app.states == ["miss"] * 4


@pytest.mark.parametrize("how", MISHAPS)
async def test_at17_half_a_stream_is_not_given_again(house: House, app: App, how: Any) -> None:
    always(house, Broken(how, 5, Ok("one two three four five six seven")))
    with pytest.raises(ollama.ResponseError):
        await app.chat("llama", streamed=True)
    always(house, SPOKEN)
    await app.chat("llama", streamed=False)
    assert app.states == ["miss", "miss"]


async def test_at17_a_model_that_was_only_loaded_has_said_nothing(app: App) -> None:
    for _ in range(2):
        await app.client.generate("llama")
    assert not any(state.startswith("hit") for state in app.states)


async def test_how_long_a_model_stays_loaded_does_not_matter(house: House, app: App) -> None:
    always(house, SPOKEN)
    for keep_alive in (0, "5m"):
        await app.chat("llama", streamed=False, keep_alive=keep_alive)
    assert app.states == ["miss", "hit-exact"]


async def test_streaming_is_what_ollama_does_unless_told_otherwise(house: House) -> None:
    always(house, SPOKEN)
    asked = {"model": "llama", "messages": HI}
    async with httpx.AsyncClient(base_url=house.url) as client:
        plain = await client.post("/api/chat", json={**asked, "stream": False})
        told = await client.post("/api/chat", json={**asked, "stream": True})
        untold = await client.post("/api/chat", json=asked)
    assert plain.headers["x-penstock-cache"] == "miss"
    assert untold.headers["x-penstock-cache"] == "hit-exact"
    assert untold.headers["content-type"] == told.headers["content-type"] == "application/x-ndjson"
    assert untold.content == told.content
    assert len(untold.content.splitlines()) > 1


@pytest.mark.parametrize(
    ("options", "state"),
    [
        ({"temperature": 0}, "hit-exact"),
        ({"temperature": 0.7}, "bypass"),
        ({}, "bypass"),
    ],
)
async def test_determinism_is_read_among_the_options(
    house: House, app: App, options: Any, state: str
) -> None:
    cache = Cache(exact=ExactCache(), require_deterministic=True)
    await house.publish(house.config(cache=cache))
    always(house, SPOKEN)
    for ask in (app.chat, app.generate):
        for _ in range(2):
            await ask("llama", streamed=False, options=options)
        assert app.states[-1] == state
