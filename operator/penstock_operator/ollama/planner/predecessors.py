"""Which of the Deployments that are there a planned group goes on from."""

from collections.abc import Mapping
from typing import NamedTuple

from penstock_operator.ollama.planner.types import Group


class Place(NamedTuple):
    """Of a group, planned or there."""

    provider: str
    node: str | None
    resources: Mapping[str, int]
    """Of one replica."""
    models: tuple[str, ...]

    def is_same(self, other: "Place") -> bool:
        """Whatever the models."""
        return self[:3] == other[:3]


def predecessors(planned: Mapping[str, Place], there: Mapping[str, Place]) -> dict[str, str]:
    """By planned name, the name of what is there; both by name.

    That of the same name; else one in the same place that is no longer planned, of the same models
    if there is one: a list of models changes, and with it the names of its groups, and the
    Deployment goes on.
    """
    free = {name: place for name, place in sorted(there.items()) if name not in planned}
    found = {name: name for name in planned if name in there}
    for same_models in (True, False):
        for name, place in sorted(planned.items()):
            alike = (
                old
                for old, of in free.items()
                if of.is_same(place) and (of.models == place.models or not same_models)
            )
            if name not in found and (old := next(alike, None)) is not None:
                del free[old]
                found[name] = old
    return found


def place_of(group: Group) -> Place:
    return Place(group.provider, group.node, group.resources, group.models)
