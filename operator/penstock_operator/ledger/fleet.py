"""Managed providers in Redis: what sidecars ask of them, and what is said of their replicas."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from penstock_config.fleet import (
    DEMAND_STALE_SECONDS,
    FLEET_EXPIRY_SECONDS,
    Demand,
    Fleet,
    decode_demand,
)
from penstock_config.layout import Group
from penstock_operator.ledger.store import Command, Store

MAX_PROCESSES: Final = 10_000
"""Sidecars that are looked at: whoever has a login to the group may write what he likes."""
MAX_REQUESTS: Final = 1_000_000
FORGOTTEN_SECONDS: Final = 4 * DEMAND_STALE_SECONDS
"""Then a silent process's field is removed; clocks of pods may differ a little."""

UNREAD_SECONDS: Final = 3600
"""Then what a provider that was deleted was asked for is gone by itself."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What all sidecars together ask of a provider, by model; and what they have at its replicas,
    by their names, for `Replica.in_flight`."""

    in_flight: Mapping[str, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    at_replicas: Mapping[str, int] = field(default_factory=dict)


async def read_demand(store: Store, cluster: str, providers: Sequence[str]) -> Mapping[str, Asked]:
    """By provider's id; of one that could not be read nothing. What processes said that are long
    gone is removed. Raises `LedgerAway`."""
    if not providers:
        return {}
    now = await store.now()
    keys = [Group.of_provider(cluster, each).demand for each in providers]
    replies = await store.ask([("HGETALL", key) for key in keys])
    found: dict[str, Asked] = {}
    forgotten: list[Command] = []
    for provider, key, reply in zip(providers, keys, replies, strict=True):
        if reply is None:
            continue
        demands = {process: _demand(data) for process, data in [*reply.items()][:MAX_PROCESSES]}
        found[provider] = _sum([d for d in demands.values() if d and _is_fresh(d, now)])
        gone = [p for p, d in demands.items() if d is None or now - d.at > FORGOTTEN_SECONDS]
        if gone:
            forgotten.append(("HDEL", key, *gone))
        if demands:
            forgotten.append(("EXPIRE", key, UNREAD_SECONDS))
    if forgotten:
        await store.ask(forgotten)
    return found


async def write_fleets(
    store: Store, cluster: str, fleets: Mapping[str, Fleet], readers: Mapping[str, Collection[str]]
) -> None:
    """By provider's id; each is gone by itself when it is not written again. `readers`: the
    namespaces that use it, each of which gets its own. Raises `LedgerAway`."""
    expiry = FLEET_EXPIRY_SECONDS * 1000
    told = {id_: fleet.model_dump_json() for id_, fleet in fleets.items()}
    commands: list[Command] = [
        ("SET", Group.of_namespace(cluster, namespace).fleet(id_), text, "PX", expiry)
        for id_, text in told.items()
        for namespace in readers.get(id_, ())
    ]
    if commands:
        await store.ask(commands)


def _demand(data: bytes) -> Demand | None:
    return decode_demand(data)


def _is_fresh(demand: Demand, now: float) -> bool:
    """Also of a clock that is ahead, but not of one that would keep it for ever."""
    return abs(now - demand.at) <= DEMAND_STALE_SECONDS


def _sum(demands: Sequence[Demand]) -> Asked:
    in_flight: Counter[str] = Counter()
    waiting: Counter[str] = Counter()
    at_replicas: Counter[str] = Counter()
    for demand in demands:
        in_flight.update(_sane(demand.in_flight))
        waiting.update(_sane(demand.waiting))
        at_replicas.update(_sane(demand.at_replicas))
    return Asked(dict(in_flight), dict(waiting), dict(at_replicas))


def _sane(counts: Mapping[str, int]) -> dict[str, int]:
    return {model: min(count, MAX_REQUESTS) for model, count in counts.items() if count > 0}
