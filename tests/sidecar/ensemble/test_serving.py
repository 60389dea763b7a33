"""Ensembles as callers see them: a whole sidecar, real Redis, scripted models."""

import json

from penstock_cli.stub import Behaviour, Ok
from penstock_config.tier import Tier
from tests.planes.plane import Plane, chat
from tests.sidecar.ensemble.house import (
    PANEL,
    figures,
    house,
    members,
    one_provider,
    panel,
    publish,
)

THREE = {"medium": (2, 3)}


def script(plane: Plane, *behaviours: Behaviour) -> None:
    """Of m1, m2, ..., in this order."""
    for number, behaviour in enumerate(behaviours, 1):
        plane.main.always(behaviour, model=f"upstream-m{number}")


async def serving(plane: Plane, *behaviours: Behaviour, tier: Tier | None = None) -> None:
    script(plane, *behaviours)
    numbers = range(1, len(behaviours) + 1)
    providers = [one_provider(plane, number) for number in numbers]
    await publish(plane, house(providers, tier or panel(list(numbers), THREE)))


async def test_the_majoritys_answer_is_given_with_the_figures(plane: Plane) -> None:
    await serving(
        plane, Ok("Lyon"), Ok("Paris."), Ok("paris"), tier=panel([1, 2, 3], THREE, quorum=3)
    )
    answer = await plane.ask(chat(model=PANEL))
    assert answer.status == 200
    assert json.loads(answer.body)["choices"][0]["message"]["content"] == "Paris."
    assert answer.headers["x-penstock-model"] == "m2"
    assert figures(answer) == {
        "asked": "3",
        "answered": "3",
        "agreement": "0.667",
        "consensus": "majority",
    }
    assert members(answer) == {
        "m1": {"result": "dissented", "confidence": "0.333"},
        "m2": {"result": "chosen", "confidence": "0.667"},
        "m3": {"result": "agreed", "confidence": "0.667"},
    }
