"""Conversation memory, with the vendors' own clients against a whole sidecar and a real Redis."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import ollama
import pytest
import redis
import redis.asyncio
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from penstock_cli.stub import Broken, Ok, Status, StubProvider, Tokens, ToolCall
from penstock_config.policy import Cache, CallerLimit, ExactCache, Memory
from penstock_config.provider import Price, Provider, RateLimits
from tests.clients.house import House, running_house
from tests.conftest import running_redis
from tests.servers.binaries import any_server

SESSION = "x-penstock-session"
FIRST, ANSWER, SECOND = "I am Ada.", "Good day, Ada.", "Who am I?"
APIS = pytest.mark.parametrize("api", ["openai", "anthropic", "ollama"])
STREAMS = pytest.mark.parametrize("stream", [False, True])
PATHS: dict[str, tuple[str, dict[str, Any]]] = {
    "openai": ("/v1/chat/completions", {"model": "gpt"}),
    "anthropic": ("/v1/messages", {"model": "claude", "max_tokens": 64}),
    "ollama": ("/api/chat", {"model": "llama"}),
}
SAID = [("user", FIRST), ("assistant", ANSWER), ("user", SECOND)]


@dataclass
class Apps:
    """The clients of one application, and what its providers were told."""

    house: House
    openai: AsyncOpenAI
    anthropic: AsyncAnthropic

    def stub(self, api: str) -> StubProvider:
        stubs = {"openai": self.house.openai, "anthropic": self.house.anthropic}
        return stubs.get(api, self.house.ollama)

    def told(self, api: str) -> list[tuple[str, str]]:
        """The messages of the provider's last request, whose content must be text."""
        messages: Any = self.stub(api).requests[-1].body["messages"]
        return [(each["role"], _text(each["content"])) for each in messages]

    async def say(
        self,
        api: str,
        text: str,
        session: str | None = "s",
        *,
        stream: bool = False,
        user: str = "",
        **more: Any,
    ) -> str:
        headers = {SESSION: session} if session else {}
        headers |= {"x-penstock-user": user} if user else {}
        messages = [*more.pop("before", ()), {"role": "user", "content": text}]
        if api == "openai":
            return await self._openai(messages, headers, stream, more)
        if api == "anthropic":
            return await self._anthropic(messages, headers, stream, more)
        return await self._ollama(messages, headers, stream, more)

    async def _openai(self, messages: Any, headers: Any, stream: bool, more: Any) -> str:
        create = self.openai.chat.completions.create
        answer: Any = await create(
            model="gpt", messages=messages, stream=stream, extra_headers=headers, **more
        )
        if not stream:
            return str(answer.choices[0].message.content)
        pieces = [c.choices[0].delta.content or "" async for c in answer if c.choices]
        return "".join(pieces)

    async def _anthropic(self, messages: Any, headers: Any, stream: bool, more: Any) -> str:
        asked = {"model": "claude", "max_tokens": 64, "messages": messages, **more}
        if stream:
            async with self.anthropic.messages.stream(**asked, extra_headers=headers) as events:
                return await events.get_final_text()
        answer = await self.anthropic.messages.create(**asked, extra_headers=headers)
        return "".join(block.text for block in answer.content if block.type == "text")

    async def _ollama(self, messages: Any, headers: Any, stream: bool, more: Any) -> str:
        """Its client sends no headers of a single call's: one is made for each."""
        async with ollama.AsyncClient(host=self.house.url, headers=headers) as client:
            chat: Any = client.chat
            answer = await chat("llama", messages=messages, stream=stream, **more)
            if not stream:
                return str(answer.message.content)
            return "".join([piece.message.content or "" async for piece in answer])

    async def leave(self, api: str, text: str) -> None:
        """Goes after the first piece of a stream, and returns when the provider knows."""
        path, more = PATHS[api]
        body = {"messages": [{"role": "user", "content": text}], "stream": True, **more}
        headers = {SESSION: "s"}
        async with (
            httpx.AsyncClient(base_url=self.house.url) as client,
            client.stream("POST", path, json=body, headers=headers) as answer,
        ):
            await anext(answer.aiter_raw())
        await self.stub(api).requests[-1].disconnected.wait()

    async def post(self, text: str, **headers: str) -> httpx.Response:
        body = {"model": "gpt", "messages": [{"role": "user", "content": text}]}
        async with httpx.AsyncClient(base_url=self.house.url) as client:
            return await client.post("/v1/chat/completions", json=body, headers=headers)

    async def erase(self, session: str, **headers: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=self.house.url) as client:
            return await client.delete(f"/v1/sessions/{session}", headers=headers)


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


