"""Shorter prompts, through a whole sidecar: what the provider gets, and what the caller is told."""

from typing import Any

import pytest

from penstock_config.cache import Cache, ExactCache
from penstock_config.compression import Compression
from penstock_config.policy import CallerLimit
from penstock_config.provider import RateLimits
from tests.planes.plane import Plane, chat

WIDE = "a  wide   text"
TALK: list[dict[str, Any]] = [
    {"role": "system", "content": WIDE},
    {"role": "user", "content": WIDE},
    {"role": "assistant", "content": WIDE},
    {"role": "user", "content": WIDE},
]


async def said(plane: Plane) -> list[str]:
    body: Any = (await plane.main.request()).body
    return [message["content"] for message in body["messages"]]


async def test_providers_get_the_shorter_prompt_and_callers_hear_of_it(plane: Plane) -> None:
    await plane.publish(plane.config(compression=Compression(whitespace=True)))
    answer = await plane.ask(chat(messages=TALK))
    assert await said(plane) == ["a wide text"] * 3 + [WIDE]
    before, after = (int(answer.headers[f"x-penstock-tokens-{w}"]) for w in ("before", "after"))
    assert after < before
    told = (await plane.probe("/metrics")).body.decode()
    counter = 'penstock_compression_tokens_total{policy="team/shop",when='
    assert f'{counter}"before"}} {before}.0' in told
    assert f'{counter}"after"}} {after}.0' in told


async def test_a_prompt_that_stays_is_passed_on_byte_by_byte(plane: Plane) -> None:
    await plane.publish(plane.config(compression=Compression(whitespace=True)))
    answer = await plane.ask(chat(messages=TALK[-1:]))
    assert await said(plane) == [WIDE]
    assert "x-penstock-tokens-before" not in answer.headers


@pytest.mark.alone  # a Redis that takes more than 50 ms is none
async def test_prompts_that_become_the_same_share_an_answer(plane: Plane) -> None:
    cache = Cache(exact=ExactCache())
    await plane.publish(plane.config(compression=Compression(whitespace=True), cache=cache))
    states = []
    for text in (WIDE, "a wide  text"):
        talk = [{"role": "system", "content": text}, *TALK[1:]]
        states.append((await plane.ask(chat(messages=talk))).headers["x-penstock-cache"])
    assert states == ["miss", "hit-exact"]


async def test_limits_count_what_is_sent(plane: Plane) -> None:
    limit = CallerLimit(name="app", per="App", limits=RateLimits(tokens_per_minute=2000))
    long = [{"role": "user", "content": f"{'x ' * 3000}"}, *TALK[1:]]
    body = chat(messages=long, max_tokens=10)
    await plane.publish(plane.config(limits=(limit,)))
    refused = (await plane.ask(body)).status
    rules = Compression(max_history_tokens=256)
    await plane.publish(plane.config(limits=(limit,), compression=rules))
    assert (refused, (await plane.ask(body)).status) == (413, 200)
