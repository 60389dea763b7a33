"""Sentences that say why something is where it is."""

from collections.abc import Iterable
from typing import Final

from penstock_operator.ollama.planner.memory import LOAD_PERCENT
from penstock_operator.ollama.planner.pools import Pool
from penstock_operator.ollama.planner.problem import Asked, Part
from penstock_operator.ollama.planner.types import Wish

MAX_NAMED: Final = 3


def mib(size: int) -> str:
    return f"{size:,} MiB"


def listed(names: Iterable[str]) -> str:
    """`a, b, c and 4 more`."""
    ordered = list(names)
    text = ", ".join(ordered[:MAX_NAMED])
    more = len(ordered) - MAX_NAMED
    return f"{text} and {more} more" if more > 0 else text


def gpus(count: int) -> str:
    return "one GPU" if count == 1 else f"each of {count} GPUs"


def products(pool: Pool) -> str:
    return " or ".join(sorted(pool.products))


def unit(pool: Pool) -> str:
    """What a pod gets there."""
    if pool.sharing == "MIG":
        return f"{products(pool)}'s slice {pool.resource}"
    shared = "a shared " if pool.sharing == "TimeSliced" else ""
    return f"{shared}{products(pool)}"


def why_there(asked: Asked, part: Part, pool: Pool) -> str:
    """The need, what is there, and what else would have done."""
    room = part.room
    what = "the largest of " if asked.wish.loading == "OnDemand" and len(part.models) > 1 else ""
    verb = "needs" if what or len(part.models) == 1 else "need"
    sizes = (
        f"{what}{listed(part.models)} {verb} {mib(room.held_mib)} on {gpus(part.slots)};"
        f" {unit(pool)} on {pool.node.name} has {mib(pool.clear_mib)}"
    )
    return (
        f"{sizes}, {mib(part.headroom_mib)} of it headroom, and Ollama loads what is within"
        f" {LOAD_PERCENT} % of what is free: {_choice(asked, part, pool)}"
    )


def _choice(asked: Asked, part: Part, pool: Pool) -> str:
    others = [asked.pool(index).memory_mib for index in part.pools]
    if len({asked.pool(index).node.name for index in part.pools}) == 1:
        return "the only node that suffices"
    if pool.memory_mib == min(others):
        return "the smallest GPU that suffices"
    return "smaller ones that suffice were taken"


def why_without_gpu(wish: Wish, replicas: int) -> str:
    if wish.gpu is None:
        return "on CPU, as no GPU is asked for: the scheduler chooses the node"
    return (
        f"on CPU, as cpuFallback allows: no GPU has room for {replicas} of {wish.replicas} replicas"
    )