@pytest.fixture
async def apps(tmp_path: Path, redis_url: str) -> AsyncIterator[Apps]:
    async with AsyncExitStack() as stack:
        house = await stack.enter_async_context(running_house(tmp_path, redis_url))
        await house.publish(house.config(memory=Memory()))
        openai = AsyncOpenAI(base_url=f"{house.url}/v1", api_key="app", max_retries=0)
        anthropic = AsyncAnthropic(base_url=house.url, api_key="app", max_retries=0)
        await stack.enter_async_context(openai)
        await stack.enter_async_context(anthropic)
        for stub in (house.openai, house.anthropic, house.ollama):
            stub.always(Ok(ANSWER))
        yield Apps(house, openai, anthropic)


@APIS
@STREAMS
async def test_a_session_remembers_what_was_said(apps: Apps, api: str, stream: bool) -> None:
    assert await apps.say(api, FIRST, stream=stream) == ANSWER
    assert await apps.say(api, SECOND, stream=stream) == ANSWER
    assert apps.told(api) == SAID


@APIS
async def test_without_a_session_nothing_is_remembered(apps: Apps, api: str) -> None:
    await apps.say(api, FIRST)
    await apps.say(api, SECOND, session=None)
    assert apps.told(api) == [("user", SECOND)]
    await apps.say(api, SECOND, session="another")
    assert apps.told(api) == [("user", SECOND)]


@APIS
async def test_who_resends_the_conversation_is_left_alone(apps: Apps, api: str) -> None:
    await apps.say(api, FIRST)
    before = [{"role": "user", "content": "Hm."}, {"role": "assistant", "content": "Yes?"}]
    await apps.say(api, SECOND, before=before)
    assert apps.told(api) == [("user", "Hm."), ("assistant", "Yes?"), ("user", SECOND)]
    await apps.say(api, SECOND)
    assert apps.told(api) == SAID


async def test_plain_text_is_remembered_across_apis(apps: Apps) -> None:
    await apps.say("anthropic", FIRST)
    await apps.say("openai", SECOND)
    assert apps.told("openai") == SAID
    await apps.say("ollama", "And?")
    assert apps.told("ollama") == [*SAID, ("assistant", ANSWER), ("user", "And?")]


async def test_instructions_stand_first_and_are_not_remembered(apps: Apps) -> None:
    old, new = ({"role": "system", "content": text} for text in ("Old.", "New."))
    await apps.say("openai", FIRST, before=[old])
    await apps.say("openai", SECOND, before=[new])
    assert apps.told("openai") == [("system", "New."), *SAID]


async def test_the_oldest_turns_are_forgotten_beyond_the_policy_s_number(apps: Apps) -> None:
    await apps.house.publish(apps.house.config(memory=Memory(messages=4)))
    for text in ("one", "two", "three", "four"):
        await apps.say("openai", text)
    said = [("user", "two"), ("assistant", ANSWER), ("user", "three"), ("assistant", ANSWER)]
    assert apps.told("openai") == [*said, ("user", "four")]


async def test_a_token_limit_is_not_outgrown(apps: Apps) -> None:
    """Six turns would have more tokens than a minute ever grants."""
    limit = CallerLimit(name="app", per="App", limits=RateLimits(tokens_per_minute=5_000))
    apps.house.openai.always(Ok(ANSWER, usage=Tokens(10, 10)))
    await apps.house.publish(apps.house.config(memory=Memory(), limits=(limit,)))
    for number in range(6):
        await apps.say("openai", f"{number} " + "x" * 3_000, max_tokens=16)
    assert [text[0] for role, text in apps.told("openai") if role == "user"] == ["4", "5"]


async def test_a_turn_that_failed_or_calls_a_tool_is_left_out(apps: Apps) -> None:
    await apps.say("openai", FIRST)
    apps.house.openai.always(Status(400))
    assert (await apps.post("Fails.", **{SESSION: "s"})).status_code == 400
    apps.house.openai.always(Ok("", tool_calls=(ToolCall("weather", "{}", "call_1"),)))
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]
    await apps.say("openai", "Weather?", tools=tools)
    apps.house.openai.always(Ok(ANSWER))
    await apps.say("openai", SECOND)
    assert apps.told("openai") == SAID


