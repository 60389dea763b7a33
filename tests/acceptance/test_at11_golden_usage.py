"""AT11: what a provider reports costs what the golden table says, through the whole sidecar."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from penstock_cli.stub import Raw, StubProvider
from penstock_config.provider import ProviderType
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
from tests.acceptance.registry import CASES, Case
from tests.sidecar.http.edge import exchange, head
from tests.sidecar.metering.test_golden import price_of

TABLES = Path(__file__).parent.parent / "sidecar" / "metering" / "usage"
FILES: dict[ProviderType, str] = {"openai": "openai_chat.json", "ollama": "ollama.json"}
"""What each type of the registry reports on its chat endpoint."""
TEAM = budget("team")
Row = dict[str, Any]


def rows(case: Case) -> list[Row]:
    """Those that say what they used; others are estimated (AT12)."""
    table = json.loads((TABLES / FILES[case.provider.type]).read_text("utf-8"))
    return [row for row in table["rows"] if row["counts"] is not None]


def openai_answer(usage: object, *, stream: bool) -> Raw:
    said = {"index": 0, "delta": {"content": "x"}, "message": {"content": "x"}}
    end = {**said, "finish_reason": "stop"}
    if not stream:
        return Raw((compact({"choices": [end], "usage": usage}),), "application/json")
    events = ({"choices": [end]}, {"choices": [], "usage": usage})
    return Raw((*(b"data: " + compact(e) + b"\n\n" for e in events), b"data: [DONE]\n\n"))


def ollama_answer(usage: Row, *, stream: bool) -> Raw:
    end = {"message": {"role": "assistant", "content": "x"}, "done": True, **usage}
    kind = "application/x-ndjson" if stream else "application/json"
    return Raw((compact(end) + b"\n",), kind)


ANSWERS = {"openai": openai_answer, "ollama": ollama_answer}


@pytest.fixture
async def here(tmp_path: Path, redis_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, redis_url) as running:
        yield running


@pytest.mark.parametrize(
    ("case", "row"),
    [pytest.param(case, row, id=f"{case}: {row['name']}") for case in CASES for row in rows(case)],
)
async def test_at11_a_report_costs_what_the_table_says(here: World, case: Case, row: Row) -> None:
    """In the header of a plain answer, and in the budget of both."""
    stream = case.endpoint.streamed
    model = metered_model(Tariff(), price=price_of(row["price"]))
    async with StubProvider() as fake:
        fake.always(ANSWERS[case.provider.type](row["usage"], stream=stream))
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
