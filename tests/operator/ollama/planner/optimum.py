"""The best that is possible, by trying everything. For small cases."""

from collections.abc import Iterator, Sequence

from penstock_operator.ollama.planner.types import Node, Wish
from tests.operator.ollama.planner.checker import fits, levels_of, may_run, pools

Models = tuple[str, ...]
Pods = tuple[tuple[int, Models], ...]
"""Wish and models of each, sorted."""
State = tuple[Pods, ...]
"""Of each pool."""
Dead = frozenset[tuple[int, str]]
"""Wishes' models that a replica had to do without: later ones do not make up for it."""


def optimum(nodes: Sequence[Node], wishes: Sequence[Wish]) -> tuple[int, ...]:
    """The highest `worth` of all plans."""
    search = _Search(nodes, wishes)
    return search.best(0, ((),) * len(search.places), frozenset())


class _Search:
    def __init__(self, nodes: Sequence[Node], wishes: Sequence[Wish]) -> None:
        self.places = [(node, slots) for node in nodes for slots in pools(node).values()]
        self._wishes = wishes
        self._levels = levels_of(wishes)
        self._turns = sorted(
            (self._levels.index((replica, -wish.priority)), index)
            for index, wish in enumerate(wishes)
            for replica in range(1, wish.replicas + 1)
        )
        self._known: dict[tuple[int, State, Dead], tuple[int, ...]] = {}
        self._rooms: dict[tuple[int, Pods], bool] = {}

    def best(self, turn: int, state: State, dead: Dead) -> tuple[int, ...]:
        """What can still be won."""
        if turn == len(self._turns):
            return (0,) * (2 * len(self._levels))
        key = (turn, state, dead)
        if key not in self._known:
            self._known[key] = max(self._outcomes(turn, state, dead))
        return self._known[key]

    def _outcomes(self, turn: int, state: State, dead: Dead) -> Iterator[tuple[int, ...]]:
        level, index = self._turns[turn]
        names = tuple(need.model for need in self._wishes[index].needs)
        alive = tuple(name for name in names if (index, name) not in dead)
        for served, after in self._ways(index, alive, state):
            lost = frozenset((index, name) for name in names if name not in served)
            value = list(self.best(turn + 1, after, dead | lost))
            if len(served) == len(names):
                value[2 * level] += 1
            else:
                value[2 * level + 1] += len(served)
            yield tuple(value)

    def _ways(self, index: int, models: Models, state: State) -> Iterator[tuple[Models, State]]:
        """Which models can be served, in any pods anywhere, with the state after it."""
        if not models:
            yield (), state
            return
        first, others = models[0], models[1:]
        yield from self._ways(index, others, state)
        for chosen in range(2 ** len(others)):
            mates = tuple(model for bit, model in enumerate(others) if chosen >> bit & 1)
            left = tuple(model for model in others if model not in mates)
            for after in self._with(index, tuple(sorted((first, *mates))), state):
                for served, last in self._ways(index, left, after):
                    yield (first, *mates, *served), last

    def _with(self, index: int, models: Models, state: State) -> Iterator[State]:
        for place, (node, slots) in enumerate(self.places):
            pods = tuple(sorted((*state[place], (index, models))))
            if may_run(node, slots, self._wishes[index]) and self._room(place, pods):
                yield (*state[:place], pods, *state[place + 1 :])

    def _room(self, place: int, pods: Pods) -> bool:
        if (place, pods) not in self._rooms:
            run = [(self._wishes[index], models) for index, models in pods]
            self._rooms[place, pods] = fits(self.places[place][1], run)
        return self._rooms[place, pods]