async def test_a_header_says_what_became_of_the_session(apps: Apps) -> None:
    session = {SESSION: "s"}
    assert (await apps.post(FIRST, **session)).headers[SESSION] == "new"
    assert (await apps.post(SECOND, **session)).headers[SESSION] == "resumed"
    assert SESSION not in (await apps.post(SECOND)).headers
    await apps.house.publish(apps.house.config())
    assert SESSION not in (await apps.post(SECOND, **session)).headers


async def test_an_unusable_name_is_refused(apps: Apps) -> None:
    answer = await apps.post(FIRST, **{SESSION: "s" * 257})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == SESSION


async def test_users_do_not_share_a_session_where_the_scope_is_user(apps: Apps) -> None:
    cache = Cache(scope="User")
    await apps.house.publish(apps.house.config(memory=Memory(), cache=cache))
    await apps.say("openai", FIRST, user="ada")
    await apps.say("openai", SECOND, user="eve")
    assert apps.told("openai") == [("user", SECOND)]
    assert (await apps.erase("s", **{"x-penstock-user": "bob"})).status_code == 404
    await apps.say("openai", SECOND, user="ada")
    assert apps.told("openai") == SAID
    answer = await apps.post(SECOND, **{SESSION: "s"})
    assert answer.headers[SESSION] == "unused"
    assert apps.told("openai") == [("user", SECOND)]


async def test_an_erased_session_begins_anew(apps: Apps) -> None:
    await apps.say("openai", FIRST, session="a b/c")
    assert (await apps.erase("a%20b%2Fc")).status_code == 204
    await apps.say("openai", SECOND, session="a b/c")
    assert apps.told("openai") == [("user", SECOND)]


async def test_erasing_what_is_not_there_is_said_in_the_dialect(apps: Apps) -> None:
    found = await apps.erase("never")
    assert found.status_code == 404
    assert found.json()["error"]["code"] == "session_not_found"
    found = await apps.erase("never", **{"anthropic-version": "2023-06-01"})
    assert found.json()["error"]["type"] == "not_found_error"


async def test_the_cache_tells_a_turn_from_the_same_words_in_another_session(apps: Apps) -> None:
    cache = Cache(exact=ExactCache())
    await apps.house.publish(apps.house.config(memory=Memory(), cache=cache))
    await apps.say("openai", FIRST, session="one")
    await apps.say("openai", SECOND, session="one")
    apps.house.openai.always(Ok("I do not know."))
    assert await apps.say("openai", SECOND, session="two") == "I do not know."
    assert await apps.say("openai", SECOND, session=None) == "I do not know."


async def test_an_answer_from_the_cache_is_remembered_too(apps: Apps) -> None:
    cache = Cache(exact=ExactCache())
    await apps.house.publish(apps.house.config(memory=Memory(), cache=cache))
    await apps.say("openai", FIRST, session=None)
    assert (await apps.post(FIRST, **{SESSION: "s"})).headers["x-penstock-cache"] == "hit-exact"
    await apps.say("openai", SECOND)
    assert apps.told("openai") == SAID


async def test_what_must_not_be_stored_is_not_remembered(apps: Apps) -> None:
    await apps.say("openai", FIRST)
    await apps.post("A secret.", **{SESSION: "s", "cache-control": "no-store"})
    await apps.say("openai", SECOND)
    assert apps.told("openai") == SAID


async def test_tokens_are_counted_with_what_is_remembered(apps: Apps) -> None:
    await apps.say("anthropic", FIRST)
    await apps.anthropic.messages.count_tokens(
        model="claude",
        messages=[{"role": "user", "content": SECOND}],
        extra_headers={SESSION: "s"},
    )
    assert apps.told("anthropic") == SAID


async def test_turns_at_once_are_whole(apps: Apps) -> None:
    """Each user's message is followed by an answer, whichever came first."""
    wanted = [f"turn {number}" for number in range(5)]
    await asyncio.gather(*(apps.say("openai", text, stream=True) for text in wanted))
    await apps.say("openai", "And?")
    told = apps.told("openai")
    assert sorted(text for role, text in told[:-1] if role == "user") == wanted
    assert told[1::2] == [("assistant", ANSWER)] * 5


