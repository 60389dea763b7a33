"""The naive plan: what several Ollamas do as they come, behind a Service.

Each GPU holds one model, loaded on demand in the place of the former; it answers one request at a
time, in the order of their coming, and computes nothing while it loads. A request goes where its
model is and nobody waits, else where nobody waits, else to the shortest queue: more than a Service
would do, which knows nothing of models.
"""

from collections.abc import Mapping, Sequence

from penstock_cli.simulation.gpu import Gpu, Work
from penstock_cli.simulation.speed import Load


class Naive:
    """`loads`: with one request at a time."""

    def __init__(self, loads: Mapping[str, Load]) -> None:
        self._loads = loads
        self._able: dict[str, list[Gpu]] = {}

    def begin(self, gpus: Sequence[Gpu]) -> None:
        """Each has something in memory: one of the models that it has room for, by turns."""
        for index, gpu in enumerate(gpus):
            fitting = [load for _, load in sorted(self._loads.items()) if gpu.fits(load)]
            if fitting:
                gpu.preload(fitting[index % len(fitting)])
        self._able = {
            model: [gpu for gpu in gpus if gpu.fits(load)] for model, load in self._loads.items()
        }

    def place(self, work: Work, now: float) -> Gpu | None:  # noqa: ARG002  # as all plans
        model = work.call.model
        return min(
            self._able[model], key=lambda gpu: (gpu.busy, model not in gpu.residents), default=None
        )

    def turn(self, gpu: Gpu, now: float) -> None:
        if gpu.loading or gpu.running:
            return
        work = gpu.oldest()
        if work is None:
            return
        if work.call.model in gpu.residents:
            gpu.start(work, now)
            return
        for model in tuple(gpu.residents):
            gpu.evict(model)
        gpu.begin_load(self._loads[work.call.model], now)
