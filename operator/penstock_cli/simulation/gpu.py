"""One simulated GPU: what is in its memory, who computes on it, and how fast that goes on.

Between two events nothing changes, so progress is linear. Models take turns in equal parts of the
time, as processes on a GPU do; so does each prompt that is read. Loading takes the bus alone:
what is already loaded computes meanwhile.
"""

import math
from bisect import insort
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from penstock_cli.simulation.speed import Device, Load, load_seconds, prefill_seconds, step_seconds
from penstock_cli.simulation.trace import Ask, Call
from penstock_operator.ollama.planner.memory import LOAD_PERCENT

NEAR: Final = 1e-9
NEVER: Final = math.inf


@dataclass(slots=True, eq=False)
class Work:
    """A call on its way."""

    ask: Ask
    call: Call
    arrived: float
    started: float | None = None
    ended: float | None = None
    """When it was answered or given up."""
    answered: bool = False
    gpu_seconds: float = 0.0
    """What it took of its GPU, so far."""
    prefill_left: float = 0.0
    """Seconds of the GPU alone."""
    due: float = 0.0
    """Tokens of its batch's count at which it is finished."""
    loading_seconds: float = 0.0
    memory_seconds: float = 0.0
    """Of its wait, what was loading, and what it was not in memory for while others computed."""
    marks: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __lt__(self, other: "Work") -> bool:
        return self.due < other.due


@dataclass(slots=True)
class Batch:
    """Requests of one model that decode together."""

    steps: tuple[float, ...]
    """Seconds of a step, by the number of requests."""
    works: list[Work] = field(default_factory=list)
    """The one that is finished first comes first."""
    tokens: float = 0.0
    share: float = 0.0
    """GPU seconds of each request, added up since the beginning."""


@dataclass(slots=True)
class Resident:
    """A model in memory."""

    load: Load
    computing_before: float
    """The GPU's seconds of computing when it came."""
    running: int = 0
    last_used: float = 0.0


