"""Round after round: what is decided comes to rest, whatever happened before."""

from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from penstock_operator.fleet.deciding import Case, decide, leaving, standings
from penstock_operator.fleet.observed import Told
from penstock_operator.ollama.planner.types import Group, Node
from tests.operator.fleet.test_deciding import managed, node
from tests.operator.fleet.things import pod, told

MODELS = ("llama3.2:1b", "llama3.2:3b", "llama3.1:8b", "qwen2.5:14b")
REST = 5
"""Rounds after which nothing moves any more: a new group, its pods, the old one's end."""


class Fleet:
    """Some providers on some nodes. A pod is ready in the round after the one it was made in."""

    def __init__(self, random: Random) -> None:
        self.random = random
        sizes, counts = (8188, 12_282, 24_000, 48_000), (1, 1, 2)
        self.nodes = [
            node(f"n{i}", random.choice(sizes), random.choice(counts))
            for i in range(random.randint(1, 5))
        ]
        self.wanted = {f"p{i}": self._wanted() for i in range(random.randint(1, 4))}
        self.there: dict[str, dict[str, Group]] = {name: {} for name in self.wanted}
        self.ready: set[str] = set()

    def _wanted(self) -> tuple[list[str], int, int]:
        models = self.random.sample(MODELS, self.random.randint(1, 2))
        return models, self.random.randint(1, 3), self.random.randint(0, 3)

    def change(self) -> None:
        self.wanted[self.random.choice(sorted(self.wanted))] = self._wanted()

    def set_usable(self, name: str, *, usable: bool) -> None:
        self.nodes = [replace(n, usable=usable) if n.name == name else n for n in self.nodes]

    def lacks(self, name: str) -> bool:
        """Whether some model has fewer replicas on usable nodes than are wanted."""
        models, count, _ = self.wanted[name]
        usable = {each.name for each in self.nodes if each.usable}
        there = [group for group in self.there[name].values() if group.node in usable]
        return any(sum(g.replicas for g in there if m in g.models) < count for m in models)

    def round(self) -> Any:
        """What is there afterwards."""
        cases = [
            Case(managed(name, models=[{"name": m} for m in models]), count, priority, {}, there)
            for name, (models, count, priority) in self.wanted.items()
            for there in (dict(self.there[name]),)
        ]
        decided = decide(cases, self.nodes)
        dead = frozenset(each.name for each in self.nodes if not each.usable)
        blocked = self._blocked(decided)
        for name, there in self.there.items():
            groups = decided[f"llm/{name}"].groups
            everything = there | {group.name: group for group in groups}
            pods = [each for group in everything.values() for each in self._pods(group)]
            wanted = self.wanted[name][1]
            standing = standings(groups, everything, pods, dead, dead)
            gone = leaving(groups, everything, standing, wanted=wanted, blocked=blocked)
            self.there[name] = {n: g for n, g in everything.items() if n not in gone}
        self.ready = {n for there in self.there.values() for n in there}
        return {name: dict(there) for name, there in self.there.items()}

    def _blocked(self, decided: Any) -> frozenset[str]:
        """Where more pods are to be than there are GPUs: some wait."""
        everything = {
            group.name: group
            for name, there in self.there.items()
            for group in (*there.values(), *decided[f"llm/{name}"].groups)
        }
        pods = Counter[str]()
        for group in everything.values():
            pods[group.node or ""] += group.replicas
        return frozenset(n.name for n in self.nodes if n.usable and pods[n.name] > len(n.slots))

    def _pods(self, group: Group) -> list[Told]:
        if group.node is None:
            return []
        ready = group.name in self.ready
        pods = (
            pod(f"{group.name}-{i}", group.name, node=group.node) for i in range(group.replicas)
        )
        return [told(of=each) if ready else Told(replace(each, ready=False)) for each in pods]


def settled(fleet: Fleet) -> Any:
    """What is there once nothing moves; fails where something does for ever."""
    for _ in range(REST):
        fleet.round()
    first = fleet.round()
    assert [fleet.round() for _ in range(2)] == [first] * 2
    return first


def held(nodes: list[Node], there: dict[str, dict[str, Group]]) -> None:
    """No node has more pods on it than GPUs, nor one with more than these have."""
    for each in nodes:
        groups = [g for t in there.values() for g in t.values() if g.node == each.name]
        assert sum(group.replicas for group in groups) <= len(each.slots)
        memory = max(slot.memory_mib for slot in each.slots)
        assert all(group.required_mib + 1024 <= memory for group in groups)


@pytest.mark.parametrize("seed", range(12))
def test_rounds_come_to_rest_after_whatever_happens(seed: int) -> None:
    fleet = Fleet(Random(seed))
    held(fleet.nodes, settled(fleet))
    lost = fleet.random.choice(fleet.nodes).name
    fleet.set_usable(lost, usable=False)
    without = settled(fleet)
    held(fleet.nodes, without)
    for name, there in without.items():
        kept = [group for group in there.values() if group.node == lost]
        assert not kept or fleet.lacks(name), "what is kept is not all there elsewhere"
    fleet.set_usable(lost, usable=True)
    fleet.change()
    held(fleet.nodes, settled(fleet))
