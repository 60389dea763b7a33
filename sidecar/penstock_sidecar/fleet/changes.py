"""Which change of models is under way at each replica, and what is in its memory meanwhile.

    closing: who must leave answers those who came before, and nobody else gets a seat there
       │     but at models that stay
       ▼
    open: requests of the new model have seats; Ollama has idle models leave, and loads it
       │
       ▼
    over: it is loaded, by its first answer or the operator's word; or nobody has a seat there
          any more; or it takes too long

The operator's word is some seconds old: what was seen here since holds for as long. No I/O, and no
clock: `now` is the process's monotonic one. Models go by Ollama's full names.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self

from penstock_config.fleet import DEMAND_SECONDS, FLEET_SECONDS
from penstock_config.provider import Provider
from penstock_sidecar.fleet.choosing import canonical
from penstock_sidecar.fleet.turns import (
    Asked,
    Memory,
    Outside,
    Resident,
    is_done,
    leaving,
    next_turn,
)

SURE_SECONDS: Final = 2 * FLEET_SECONDS + DEMAND_SECONDS
"""How long what was seen here holds against the operator's word: it asks replicas, writes, and is
read."""
LOAD_TIMES: Final = 3
LOAD_GRACE_SECONDS: Final = 10.0
"""A change may take so many times the estimate of the load, and so much more."""
UNKNOWN_LOAD_SECONDS: Final = 10.0


class Came(NamedTuple):
    """A request that waits, and may be answered by the replica."""

    at: float
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class View:
    """One replica. By model; what has no size is left out."""

    name: str
    told: frozenset[str]
    """In its memory, by the operator's word."""
    in_flight: Mapping[str, int]
    """Of this sidecar."""
    waiting: Mapping[str, Sequence[Came]]


@dataclass(frozen=True, slots=True)
class Rules:
    """What a provider's configuration says of its models' turns. Sizes are bytes."""

    memory: Memory
    sizes: Mapping[str, int]
    load_seconds: Mapping[str, float]

    @classmethod
    def of(cls, provider: Provider) -> Self | None:
        """`None`: they take no turns, or too little is known."""
        managed = provider.managed
        if managed is None or not managed.on_demand or managed.memory_bytes is None:
            return None
        sizes, seconds = {}, {}
        for model in provider.models:
            if model.vram_bytes is not None:
                name = canonical(model.upstream_name)
                sizes[name] = model.vram_bytes
                seconds[name] = model.load_seconds or UNKNOWN_LOAD_SECONDS
        memory = Memory(managed.memory_bytes, managed.headroom_bytes, managed.one_at_a_time)
        return cls(memory, sizes, seconds)


@dataclass(slots=True)
class Change:
    model: str
    closing: dict[str, float] = field(default_factory=dict)
    """Who must leave, and since when."""
    gone: list[str] = field(default_factory=list)
    """Who has left."""
    opened_at: float | None = None


