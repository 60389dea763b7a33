"""Our plan: the operator's planner says what runs where, and this serves requests by it.

Where a group keeps all its models loaded, a request starts as soon as one of its model's parallel
slots is free. Where a group serves more models than fit at once, models take turns, as sidecars
let them: whose turn it is, and who leaves for it, is `penstock_sidecar.fleet.turns`' to say.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from penstock_cli.simulation.gpu import Gpu, Resident, Work
from penstock_cli.simulation.placing import Placed
from penstock_cli.simulation.speed import Load, load_seconds
from penstock_sidecar.fleet import turns as deciding


@dataclass(slots=True)
class _Turns:
    """Of a GPU whose models take turns."""

    closing: dict[str, float] = field(default_factory=dict)
    """Models that answer only who came before this time."""
    wanted: str | None = None
    """For whom room is made."""


class Planned:
    """`placed`: by GPU's name, what it serves."""

    def __init__(self, placed: Mapping[str, Placed], loads: Mapping[str, Load]) -> None:
        self._placed = placed
        self._loads = loads
        self._able: dict[str, list[Gpu]] = {}
        self._turns: dict[Gpu, _Turns] = {}

    def begin(self, gpus: Sequence[Gpu]) -> None:
        for gpu in gpus:
            here = self._placed.get(gpu.device.name)
            if here is None:
                continue
            for model in here.loaded:
                gpu.preload(self._loads[model])
            for model in here.models:
                self._able.setdefault(model, []).append(gpu)
            if set(here.loaded) != set(here.models):
                self._turns[gpu] = _Turns()

    def place(self, work: Work, now: float) -> Gpu | None:  # noqa: ARG002  # as all plans
        """Where the model is loaded, then where fewest ask for it, then where least is done."""
        model = work.call.model

        def load(gpu: Gpu) -> tuple[bool, int, int]:
            resident = gpu.residents.get(model)
            running = resident.running if resident else 0
            return resident is None, running + gpu.queued[model], gpu.busy

        return min(self._able.get(model, ()), key=load, default=None)

    def turn(self, gpu: Gpu, now: float) -> None:
        turns = self._turns.get(gpu)
        if turns and not gpu.loading:
            self._make_room(gpu, turns, now)
        for model, resident in gpu.residents.items():
            _start(gpu, model, resident, now, turns.closing.get(model) if turns else None)

    def _make_room(self, gpu: Gpu, turns: _Turns, now: float) -> None:
        if turns.wanted is None or not gpu.queued[turns.wanted]:
            turns.closing.clear()
            turns.wanted = self._next(gpu, now)
        if turns.wanted is None:
            return
        load = self._loads[turns.wanted]
        for model in deciding.leaving(load.total_mib, _residents(gpu), gpu.would_fit):
            since, first = turns.closing.setdefault(model, now), gpu.first(model)
            came = first.arrived if first else None
            if deciding.is_done(gpu.residents[model].running, came, since):
                gpu.evict(model)
                del turns.closing[model]
        if gpu.has_room(load):
            turns.closing.clear()
            turns.wanted = None
            gpu.begin_load(load, now)

    def _next(self, gpu: Gpu, now: float) -> str | None:
        return deciding.next_turn(self._outside(gpu, now), _residents(gpu), gpu.would_fit)

    def _outside(self, gpu: Gpu, now: float) -> Iterator[deciding.Outside]:
        for model in self._placed[gpu.device.name].models:
            if model in gpu.residents or not gpu.queued[model]:
                continue
            load = self._loads[model]
            seconds = load_seconds(gpu.device, load)
            yield deciding.Outside(model, load.total_mib, seconds, _asked(gpu, model, now), seconds)


def _residents(gpu: Gpu) -> list[deciding.Resident]:
    return [
        deciding.Resident(
            model,
            resident.load.total_mib,
            load_seconds(gpu.device, resident.load),
            resident.running + gpu.queued[model],
            resident.last_used,
        )
        for model, resident in gpu.residents.items()
    ]


def _asked(gpu: Gpu, model: str, now: float) -> Iterator[deciding.Asked]:
    return (deciding.Asked(now - w.arrived, w.ask.timeout_seconds) for w in gpu.queue(model))


def _start(gpu: Gpu, model: str, resident: Resident, now: float, until: float | None) -> None:
    """Who waits for it, as long as a slot is free; `until`: if he came no later."""
    while resident.running < resident.load.parallel and (first := gpu.first(model)):
        if until is not None and first.arrived > until:
            return
        gpu.start(first, now)
