"""What may go, and when: a provider's last ready replica stays until others serve in its place."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from penstock_operator.ollama.planner.predecessors import place_of, predecessors
from penstock_operator.ollama.planner.types import Group


@dataclass(frozen=True, slots=True)
class Standing:
    """A Deployment of a provider, as it is."""

    name: str
    planned: int
    """Replicas in the plan; 0: no longer in it."""
    ready: int
    models: frozenset[str]
    """What it serves, or will."""
    waits: bool = False
    """Whether its newest pod finds no room on the node."""
    lost: bool = False
    """Whether its node is away, or was a moment ago: it may come back, with models on its disk."""


def removable(standings: Iterable[Standing], *, wanted: int) -> tuple[str, ...]:
    """Names of Deployments that are to be deleted now, sorted.

    `wanted`: replicas that the provider is to have, placed or not; with 0 all go. Else one that is
    no longer planned goes when it serves nobody, or when planned ones have as many ready replicas
    as it, or as they are to have, for all that it serves. One that is lost goes when planned ones
    serve all of it `wanted` times.
    """
    standings = list(standings)
    unplanned = [each for each in standings if not each.planned]
    if wanted == 0:
        return tuple(sorted(each.name for each in unplanned))
    planned = [each for each in standings if each.planned]
    going = (
        each
        for each in unplanned
        if not (each.ready or each.lost) or _replaced(each, planned, wanted)
    )
    return tuple(sorted(each.name for each in going))


def _replaced(going: Standing, planned: Sequence[Standing], wanted: int) -> bool:
    """Models that are in no plan any more are not missed, once any other is ready."""
    kept = going.models & frozenset().union(*(each.models for each in planned))
    return any(each.ready for each in planned) and all(
        _is_served(model, going, planned, wanted) for model in kept
    )


def _is_served(model: str, going: Standing, planned: Sequence[Standing], wanted: int) -> bool:
    serving = [each for each in planned if model in each.models]
    ready = sum(each.ready for each in serving)
    if going.lost:
        return ready >= wanted
    return ready >= min(going.ready, sum(each.planned for each in serving))


def pausable(standings: Iterable[Standing]) -> frozenset[str]:
    """Planned groups of one replica, whose next pod waits until the old one gives it its GPU, and
    of which all models are served by a ready replica elsewhere.

    At most one, so that two do not lean on each other.
    """
    standings = sorted(standings, key=lambda each: each.name)
    for each in standings:
        others = (other for other in standings if other.ready and other.name != each.name)
        served = frozenset().union(*(other.models for other in others))
        if each.waits and each.planned == 1 and each.models <= served:
            return frozenset({each.name})
    return frozenset()


def continued(groups: Sequence[Group], there: Mapping[str, Group]) -> tuple[Group, ...]:
    """The planned groups, under the names of Deployments that they go on from.

    A provider's list of models changes, and with it the names of its groups. A group that is on
    the same node with the same GPUs as one that is no longer planned takes its name: the loader
    changes the models in place, where a second pod would find no GPU. `there`: by Deployment.
    """
    planned = {group.name: place_of(group) for group in groups}
    old = predecessors(planned, {name: place_of(group) for name, group in there.items()})
    return tuple(replace(group, name=old.get(group.name, group.name)) for group in groups)
