"""Our plan: the operator's planner says what runs where, and this serves requests by it.

Where a group keeps all its models loaded, a request starts as soon as one of its model's parallel
slots is free. Where a group serves more models than fit at once, models take turns:

    a model in memory answers; when it closes, those alone who came before
          ^                                   |
          |                                   v
    the model with the most to gain <--- models with less to lose close, finish, leave

So requests of a model gather while it is out of memory, and one load answers all of them. What a
model has to gain grows with those who wait for it and with the share of their time-outs that is
gone, and is reckoned by the second that the change takes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from penstock_cli.simulation.gpu import Gpu, Resident, Work
from penstock_cli.simulation.placing import Placed
from penstock_cli.simulation.speed import Load, load_seconds

NEWCOMER: Final = 0.2
"""What a request is worth that has just come; one whose time is over is worth 1 more."""
LOSS: Final = 1.6
"""What a request is worth of a model that would have to leave: more than any that waits, so that a
model mostly answers all before it goes. From trying 1 to 30 times `NEWCOMER` on the laptop."""


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
        for model in _leaving(gpu, load, _least_asked_first(gpu), gpu.used_mib):
            since = turns.closing.setdefault(model, now)
            if _is_done(gpu, model, since):
                gpu.evict(model)
                del turns.closing[model]
        if gpu.has_room(load):
            turns.closing.clear()
            turns.wanted = None
            gpu.begin_load(load, now)

    def _next(self, gpu: Gpu, now: float) -> str | None:
        """The model out of memory with the most to gain by the second, if that is enough."""
        best, most = None, 0.0
        order, used = _least_asked_first(gpu), gpu.used_mib
        for model in self._placed[gpu.device.name].models:
            if model in gpu.residents or not gpu.queued[model]:
                continue
            leaving = _leaving(gpu, self._loads[model], order, used)
            loss = sum(gpu.queued[each] + gpu.residents[each].running for each in leaving)
            if gpu.queued[model] * (NEWCOMER + 1) <= LOSS * loss:
                continue
            seconds = load_seconds(gpu.device, self._loads[model])
            gain = sum(_worth(work, now, seconds) for work in gpu.queue(model))
            back = sum(load_seconds(gpu.device, self._loads[each]) for each in leaving)
            if gain > LOSS * loss and gain / (seconds + back) > most:
                best, most = model, gain / (seconds + back)
        return best


def _worth(work: Work, now: float, load_seconds: float) -> float:
    """0 of one that would be too late even if the load began now."""
    gone = now - work.arrived
    if gone + load_seconds >= work.ask.timeout_seconds:
        return 0.0
    return NEWCOMER + gone / work.ask.timeout_seconds


def _least_asked_first(gpu: Gpu) -> list[str]:
    """Its residents; of those that are asked for alike, the longest unused first."""

    def asked(model: str) -> tuple[int, float]:
        resident = gpu.residents[model]
        return resident.running + gpu.queued[model], resident.last_used

    return sorted(gpu.residents, key=asked)


def _leaving(gpu: Gpu, load: Load, order: Sequence[str], used_mib: int) -> list[str]:
    """As many of them as must leave for it."""
    found: list[str] = []
    for model in order:
        if gpu.would_fit(load, used_mib):
            break
        found.append(model)
        used_mib -= gpu.residents[model].load.total_mib
    return found


def _is_done(gpu: Gpu, model: str, since: float) -> bool:
    first = gpu.first(model)
    return not gpu.residents[model].running and (first is None or first.arrived > since)


def _start(gpu: Gpu, model: str, resident: Resident, now: float, until: float | None) -> None:
    """Who waits for it, as long as a slot is free; `until`: if he came no later."""
    while resident.running < resident.load.parallel and (first := gpu.first(model)):
        if until is not None and first.arrived > until:
            return
        gpu.start(first, now)
