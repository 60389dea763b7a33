"""AT11: what each vendor reports costs, to the last micro-dollar, what the table says."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from penstock_cli.stub.behaviour import Raw
from penstock_config.provider import Provider
from penstock_config.schema import SidecarConfig
from tests.planes.plane import Plane, model, provider, running_plane, tier
from tests.sidecar.metering.test_golden import ROWS, Row, price_of

PICTURE = {"type": "image_url", "image_url": {"url": "https://pictures.example/a.png"}}
SERVED = ("openai", "ollama")
KNOWN = [row.values for row in ROWS if row.values[0] in SERVED and row.values[1]["counts"]]


async def test_every_reported_usage_costs_what_it_should(tmp_path: Path, redis_url: str) -> None:
    """Through the whole sidecar, with a model for each row of the table that it can be sent.

    An answer that is not streamed says its cost in a header.
    """
    assert {dialect for dialect, _ in KNOWN} == set(SERVED)
    async with running_plane(tmp_path, redis_url) as plane:
        await plane.publish(_config(plane))
        for number, (dialect, row) in enumerate(KNOWN):
            plane.main.queue(_answer(dialect, row))
            reply = await plane.ask(_question(number, row))
            told = reply.headers.get("x-penstock-cost-usd")
            assert told == f"{Decimal(row['micro_usd']).scaleb(-6):.6f}", (row["name"], reply.body)


def _config(plane: Plane) -> SidecarConfig:
    config = plane.config()
    models = tuple(_provider(plane, number, *each) for number, each in enumerate(KNOWN))
    candidates = [(each.id.split("/")[1], each.models[0].name) for each in models]
    return config.model_copy(
        update={"providers": models, "tiers": (tier("fast", *candidates), tier("solo"))}
    )


def _provider(plane: Plane, number: int, dialect: str, row: Row) -> Provider:
    served = model(f"row-{number}").model_copy(
        update={"price": price_of(row["price"]), "capabilities": ("chat", "vision")}
    )
    address = plane.main.url if dialect == "ollama" else f"{plane.main.url}/v1"
    return provider(
        f"p{number}",
        plane.main,
        "",
        type=dialect,
        base_url=address,
        models=(served,),
        needs_key=False,
    )


def _question(number: int, row: Row) -> dict[str, Any]:
    parts = [{"type": "text", "text": "Hi"}, *[PICTURE] * row.get("images", 0)]
    return {"model": f"row-{number}", "messages": [{"role": "user", "content": parts}]}


def _answer(dialect: str, row: Row) -> Raw:
    message = {"role": "assistant", "content": "Hello"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    documents: dict[str, dict[str, Any]] = {
        "openai": {"id": "x", "object": "chat.completion", "choices": [choice]},
        "ollama": {"message": message},
    }
    usage: dict[str, Any] = {"usage": row["usage"]} if dialect == "openai" else row["usage"]
    return Raw((json.dumps(documents[dialect] | usage).encode(),), content_type="application/json")