class Gpu:
    """Its clock is the last event's; `advance` before any change."""

    def __init__(self, device: Device, headroom_mib: int) -> None:
        self.device = device
        self.capacity_mib = device.memory_mib - headroom_mib
        self.residents: dict[str, Resident] = {}
        self.loading: Load | None = None
        self.loaded_at = NEVER
        self.loads = 0
        self.running = 0
        """Requests that it computes."""
        self.busy = 0
        """Those, and the ones that wait."""
        self.queued: Counter[str] = Counter()
        """Those that wait, by model."""
        self.computing_seconds = 0.0
        self.stalled_seconds = 0.0
        """Loading, and nothing to compute or nobody in memory who could."""
        self._clock = 0.0
        self._waiting: dict[str, deque[Work]] = {}
        self._batches: dict[str, Batch] = {}
        self._prefilling: list[Work] = []
        self._steps: dict[str, tuple[float, ...]] = {}
        self._loading_beside: dict[str, float] = {}
        self._resident_before: dict[str, float] = {}

    @property
    def used_mib(self) -> int:
        coming = self.loading.total_mib if self.loading else 0
        return coming + sum(each.load.total_mib for each in self.residents.values())

    def fits(self, load: Load) -> bool:
        """Whether it would be loaded wholly if nothing else were there."""
        return self.would_fit(load.total_mib, 0)

    def has_room(self, load: Load) -> bool:
        """Whether it would be loaded wholly beside what is there."""
        return self.would_fit(load.total_mib, self.used_mib)

    def would_fit(self, total_mib: int, used_mib: int) -> bool:
        """Whether a model that takes as much would be loaded wholly beside so much."""
        within = total_mib * 100 <= LOAD_PERCENT * (self.device.memory_mib - used_mib)
        return within and used_mib + total_mib <= self.capacity_mib

    def add(self, work: Work) -> None:
        """Let it wait here."""
        self._waiting.setdefault(work.call.model, deque()).append(work)
        self.queued[work.call.model] += 1
        self.busy += 1
        work.marks = self._marks(work.call.model)

    def remove(self, work: Work) -> None:
        """It gives up waiting, or goes elsewhere."""
        self._waiting[work.call.model].remove(work)
        self._no_longer_waits(work)
        self.busy -= 1

    def first(self, model: str) -> Work | None:
        """Of those that wait for a model, the one that came first."""
        queue = self._waiting.get(model)
        return queue[0] if queue else None

    def queue(self, model: str) -> Iterable[Work]:
        """Who waits for a model, in the order of their coming."""
        return self._waiting.get(model, ())

    def oldest(self) -> Work | None:
        heads = [queue[0] for queue in self._waiting.values() if queue]
        return min(heads, key=lambda work: (work.arrived, work.ask.number), default=None)

    def begin_load(self, load: Load, now: float) -> None:
        self.advance(now)
        self.loading, self.loads = load, self.loads + 1
        self.loaded_at = now + load_seconds(self.device, load)

    def preload(self, load: Load) -> None:
        """Before the first request."""
        self.residents[load.name] = Resident(load, 0.0)

    def evict(self, model: str) -> None:
        gone = self.residents.pop(model)
        spent = self.computing_seconds - gone.computing_before
        self._resident_before[model] = self._resident_before.get(model, 0.0) + spent

    def start(self, work: Work, now: float) -> None:
        """The first of its model's waiting ones begins; its model is resident, a slot is free."""
        self.advance(now)
        self._waiting[work.call.model].popleft()
        self._no_longer_waits(work)
        resident = self.residents[work.call.model]
        resident.running += 1
        self.running += 1
        resident.last_used = now
        work.started = now
        work.prefill_left = prefill_seconds(self.device, resident.load, work.call.prompt_tokens)
        self._prefilling.append(work)

    def cancel(self, work: Work, now: float) -> None:
        """It runs, and nobody wants it any more."""
        self.advance(now)
        if work in self._prefilling:
            self._prefilling.remove(work)
        else:
            self._leave_batch(work)
        self._stopped(work, now)

    def settle(self, now: float) -> list[Work]:
        """What was finished by now."""
        self.advance(now)
        for work in [w for w in self._prefilling if w.prefill_left <= NEAR]:
            self._prefilling.remove(work)
            self._decode(work)
        done = [work for batch in self._batches.values() for work in self._finished(batch)]
        for work in done:
            self._leave_batch(work)
            self._stopped(work, now)
            work.answered = True
        if self.loading and self.loaded_at <= now + NEAR:
            load, self.loading, self.loaded_at = self.loading, None, NEVER
            self.residents[load.name] = Resident(load, self.computing_seconds, last_used=now)
        return done

    def next_event(self) -> float:
        """When something is finished, if nothing comes between."""
        turns = len(self._batches) + len(self._prefilling)
        soonest = self.loaded_at
        for batch in self._batches.values():
            left = max(batch.works[0].due - batch.tokens, 0.0)
            soonest = min(soonest, self._clock + left * batch.steps[len(batch.works)] * turns)
        for work in self._prefilling:
            soonest = min(soonest, self._clock + max(work.prefill_left, 0.0) * turns)
        return soonest

    def advance(self, now: float) -> None:
        elapsed = now - self._clock
        if elapsed <= 0:
            return
        self._clock = now
        turns = len(self._batches) + len(self._prefilling)
        if turns:
            self._compute(elapsed, elapsed / turns)
        elif self.loading:
            self.stalled_seconds += elapsed

    def works(self) -> Iterator[Work]:
        """Those that run."""
        yield from self._prefilling
        for batch in self._batches.values():
            yield from batch.works

    def taken_by(self, work: Work) -> float:
        """GPU seconds of one that runs, until now."""
        batch = self._batches.get(work.call.model)
        if batch and work in batch.works:
            return work.gpu_seconds + batch.share
        return work.gpu_seconds

    def left_of(self, work: Work, load: Load) -> float:
        """Seconds that it would still need of this GPU alone."""
        one = self._steps_of(load)[1]
        batch = self._batches.get(work.call.model)
        if batch and work in batch.works:
            return (work.due - batch.tokens) * one
        if work.started is None:
            prompt = prefill_seconds(self.device, load, work.call.prompt_tokens)
            return prompt + work.call.output_tokens * one
        return work.prefill_left + work.call.output_tokens * one

    def _compute(self, elapsed: float, turn: float) -> None:
        self.computing_seconds += elapsed
        if self.loading:
            name = self.loading.name
            self._loading_beside[name] = self._loading_beside.get(name, 0.0) + elapsed
        for batch in self._batches.values():
            many = len(batch.works)
            batch.tokens += turn / batch.steps[many]
            batch.share += turn / many
        for work in self._prefilling:
            work.prefill_left -= turn
            work.gpu_seconds += turn

    def _decode(self, work: Work) -> None:
        name = work.call.model
        if name not in self._batches:
            self._batches[name] = Batch(self._steps_of(self.residents[name].load))
        batch = self._batches[name]
        work.gpu_seconds -= batch.share
        work.due = batch.tokens + work.call.output_tokens
        insort(batch.works, work)

    def _finished(self, batch: Batch) -> list[Work]:
        return [work for work in batch.works if work.due <= batch.tokens + 1e-6]

    def _leave_batch(self, work: Work) -> None:
        batch = self._batches[work.call.model]
        batch.works.remove(work)
        work.gpu_seconds += batch.share
        if not batch.works:
            del self._batches[work.call.model]

    def _stopped(self, work: Work, now: float) -> None:
        resident = self.residents[work.call.model]
        resident.running -= 1
        self.running -= 1
        self.busy -= 1
        resident.last_used = now
        work.ended = now

    def _steps_of(self, load: Load) -> tuple[float, ...]:
        if load.name not in self._steps:
            steps = (step_seconds(self.device, load, n) for n in range(1, load.parallel + 1))
            self._steps[load.name] = (0.0, *steps)
        return self._steps[load.name]

    def _marks(self, model: str) -> tuple[float, float, float]:
        """Stalled, loaded this one beside others' work, computed while this one was not there."""
        beside = self._loading_beside.get(model, 0.0)
        resident = self._resident_before.get(model, 0.0)
        if model in self.residents:
            resident += self.computing_seconds - self.residents[model].computing_before
        return self.stalled_seconds, beside, self.computing_seconds - resident - beside

    def _no_longer_waits(self, work: Work) -> None:
        self.queued[work.call.model] -= 1
        stalled, beside, without = self._marks(work.call.model)
        was_stalled, was_beside, was_without = work.marks
        work.loading_seconds += stalled - was_stalled + beside - was_beside
        work.memory_seconds += without - was_without