class Changes:
    """Of all replicas of a provider."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self._under_way: dict[str, Change] = {}
        self._seen: dict[tuple[str, str], tuple[bool, float]] = {}
        """Whether a model is in a replica's memory, and until when that holds."""
        self._used_at: dict[tuple[str, str], float] = {}

    @staticmethod
    def of(provider: Provider, former: "Changes | None") -> "Changes | None":
        """Of a new configuration: what is under way goes on."""
        rules = Rules.of(provider)
        if rules is None or former is None:
            return Changes(rules) if rules else None
        former.rules = rules
        return former

    def under_way(self, replica: str) -> Change | None:
        return self._under_way.get(replica)

    def is_loaded(self, replica: str, model: str, now: float, *, told: bool) -> bool:
        """`told`: by the operator's word."""
        found, until = self._seen.get((replica, canonical(model)), (told, now))
        return found if now < until else told

    def admits(self, replica: str, model: str, came: float, *, loaded: bool) -> bool:
        """Whether a request that came then may have a seat there. Without a size: at once."""
        name, change = canonical(model), self._under_way.get(replica)
        if name not in self.rules.sizes:
            return True
        if change and change.opened_at is not None and change.model == name:
            return True
        closed_at = change.closing.get(name) if change else None
        return loaded and (closed_at is None or came <= closed_at)

    def used(self, replica: str, model: str, now: float) -> None:
        self._used_at[replica, canonical(model)] = now

    def answered(self, replica: str, model: str, now: float) -> None:
        """It is in memory, for sure."""
        self._seen[replica, canonical(model)] = (True, now + SURE_SECONDS)

    def keep(self, replicas: frozenset[str]) -> None:
        """All others are gone."""
        self._under_way = {n: each for n, each in self._under_way.items() if n in replicas}
        self._seen = {key: each for key, each in self._seen.items() if key[0] in replicas}
        self._used_at = {key: at for key, at in self._used_at.items() if key[0] in replicas}

    def turn(self, view: View, now: float) -> bool:
        """Goes on with what is under way, or begins a change. Whether anybody may have a seat now
        who could have none before."""
        change = self._under_way.get(view.name)
        over = change is not None and self._is_over(change, view, now)
        if change and over:
            self._end(change, view.name, now)
            change = None
        if change is None:
            wanted = self._next(view, now)
            if wanted is None:
                return over
            change = self._under_way[view.name] = Change(wanted)
        opened = change.opened_at is None and self._makes_room(change, view, now)
        return opened or over

    def _is_over(self, change: Change, view: View, now: float) -> bool:
        model = change.model
        if model not in self.rules.sizes or model in self._loaded(view, now):
            return True
        if change.opened_at is None:
            return not view.waiting.get(model)
        seconds = self.rules.load_seconds.get(model, UNKNOWN_LOAD_SECONDS)
        late = now - change.opened_at > LOAD_TIMES * seconds + LOAD_GRACE_SECONDS
        return late or not view.in_flight.get(model)

    def _end(self, change: Change, replica: str, now: float) -> None:
        """The operator needs time to see it too. Nobody left for one that was never opened."""
        del self._under_way[replica]
        for model in change.gone:
            gone = change.opened_at is not None
            self._seen[replica, model] = (not gone, now + SURE_SECONDS)

    def _makes_room(self, change: Change, view: View, now: float) -> bool:
        """Those who are done leave; whether there is room then."""
        size = self.rules.sizes[change.model]
        for model in leaving(size, [*self._residents(view, now)], self.rules.memory.fits):
            closed_at = change.closing.setdefault(model, now)
            first = min((each.at for each in view.waiting.get(model, ())), default=None)
            if is_done(view.in_flight.get(model, 0), first, closed_at):
                self._seen[view.name, model] = (False, float("inf"))
                change.gone.append(model)
                del change.closing[model]
        left = [*self._residents(view, now)]
        if leaving(size, left, self.rules.memory.fits):
            return False
        change.closing.clear()
        change.opened_at = now
        return True

    def _next(self, view: View, now: float) -> str | None:
        here = [*self._residents(view, now)]
        outside = self._outside(view, {each.name for each in here}, now)
        return next_turn(outside, here, self.rules.memory.fits)

    def _outside(self, view: View, inside: Iterable[str], now: float) -> Iterator[Outside]:
        for model, came in view.waiting.items():
            if model in self.rules.sizes and model not in inside:
                asked = (Asked(now - each.at, each.timeout_seconds) for each in came)
                seconds = self.rules.load_seconds[model]
                yield Outside(model, self.rules.sizes[model], seconds, asked)

    def _residents(self, view: View, now: float) -> Iterator[Resident]:
        for model in self._loaded(view, now):
            yield Resident(
                model,
                self.rules.sizes[model],
                self.rules.load_seconds[model],
                view.in_flight.get(model, 0) + len(view.waiting.get(model, ())),
                self._used_at.get((view.name, model), 0.0),
            )

    def _loaded(self, view: View, now: float) -> list[str]:
        return [
            model
            for model in self.rules.sizes
            if self.is_loaded(view.name, model, now, told=model in view.told)
        ]
