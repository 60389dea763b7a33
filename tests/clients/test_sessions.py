"""Conversation memory, with the vendors' own clients against a whole sidecar and a real Redis."""

import asyncio
from pathlib import Path

import httpx
import pytest
import redis
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from penstock_cli.stub import Broken, Ok, Status, Tokens, ToolCall
from penstock_config.cache import Cache, ExactCache
from penstock_config.policy import CallerLimit, Memory
from penstock_config.provider import RateLimits
from tests.clients.apps import ANSWER, FIRST, SAID, SECOND, SESSION, Apps
from tests.clients.house import running_house
from tests.conftest import running_redis
from tests.servers.binaries import any_server

pytestmark = pytest.mark.alone
"""A sidecar goes on without a Redis that takes more than 50 ms: a busy machine forgets turns."""
APIS = pytest.mark.parametrize("api", ["openai", "anthropic", "ollama"])
STREAMS = pytest.mark.parametrize("stream", [False, True])


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
