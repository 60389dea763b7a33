"""Ensembles to serve: models m1, m2, ... of providers p1, p2, ..., all on one scripted server."""

import asyncio
import json
import re
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from penstock_cli.stub import Behaviour, Broken, Ok, Pause, Status
from penstock_config.budget import Amounts, Budget
from penstock_config.classification import Complexity
from penstock_config.credentials import Credentials
from penstock_config.layout import Group
from penstock_config.policy import Target
from penstock_config.provider import Model, Provider
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Candidate, Ensemble, EnsembleSize, Tier, TierTimeout
from tests.planes.plane import KEY, NAMESPACE, Plane, chat, model, policy, provider
from tests.sidecar.http.edge import Response
from tests.sidecar.limits.books import Books

PANEL = "panel"
TEAM = Group.of_namespace("test", NAMESPACE)
Sizes = Mapping[Complexity, tuple[int, int]]
"""The least and the most models for requests of a complexity."""
MEMBER = re.compile(r'"team/([^"/]+)/([^"]+)"((?:;[a-z]+=[\w.]+)*)')


def named(number: int, **changes: Any) -> Model:
    fields = {"quality": 50, **changes}
    return model(f"m{number}").model_copy(update=fields)


def one_provider(plane: Plane, number: int, of: Model | None = None, **changes: Any) -> Provider:
    fields = {"models": (of or named(number),), **changes}
    return provider(f"p{number}", plane.main, f"m{number}", **fields)


def panel(
    numbers: Sequence[int],
    sizes: Sizes,
    name: str = PANEL,
    seconds: int = 30,
    **ensemble: Any,
) -> Tier:
    """A tier whose candidates are asked in this order."""
    wanted = Ensemble(
        sizes=tuple(
            EnsembleSize(complexity=complexity, min=least, max=most)
            for complexity, (least, most) in sizes.items()
        ),
        **ensemble,
    )
    return Tier(
        id=f"{NAMESPACE}/{name}",
        name=name,
        candidates=tuple(
            Candidate(provider=f"{NAMESPACE}/p{n}", model=f"m{n}", priority=place)
            for place, n in enumerate(numbers)
        ),
        timeouts=tuple(TierTimeout(complexity=each, seconds=seconds) for each in sizes),
        ensemble=wanted,
    )


def house(
    providers: Sequence[Provider], *tiers: Tier, budgets: Sequence[Budget] = (), **changes: Any
) -> SidecarConfig:
    """One policy over these tiers."""
    ids = tuple(tier.id for tier in tiers)
    ruling = policy(default=Target(tier=ids[0]), tiers=ids, **changes)
    return SidecarConfig(
        cluster="test",
        namespace=NAMESPACE,
        providers=tuple(providers),
        tiers=tiers,
        policies=(ruling,),
        budgets=tuple(budgets),
    )


def daily(micro_usd: int) -> Budget:
    return Budget(id=f"{NAMESPACE}/team", limits=Amounts(daily=micro_usd))


async def publish(plane: Plane, config: SidecarConfig) -> None:
    plain = plane.credentials()
    keys = {each.id: (SecretStr(KEY),) for each in config.providers}
    credentials: Credentials = plain.model_copy(update={"provider_keys": keys})
    await plane.publish(config, credentials)


def script(plane: Plane, *behaviours: Behaviour) -> None:
    """Of m1, m2, ..., in this order."""
    for number, behaviour in enumerate(behaviours, 1):
        plane.main.always(behaviour, model=f"upstream-m{number}")


def gated(*behaviours: Ok | Broken) -> tuple[list[Behaviour], list[asyncio.Event]]:
    """The same, each behind a gate of its own."""
    gates = [asyncio.Event() for _ in behaviours]
    return [behind(gate, each) for gate, each in zip(gates, behaviours, strict=True)], gates


def behind(gate: Pause, behaviour: Ok | Status | Broken) -> Behaviour:
    """The same once the gate is open."""
    if isinstance(behaviour, Broken):
        return replace(behaviour, answer=replace(behaviour.answer, first=gate))
    return replace(behaviour, first=gate)


async def in_turn(
    plane: Plane, asking: Coroutine[None, None, Response], gates: Sequence[asyncio.Event]
) -> Response:
    """m1 has answered, or gone, before m2 begins, and so on."""
    asked = asyncio.create_task(asking)
    before = len(plane.main.requests)
    await plane.main.request(before + len(gates))
    seen = {each.model: each for each in plane.main.requests[before:]}
    for number, gate in enumerate(gates, 1):
        gate.set()
        await seen[f"upstream-m{number}"].ended.wait()
    return await asked


async def ask(plane: Plane, complexity: Complexity = "medium", **fields: Any) -> Response:
    document = chat(**{"model": PANEL, **fields})
    return await plane.ask(document, **{"x-penstock-complexity": complexity})


def text_of(response: Response) -> str:
    found = json.loads(response.body)["choices"][0]["message"]["content"]
    assert isinstance(found, str)
    return found


async def books_of(plane: Plane, redis_url: str) -> Books:
    """Once all settlements are told."""
    runtime = plane.sidecar._holder.peek()
    assert runtime
    await runtime.settled()
    return TeamBooks(redis_url)


class TeamBooks(Books):
    """Of this namespace and its one budget."""

    def money(self, group: Group = TEAM, budget: str = f"{NAMESPACE}/team") -> dict[str, int]:
        return super().money(group, budget)


def figures(response: Response) -> dict[str, str]:
    """Of `x-penstock-ensemble`; what has no value is there with none."""
    said = response.headers["x-penstock-ensemble"].split(", ")
    return {name: value for name, _, value in (each.partition("=") for each in said)}


def members(response: Response) -> dict[str, dict[str, str]]:
    """What `x-penstock-ensemble-models` says of each model."""
    found = {}
    for _, name, said in MEMBER.findall(response.headers["x-penstock-ensemble-models"]):
        pairs = (each.partition("=") for each in said.split(";") if each)
        found[name] = {key: value for key, _, value in pairs}
    return found


def results(response: Response) -> dict[str, str]:
    return {name: said["result"] for name, said in members(response).items()}
