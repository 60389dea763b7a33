"""The fake itself: what it bills, whatever it reports."""

from typing import Any

import aiohttp
import pytest

from tests.acceptance.metered import Asked, MeteredProvider, Plan, Tariff, Work
from tests.acceptance.metered.dialect import Dialect, compact
from tests.acceptance.metered.provider import DIALECTS
from tests.acceptance.registry import EVERY_PROVIDER

CALLED = r"{called:[^:]+:\w+}"
"""Of a route of Gemini's."""
TARIFF = Tariff(input_token=10, output_token=1000, image=10**6, request=10**9, image_tokens=7)
TEXT = "#a# wörter"
WORDS = [{"role": "user", "content": TEXT}]
OPENAI = {"model": "m", "messages": WORDS, "max_tokens": 30}


def test_every_type_of_provider_of_the_registry_can_be_metered() -> None:
    assert {kind.type for kind in EVERY_PROVIDER} <= set(DIALECTS)


CONTENTS = [{"role": "user", "parts": [{"text": TEXT}]}]
ASKED: dict[str, tuple[dict[str, Any], object]] = {
    "openai": (OPENAI, WORDS),
    "azure-openai": (OPENAI, WORDS),
    "anthropic": (OPENAI, [TEXT]),
    "gemini": ({"contents": CONTENTS, "generationConfig": {"maxOutputTokens": 30}}, [TEXT]),
    "responses": ({"model": "m", "input": TEXT, "max_output_tokens": 30}, TEXT),
    "ollama": ({"model": "m", "messages": WORDS, "options": {"num_predict": 30}}, WORDS),
    "generate": (
        {"model": "m", "prompt": TEXT, "options": {"num_predict": 30}},
        [{"prompt": TEXT}],
    ),
}
"""A request of 30 tokens at most, and what of it the model reads."""


@pytest.mark.parametrize("name", ASKED)
async def test_a_cap_is_a_cap_and_thoughts_are_within_it(name: str) -> None:
    document, read = ASKED[name]
    async with MeteredProvider(lambda *_: Plan(says=50, thinks=20), TARIFF) as fake:
        await post(fake, DIALECTS[name], {**document, "stream": True})
    (work,) = fake.meter.works
    assert (work.output_tokens, work.reasoning_tokens, work.shown_bytes) == (30, 20, 30)
    assert work.bill_pico_usd == 10**9 + len(compact(read)) * 10 + 30 * 1000


async def test_a_completion_has_a_cap_and_no_thoughts() -> None:
    document = {"model": "m", "prompt": TEXT, "max_tokens": 30, "n": 2}
    async with MeteredProvider(lambda *_: Plan(says=50), TARIFF) as fake:
        await post(fake, DIALECTS["completions"], document)
    (work,) = fake.meter.works
    assert work.bill_pico_usd == 10**9 + len(TEXT.encode()) * 10 + 2 * 30 * 1000


async def test_every_answer_picture_and_schema_is_billed() -> None:
    tools = [{"type": "function", "function": {"name": "act"}}]
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,xxxx"}}
    seen = {"role": "user", "content": [{"type": "text", "text": "hm"}, picture, picture]}
    document = {**OPENAI, "messages": [*WORDS, seen], "tools": tools, "n": 3}
    async with MeteredProvider(lambda *_: Plan(says=4), TARIFF) as fake:
        await post(fake, DIALECTS["openai"], document)
    read = [*WORDS, {"role": "user", "content": [{"type": "text", "text": "hm"}]}]
    text = len(compact(read)) + len(compact(tools))
    fees = 10**9 + 2 * 10**6
    assert fake.meter.works[0].bill_pico_usd == fees + (text + 2 * 7) * 10 + 3 * 4 * 1000


@pytest.mark.parametrize(
    ("plan", "status", "billed", "unknowable"),
    [
        (Plan(), 200, True, False),
        (Plan(usage="missing"), 200, True, False),
        (Plan(says=0, usage="missing"), 200, True, True),
        (Plan(fate="refuse", status=503), 503, False, False),
        (Plan(fate="fail"), 500, False, False),
        (Plan(fate="cut"), 0, True, True),
        (Plan(fate="cut", reset=True), 0, True, True),
    ],
)
async def test_what_is_billed_and_what_a_client_can_know(
    plan: Plan, status: int, billed: bool, unknowable: bool
) -> None:
    async with MeteredProvider(lambda *_: plan, Tariff()) as fake:
        assert await post(fake, DIALECTS["openai"], OPENAI) == status
    (work,) = fake.meter.works
    assert (work.bill_pico_usd > 0, work.unknowable) == (billed, unknowable)


@pytest.mark.parametrize("goes_on", [False, True])
async def test_a_client_that_leaves_stops_it_or_pays_for_all(goes_on: bool) -> None:
    plan = Plan(says=400, stepped=True)
    document = {**OPENAI, "max_tokens": 400, "stream": True}
    async with MeteredProvider(lambda *_: plan, goes_on=goes_on) as fake:
        async with aiohttp.ClientSession() as session:
            url = fake.url + DIALECTS["openai"].path
            async with session.post(url, json=document) as response:
                await response.content.readuntil(b"\n\n")
        await fake.meter.ended()
    assert fake.meter.works[0].output_tokens == (400 if goes_on else 8)


async def test_tokens_that_are_given_away_leave_the_fees() -> None:
    async with MeteredProvider(lambda *_: Plan(usage="zero"), TARIFF) as fake:
        await post(fake, DIALECTS["openai"], OPENAI)
    assert fake.meter.works[0].bill_pico_usd == TARIFF.request


def test_nothing_is_billed_before_it_works() -> None:
    asked = Asked("a", "m", 10, 0, 10, 1, stream=False, usage_wanted=False)
    assert Work(asked, TARIFF, 1).bill_pico_usd == 0


async def post(fake: MeteredProvider, dialect: Dialect, document: dict[str, object]) -> int:
    """The status, once the whole answer is read; 0 where the connection broke."""
    async with aiohttp.ClientSession() as session:
        try:
            url = fake.url + dialect.path.replace(CALLED, "m:streamGenerateContent")
            async with session.post(url, json=document) as response:
                await response.read()
                return response.status
        except aiohttp.ClientError:
            return 0
