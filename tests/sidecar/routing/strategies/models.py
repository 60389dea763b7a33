"""Candidates to choose among, and what is asked."""

from dataclasses import replace
from typing import Any

from penstock_config.classification import Complexity, Task
from penstock_config.provider import Model, Price
from penstock_sidecar.model import Candidate
from penstock_sidecar.routing.asked import Asked
from tests.sidecar.routing.builders import provider, request

MICRO = 1_000_000
"""Pico-USD in a micro-USD."""


def priced(name: str, micro_usd: float | None, **fields: Any) -> Model:
    """A token, either way, costs so much; None is unknown."""
    pico = None if micro_usd is None else round(micro_usd * MICRO)
    price = None if pico is None else Price(input_token=pico, output_token=pico)
    return Model(name=name, upstream_name=name, capabilities=("chat",), price=price, **fields)


def candidate(model: Model, *, weight: int = 1) -> Candidate:
    return Candidate(provider("p", model), model, "fast", "shop/fast", weight)


def plain(names: str, **fields: Any) -> list[Candidate]:
    """One for each word."""
    return [candidate(priced(name, 0, **fields)) for name in names.split()]


def asked(
    *,
    tokens: int = 100,
    task: Task = "chat",
    complexity: Complexity = "medium",
    stream: bool = True,
    max_output_tokens: int | None = None,
) -> Asked:
    wanted = replace(request("fast", max_output_tokens=max_output_tokens), stream=stream)
    return Asked(wanted, tokens, task, complexity)


def names(ranked: Any) -> str:
    return " ".join(c.model.name for c in ranked)
