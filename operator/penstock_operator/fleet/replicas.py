"""What sidecars are told of a managed provider's replicas."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from penstock_config.fleet import Fleet, Replica
from penstock_operator.fleet.observed import Told
from penstock_operator.ollama.names import OLLAMA_PORT
from penstock_operator.ollama.planner.types import Group
from penstock_operator.ollama.progress import ModelProgress, State

ON_DISK: Final[frozenset[State]] = frozenset({"Ready", "Idle"})
MAX_REPLICAS: Final = 1000
MAX_TEXT: Final = 600
PERCENT: Final = 100
DOING: Final[tuple[tuple[State, str], ...]] = (
    ("Loading", "loading {name}"),
    ("Creating", "creating {name}"),
    ("Pulling", "pulling {name}{share}"),
    ("Failed", "{name} failed: {message}"),
    ("Waiting", "waiting to pull {name}"),
)
"""What is said of the models that are not there yet, the furthest first."""


def fleet_of(
    pods: Iterable[Told], groups: Iterable[Group], wanted: int, now: float, otherwise: str = ""
) -> Fleet:
    """`otherwise`: what is said while fewer are ready than wanted and no pod says why."""
    by_name = {group.name: group for group in groups}
    there = [each for each in pods if each.pod.address and not each.pod.leaving][:MAX_REPLICAS]
    replicas = tuple(_replica(told, by_name.get(told.pod.group)) for told in there)
    enough = sum(replica.ready for replica in replicas) >= wanted
    message = "" if enough else doing(there) or otherwise
    return Fleet(at=now, replicas=replicas, wanted=wanted, message=message[:MAX_TEXT])


def with_load(fleet: Fleet, at_replicas: Mapping[str, int]) -> Fleet:
    """With what sidecars have at each replica, by its name."""
    replicas = (
        each.model_copy(update={"in_flight": at_replicas.get(each.name, 0)})
        for each in fleet.replicas
    )
    return fleet.model_copy(update={"replicas": tuple(replicas)})


def address_of(ip: str) -> str:
    return f"[{ip}]" if ":" in ip else ip


def doing(pods: Sequence[Told]) -> str:
    """What the replica does that will be ready first; empty when none says anything."""
    models = [m for each in pods if each.progress for m in each.progress.models]
    for state, text in DOING:
        found = [model for model in models if model.state == state]
        if found:
            first = max(found, key=lambda model: (percent(model) or 0, model.name))
            share = percent(first)
            shown = "" if share is None else f", {share} %"
            return text.format(name=first.name, share=shown, message=first.message)
    faults = (each.pod.fault or each.pod.unschedulable for each in pods)
    return next(filter(None, faults), "")


def percent(model: ModelProgress) -> int | None:
    """Of what is being pulled; `None` where nobody knows how much it is."""
    if model.state != "Pulling" or model.total_bytes <= 0:
        return None
    return max(0, min(PERCENT, model.completed_bytes * PERCENT // model.total_bytes))


def _answers(model: ModelProgress) -> bool:
    """What is in memory answers, also while it is made anew."""
    return model.state in ON_DISK or model.size_bytes > 0


def _is_loaded(model: ModelProgress) -> bool:
    """Older servers list what they still load."""
    return model.size_bytes > 0 and model.state != "Loading"


def _replica(told: Told, group: Group | None) -> Replica:
    """Of a ready pod that does not answer us, as by a NetworkPolicy, what was planned holds."""
    if told.progress is None:
        models, loaded = (group.models, group.loaded) if group and told.pod.ready else ((), ())
    else:
        there = [model for model in told.progress.models if _answers(model)]
        models = tuple(sorted(model.name for model in there))
        loaded = tuple(sorted(model.name for model in there if _is_loaded(model)))
    return Replica(
        name=told.pod.name,
        address=f"http://{address_of(told.pod.address or '')}:{OLLAMA_PORT}",
        ready=told.pod.ready and (told.progress is None or told.progress.ready),
        models=models,
        loaded=loaded,
    )
