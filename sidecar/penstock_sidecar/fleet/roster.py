"""Which replicas are ready, by the models that they have: made of one word of the operator's."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Self

from penstock_config.fleet import Fleet, Replica
from penstock_sidecar.fleet.addresses import usable
from penstock_sidecar.fleet.choosing import canonical

MAX_REPLICAS: Final = 256
"""That are looked at: whoever has a sidecar's Redis login may write more."""


class Member(NamedTuple):
    """A ready replica that has a model on its disk."""

    name: str
    address: str
    loaded: bool
    """And in its memory."""
    in_flight: int
    """Requests that all sidecars have there."""


class Situation(NamedTuple):
    """How many replicas have a model."""

    ready: int
    """On their disk."""
    loaded: int
    """Of these, in their memory."""


NOBODY: Final = Situation(0, 0)


class Roster:
    """Asked for every request: all is counted beforehand."""

    def __init__(
        self,
        names: frozenset[str],
        members: Mapping[str, Sequence[Member]],
        loaded: Mapping[str, frozenset[str]],
    ) -> None:
        self.names: Final = names
        self._loaded = loaded
        self._members = members
        self._situations = {
            model: Situation(len(found), sum(each.loaded for each in found))
            for model, found in members.items()
        }

    @classmethod
    def of(cls, fleet: Fleet, base_url: str) -> Self:
        """Of those replicas that the provider at `base_url` may have."""
        found = {
            each.name: each
            for each in fleet.replicas[:MAX_REPLICAS]
            if each.ready and each.name and usable(each.address, base_url)
        }
        members: defaultdict[str, list[Member]] = defaultdict(list)
        in_memory: dict[str, frozenset[str]] = {}
        for name, replica in found.items():
            loaded = in_memory[name] = frozenset(map(canonical, replica.loaded))
            for model in loaded.union(map(canonical, replica.models)):
                members[model].append(_member(name, replica, loaded=model in loaded))
        return cls(frozenset(found), dict(members), in_memory)

    def members(self, model: str) -> Sequence[Member]:
        return self._members.get(canonical(model), ())

    def loaded_at(self, name: str) -> frozenset[str]:
        """Models in that replica's memory, by their full names."""
        return self._loaded.get(name, frozenset())

    def situation(self, model: str) -> Situation:
        return self._situations.get(canonical(model), NOBODY)


def _member(name: str, replica: Replica, *, loaded: bool) -> Member:
    return Member(name, replica.address, loaded, replica.in_flight)
