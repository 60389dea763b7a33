"""AT9, by callers who want more than they were given: in each dialect's own words."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from penstock_cli.stub import Ok, StubProvider, Tokens
from tests.acceptance.metered import MeteredProvider, Plan, Tariff
from tests.acceptance.metered.world import (
    Money,
    World,
    budget,
    metered,
    metered_model,
    money_of,
    world,
)
from tests.acceptance.registry import (
    ANTHROPIC,
    CHAT_STREAM,
    COMPLETION,
    GEMINI,
    GENERATE_STREAM,
    MESSAGE,
    OLLAMA,
    OLLAMA_CHAT,
    OLLAMA_CHAT_STREAM,
    OPENAI,
    OPENAI_ITSELF,
    RESPONSE,
    Case,
)
from tests.sidecar.http.edge import Response, exchange, head

TARIFF = Tariff(input_token=1_000_000, output_token=10_000_000)
AMOUNT = 20_000
"""Micro-USD: what 2,000 tokens of an answer cost."""
TEAM = budget("team", AMOUNT)
RICH = budget("rich", 50 * AMOUNT)
"""Enough for a picture of the largest."""
ENDLESS = Plan(says=50_000)
FILM = "https://www.youtube.com/watch?v=dQw4w9WgXcQ"
LOOK = {"type": "image_url", "image_url": {"url": FILM}}
HOUR = {"type": "enabled", "budget_tokens": 100_000}
INTERLEAVED = {"anthropic-beta": "interleaved-thinking-2025-05-14"}
Fields = dict[str, Any]


@pytest.fixture
async def here(tmp_path: Path, redis_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, redis_url) as running:
        yield running


async def posted(here: World, path: str, body: bytes, headers: Fields | None = None) -> Response:
    """Again, where Redis was late."""
    said = head(path=path, content_length=str(len(body)), **(headers or {}))
    while (response := await exchange(here.port, said + body)).status == 503:
        pass
    await here.settled()
    return response


@pytest.mark.parametrize(
    ("case", "fields", "headers"),
    [
        (Case(MESSAGE, ANTHROPIC), {"thinking": HOUR}, INTERLEAVED),
        (Case(MESSAGE, ANTHROPIC), {"speed": "fast"}, {"anthropic-beta": "fast-mode-2026-02-01"}),
        (Case(CHAT_STREAM, GEMINI), {"messages": [{"role": "user", "content": [LOOK]}]}, {}),
        (Case(OLLAMA_CHAT, OLLAMA), {"OPTIONS": {"num_predict": -1}}, {}),
        (Case(OLLAMA_CHAT, OLLAMA), {"MODEL": "dear"}, {}),
        (Case(GENERATE_STREAM, OLLAMA), {"template": "{{ range }}"}, {}),
        (Case(RESPONSE, OPENAI_ITSELF), {"previous_response_id": "resp_of_long_ago"}, {}),
        (Case(RESPONSE, OPENAI_ITSELF), {"tools": [{"type": "web_search"}]}, {}),
    ],
    ids=lambda value: str(value) if isinstance(value, Case) else next(iter(value), ""),
)
async def test_at9_what_could_pass_the_budget_never_leaves(
    here: World, case: Case, fields: Fields, headers: Fields
) -> None:
    async with MeteredProvider(lambda *_: ENDLESS, TARIFF) as fake:
        await here.publish(metered(case, fake, "one"), budgets=(RICH,))
        body = case.endpoint.body("one", max_tokens=1000, **fields)
        response = await posted(here, case.endpoint.path, body, headers)
    assert response.status in {400, 429}, response.body
    assert fake.meter.works == []
    assert money_of(here.books, RICH) == Money(0, 0, 0)


@pytest.mark.parametrize(
    ("case", "fields"),
    [
        *((Case(OLLAMA_CHAT_STREAM, OLLAMA), {"options": {"num_predict": n}}) for n in (-1, -2, 0)),
        (Case(OLLAMA_CHAT, OLLAMA), {"options": {"num_predict": 0.5, "draft_num_predict": 9**9}}),
        (Case(OLLAMA_CHAT, ANTHROPIC), {"options": {"num_predict": -1}}),
        (Case(GENERATE_STREAM, OLLAMA), {"options": None}),
        (Case(MESSAGE, ANTHROPIC), {"max_tokens": 2**31 - 1}),
        (Case(MESSAGE, GEMINI), {"max_tokens": 2**31 - 1}),
        (Case(RESPONSE, OPENAI_ITSELF), {"max_output_tokens": None}),
        (Case(RESPONSE, GEMINI), {"max_output_tokens": 2**31 - 1}),
        (Case(COMPLETION, OPENAI), {"max_tokens": None}),
        (Case(COMPLETION, OPENAI), {"max_tokens": 1000, "n": 5, "best_of": 5}),
    ],
    ids=lambda value: str(value) if isinstance(value, Case) else json.dumps(value),
)
async def test_at9_no_way_to_say_endless_is_longer_than_the_budget(
    here: World, case: Case, fields: Fields
) -> None:
    """The answer is as long as is affordable, and all of it is on record."""
    async with MeteredProvider(lambda *_: ENDLESS, TARIFF) as fake:
        await here.publish(metered(case, fake, "one"), budgets=(TEAM,))
        body = case.endpoint.body("one", **fields)
        response = await posted(here, case.endpoint.path, body)
    assert response.status == 200, response.body
    (work,) = fake.meter.works
    assert work.output_tokens > 0
    assert fake.meter.bill_micro_usd() == money_of(here.books, TEAM).settled <= AMOUNT


async def test_at9_a_packed_request_is_held_for_as_what_it_holds(here: World) -> None:
    """A hundred bytes of gzip are thirty thousand to read."""
    case = Case(MESSAGE, ANTHROPIC)
    async with MeteredProvider(lambda *_: Plan(), TARIFF) as fake:
        await here.publish(metered(case, fake, "one"), budgets=(TEAM,))
        body = gzip.compress(case.endpoint.body("one", "a" * 30_000, max_tokens=10))
        headers = {"content_encoding": "gzip"}
        response = await posted(here, case.endpoint.path, body, headers)
    assert (response.status, fake.meter.works) == (429, [])


@pytest.mark.parametrize("path", ["/v1/embeddings", "/api/embed"])
async def test_at9_vectors_cost_their_input_and_are_refused_beyond_it(
    here: World, path: str
) -> None:
    """As the provider counted it, until what is left is less than a request may cost."""
    model = metered_model(TARIFF, capabilities=("embeddings",))
    async with StubProvider() as fake:
        fake.always(Ok(usage=Tokens(400, 0)))
        serving = OPENAI.configured(fake, "one", models=(model,))
        await here.publish(serving, budgets=(budget("team", 1000),))
        body = json.dumps({"model": "one", "input": ["a" * 500]}).encode()
        statuses = [(await posted(here, path, body)).status for _ in range(3)]
    assert statuses == [200, 200, 429]
    assert money_of(here.books, TEAM) == Money(800, 0, 0)