@APIS
async def test_who_leaves_a_stream_leaves_nothing_behind(apps: Apps, api: str) -> None:
    """The stream stops after its first word, until its provider sees that nobody listens."""
    words = asyncio.Semaphore(1)
    apps.stub(api).always(Ok("One two three.", each=words))
    await apps.leave(api, "I am going.")
    apps.stub(api).always(Ok(ANSWER))
    await apps.say(api, SECOND)
    assert apps.told(api) == [("user", SECOND)]


async def test_a_stream_that_breaks_off_is_no_turn(apps: Apps) -> None:
    apps.house.openai.always(Broken("close"))
    async with httpx.AsyncClient(base_url=apps.house.url) as client:
        body = {"model": "gpt", "stream": True, "messages": [{"role": "user", "content": FIRST}]}
        answer = await client.post("/v1/chat/completions", json=body, headers={SESSION: "s"})
    assert "error" in answer.text
    apps.house.openai.always(Ok(ANSWER))
    await apps.say("openai", SECOND)
    assert apps.told("openai") == [("user", SECOND)]


async def test_without_redis_requests_go_on_and_say_so(tmp_path: Path) -> None:
    with running_redis(any_server(), tmp_path) as url:
        async with running_house(tmp_path, url) as house:
            await house.publish(house.config(memory=Memory()))
            apps = Apps(house, AsyncOpenAI(api_key="app"), AsyncAnthropic(api_key="app"))
            assert (await apps.post(FIRST, **{SESSION: "s"})).headers[SESSION] == "new"
            with redis.Redis.from_url(url) as server:
                server.shutdown(nosave=True)
            answer = await apps.post(SECOND, **{SESSION: "s"})
            assert (answer.status_code, answer.headers[SESSION]) == (200, "unavailable")
            assert apps.told("openai") == [("user", SECOND)]
            erased = await apps.erase("s")
            assert erased.status_code == 503
            assert erased.json()["error"]["code"] == "sessions_unavailable"
            await apps.openai.close()
            await apps.anthropic.close()


async def test_older_turns_are_summed_up_by_the_cheapest_model(apps: Apps, redis_url: str) -> None:
    house = apps.house
    config = house.config(memory=Memory(messages=2, summarise=True))
    providers = tuple(map(_cheap_if_ollama, config.providers))
    await house.publish(config.model_copy(update={"providers": providers}))
    house.ollama.always(Ok("She is Ada."))
    await apps.say("openai", FIRST)
    await apps.say("openai", SECOND)
    asked: Any = (await house.ollama.request()).body
    assert [each["role"] for each in asked["messages"]] == ["system", "user"]
    assert FIRST in asked["messages"][1]["content"]
    assert asked["options"]["num_predict"] == 400
    await _until_summed_up(redis_url)
    await apps.say("openai", "And?")
    assert apps.told("openai") == [
        ("user", "In short, this is what we said before:\n\nShe is Ada."),
        ("assistant", "I remember."),
        ("user", SECOND),
        ("assistant", ANSWER),
        ("user", "And?"),
    ]


def _cheap_if_ollama(provider: Provider) -> Provider:
    if provider.type != "ollama":
        return provider
    price = Price(input_token=1, output_token=1)
    models = tuple(model.model_copy(update={"price": price}) for model in provider.models)
    return provider.model_copy(update={"models": models})


async def _until_summed_up(redis_url: str) -> None:
    async with redis.asyncio.Redis.from_url(redis_url) as books, asyncio.timeout(30):
        (key,) = await books.keys("*:s1:*")
        while not await books.zcount(key, 0, 0):  # noqa: ASYNC110  # nobody tells us
            await asyncio.sleep(0.01)


async def test_a_summary_is_paid_for_and_counted(apps: Apps, redis_url: str) -> None:
    house = apps.house
    await house.publish(house.config(memory=Memory(messages=2, summarise=True)))
    await apps.say("openai", FIRST)
    await apps.say("openai", SECOND)
    await _until_summed_up(redis_url)
    async with httpx.AsyncClient(base_url=house.probe_url) as client:
        metrics = (await client.get("/metrics")).text
    labels = 'model="opus",policy="team/shop",provider="team/anthropic"'
    spent = next(
        line
        for line in metrics.splitlines()
        if line.startswith("penstock_cost_usd_total{" + labels)
    )
    assert float(spent.split()[-1]) > 0
