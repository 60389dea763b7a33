"""AT11: what a provider reports costs what the golden table says, through the whole sidecar."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from penstock_cli.stub import Raw
from penstock_sidecar.metering.cost import usd
from tests.acceptance.metered.traffic import Offer, offer
from tests.acceptance.metered.work import Tariff
from tests.acceptance.metered.world import (
    Money,
    World,
    budget,
    metered_model,
    money_of,
    world,
)
from tests.acceptance.registry import (
    CHAT,
    COMPLETION,
    COMPLETION_STREAM,
    EVERY,
    GENERATE,
    GENERATE_STREAM,
    OLLAMA,
    OPENAI,
    OPENAI_ITSELF,
    RESPONSE,
    RESPONSE_STREAM,
    Case,
)
from tests.sidecar.http.edge import exchange, head
from tests.sidecar.metering.test_golden import price_of

TABLES = Path(__file__).parent.parent / "sidecar" / "metering" / "usage"
FILES = {
    "openai": "openai_chat.json",
    "azure-openai": "azure.json",
    "completions": "openai_chat.json",
    "responses": "openai_responses.json",
    "anthropic": "anthropic.json",
    "gemini": "gemini.json",
    "ollama": "ollama.json",
    "generate": "ollama.json",
}
"""What is reported in the words of each API."""
PASSED = {COMPLETION: "completions", RESPONSE: "responses", GENERATE: "generate"}
PASSED |= {COMPLETION_STREAM: "completions", RESPONSE_STREAM: "responses"}
PASSED |= {GENERATE_STREAM: "generate"}
"""What these have words of their own for, at providers that know them."""
SERVED = {"completions": OPENAI, "responses": OPENAI_ITSELF, "generate": OLLAMA}
TEAM = budget("team")
Row = dict[str, Any]


def spoken(case: Case) -> str:
    """The API in which the provider answers."""
    own = PASSED.get(case.endpoint, "")
    return own if SERVED.get(own) is case.provider else case.provider.type


def rows(case: Case) -> list[Row]:
    """Those that say what they used; others are estimated (AT12). Pictures are in chats alone, and
    only a stream counts twice."""
    table = json.loads((TABLES / FILES[spoken(case)]).read_text("utf-8"))
    known = [row for row in table["rows"] if row["counts"] is not None]
    seen = known if case.endpoint.path == CHAT else [row for row in known if not row.get("images")]
    whole = (row for row in seen if not isinstance(row["usage"], list) or len(row["usage"]) == 1)
    return seen if case.endpoint.streamed else [*whole]


def openai_answer(usage: object, *, stream: bool) -> Raw:
    said = {"index": 0, "delta": {"content": "x"}, "message": {"content": "x"}}
    return _openai({**said, "finish_reason": "stop"}, usage, stream=stream)


def _openai(end: Row, usage: object, *, stream: bool) -> Raw:
    if not stream:
        return plain({"choices": [end], "usage": usage})
    reported = events({"choices": [end]}, {"choices": [], "usage": usage})
    return Raw((*reported.segments, b"data: [DONE]\n\n"))


def completions_answer(usage: object, *, stream: bool) -> Raw:
    end = {"index": 0, "text": "x", "finish_reason": "stop"}
    return _openai(end, usage, stream=stream)


def responses_answer(usage: object, *, stream: bool) -> Raw:
    text = {"type": "output_text", "text": "x"}
    message = {"type": "message", "role": "assistant", "content": [text]}
    response = {"status": "completed", "error": None, "output": [message], "usage": usage}
    if not stream:
        return plain(response)
    delta = {"type": "response.output_text.delta", "output_index": 0, "delta": "x"}
    return events(delta, {"type": "response.completed", "response": response})


def anthropic_answer(usage: list[Row], *, stream: bool) -> Raw:
    """The first report comes with the start, the last with the end."""
    said = {"content": [{"type": "text", "text": "x"}], "stop_reason": "end_turn"}
    if not stream:
        return plain({"type": "message", **said, "usage": usage[0]})
    start = {"type": "message", "content": [], "usage": usage[0]}
    delta = {"type": "text_delta", "text": "x"}
    end = {"delta": {"stop_reason": "end_turn"}, "usage": usage[-1]}
    return events(
        {"type": "message_start", "message": start},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "message_delta", **end},
        {"type": "message_stop"},
    )


def gemini_answer(usage: Row, *, stream: bool) -> Raw:
    said = {"index": 0, "content": {"parts": [{"text": "x"}]}, "finishReason": "STOP"}
    document = {"candidates": [said], "usageMetadata": usage}
    return events(document) if stream else plain(document)


def ollama_answer(usage: Row, *, stream: bool) -> Raw:
    said = {"message": {"role": "assistant", "content": "x"}, "response": "x"}
    end = {**said, "done": True, **usage}
    kind = "application/x-ndjson" if stream else "application/json"
    return Raw((compact(end) + b"\n",), kind)


def plain(document: object) -> Raw:
    return Raw((compact(document),), "application/json")


def events(*documents: object) -> Raw:
    return Raw(tuple(b"data: " + compact(document) + b"\n\n" for document in documents))


ANSWERS: dict[str, Callable[..., Raw]] = {
    "openai": openai_answer,
    "azure-openai": openai_answer,
    "completions": completions_answer,
    "responses": responses_answer,
    "anthropic": anthropic_answer,
    "gemini": gemini_answer,
    "ollama": ollama_answer,
    "generate": ollama_answer,
}


@pytest.fixture
async def here(tmp_path: Path, redis_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, redis_url) as running:
        yield running


@pytest.mark.parametrize(
    ("case", "row"),
    [pytest.param(case, row, id=f"{case}: {row['name']}") for case in EVERY for row in rows(case)],
)
async def test_at11_a_report_costs_what_the_table_says(here: World, case: Case, row: Row) -> None:
    """In the header of a plain answer, and in the budget of both."""
    stream = case.endpoint.streamed
    model = metered_model(Tariff(), price=price_of(row["price"]))
    async with case.provider.fake() as fake:
        fake.always(ANSWERS[spoken(case)](row["usage"], stream=stream))
        serving = case.provider.configured(fake, "one", models=(model,))
        await here.publish(serving, budgets=(TEAM,))
        asked: Offer = offer(case, "one", "a", max_tokens=50, images=row.get("images", 0))
        request = head(path=case.endpoint.path, content_length=str(len(asked.body))) + asked.body
        response = await exchange(here.port, request)
    await here.settled()
    assert response.status == 200
    assert money_of(here.books, TEAM) == Money(row["micro_usd"], 0, 0)
    if not stream:
        assert response.headers["x-penstock-cost-usd"] == usd(row["micro_usd"])


def compact(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
