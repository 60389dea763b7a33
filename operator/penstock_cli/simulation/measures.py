"""What a run came to. Utilisation counts answers that were delivered in time, and nothing else."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from penstock_cli.simulation.engine import CAUSES, Run
from penstock_cli.simulation.gpu import Work
from penstock_cli.simulation.speed import Device, Load, prefill_seconds, step_seconds
from penstock_cli.simulation.trace import Trace

SENSIBLE_BATCH: Final = 4
"""Requests of one model at once by which the load is judged that a trace asks for."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one run. Shares are of all GPUs' time while the trace lasts."""

    utilisation: float
    """Computing answers that were delivered within their time-out."""
    wasted: float
    """Computing what was thrown away: cut by a time-out, or of an ensemble without its quorum."""
    stalled: float
    """Loading, and computing nothing meanwhile."""
    requests: int
    delivered: int
    timed_out: Mapping[str, int]
    """Requests that were not delivered, by cause."""
    cut: Mapping[str, int]
    """Ensembles' members, and single calls, that were missing when time was over, by cause."""
    calls: int
    wait_p50_seconds: float
    """From a call's coming to its first computing."""
    wait_p95_seconds: float
    answer_p50_seconds: float
    """From a request's coming to its last answer, of those delivered."""
    answer_p95_seconds: float
    loads: int
    passed_on: int
    """Requests of which a call or more was passed on."""
    input_tokens: Mapping[str, int]
    """Of delivered requests' answers from these GPUs, by model."""
    output_tokens: Mapping[str, int]
    passed_input_tokens: Mapping[str, int]
    """Of calls that were passed on, by model."""
    passed_output_tokens: Mapping[str, int]
    by_gpu: Mapping[str, float]
    """Utilisation of each."""

    @property
    def idle(self) -> float:
        return max(0.0, 1 - self.utilisation - self.wasted - self.stalled)

    @property
    def delivered_share(self) -> float:
        return self.delivered / self.requests if self.requests else 1.0


def figures_of(run: Run) -> Figures:
    useful, wasted = _seconds(run, of_use=True), _seconds(run, of_use=False)
    courses = run.courses
    delivered = [course for course in courses if course.delivered]
    answered = [w for course in delivered for w in course.works if w.answered]
    passed = [work for course in courses for work in course.passed_on]
    waits = sorted(
        (w.started if w.started is not None else w.ended or w.arrived) - w.arrived
        for course in courses
        for w in course.works
    )
    answers = sorted((course.ended or 0.0) - course.ask.at for course in delivered)
    causes = Counter(course.cause for course in courses if course.cause)
    cut = Counter({cause: sum(c.cut.get(cause, 0) for c in courses) for cause in CAUSES})
    return Figures(
        utilisation=_share(run, useful),
        wasted=_share(run, wasted),
        stalled=_share(run, {g.device.name: s for g, s in zip(run.gpus, run.stalled, strict=True)}),
        requests=len(courses),
        delivered=len(delivered),
        timed_out={cause: causes[cause] for cause in CAUSES},
        cut={cause: cut[cause] for cause in CAUSES},
        calls=len(waits),
        wait_p50_seconds=percentile(waits, 50),
        wait_p95_seconds=percentile(waits, 95),
        answer_p50_seconds=percentile(answers, 50),
        answer_p95_seconds=percentile(answers, 95),
        loads=sum(gpu.loads for gpu in run.gpus),
        passed_on=sum(bool(course.passed_on) for course in courses),
        input_tokens=_tokens(answered, "prompt_tokens"),
        output_tokens=_tokens(answered, "output_tokens"),
        passed_input_tokens=_tokens(passed, "prompt_tokens"),
        passed_output_tokens=_tokens(passed, "output_tokens"),
        by_gpu={g.device.name: useful[g.device.name] / run.duration_seconds for g in run.gpus},
    )


def asked_share(
    trace: Trace,
    devices: Sequence[Device],
    loads: Mapping[str, Load],
    headroom_mib: int,
    duration: float,
) -> float:
    """Of all GPUs' time, what a trace asks for when calls are computed `SENSIBLE_BATCH` at once.

    Of a model that several devices have room for, each is taken to answer an equal part.
    """
    tokens: Counter[str] = Counter()
    prompts: Counter[str] = Counter()
    for ask in trace:
        for call in ask.calls:
            tokens[call.model] += call.output_tokens
            prompts[call.model] += call.prompt_tokens
    asked = 0.0
    for model, load in loads.items():
        able = [d for d in devices if load.total_mib <= d.memory_mib - headroom_mib]
        for device in able:
            step = step_seconds(device, load, SENSIBLE_BATCH) / SENSIBLE_BATCH
            seconds = prefill_seconds(device, load, prompts[model]) + tokens[model] * step
            asked += device.weight * seconds / len(able)
    return asked / (duration * sum(device.weight for device in devices))


def over_time(run: Run, parts: int) -> tuple[float, ...]:
    """Utilisation in equal parts of the trace's time; of a request, spread evenly over its time."""
    width = run.duration_seconds / parts
    seconds = [0.0] * parts
    for gpu, work, spent, of_use in run.spans:
        began, ended = work.started or 0.0, min(work.ended or 0.0, run.duration_seconds)
        if not of_use or ended <= began:
            continue
        for part in range(int(began / width), min(parts - 1, int(ended / width)) + 1):
            within = min(ended, (part + 1) * width) - max(began, part * width)
            seconds[part] += gpu.device.weight * spent * within / (ended - began)
    whole = width * sum(gpu.device.weight for gpu in run.gpus)
    return tuple(min(1.0, each / whole) for each in seconds)


def percentile(values: Sequence[float], percent: float) -> float:
    """Of sorted values, the nearest rank; 0 of none."""
    if not values:
        return 0.0
    return values[min(len(values) - 1, round(percent / 100 * (len(values) - 1)))]


def middle(runs: Sequence[Figures]) -> Figures:
    """The run whose utilisation is the median's, or next below it."""
    ordered = sorted(runs, key=lambda each: each.utilisation)
    return ordered[(len(ordered) - 1) // 2]


def _tokens(
    works: Iterable[Work], kind: Literal["prompt_tokens", "output_tokens"]
) -> dict[str, int]:
    found: Counter[str] = Counter()
    for work in works:
        found[work.call.model] += getattr(work.call, kind)
    return dict(sorted(found.items()))


def _seconds(run: Run, *, of_use: bool) -> dict[str, float]:
    """By GPU."""
    found = {gpu.device.name: 0.0 for gpu in run.gpus}
    for gpu, _, seconds, useful in run.spans:
        if useful == of_use:
            found[gpu.device.name] += seconds
    return found


def _share(run: Run, seconds: Mapping[str, float]) -> float:
    weights = sum(gpu.device.weight for gpu in run.gpus)
    total = sum(gpu.device.weight * seconds.get(gpu.device.name, 0.0) for gpu in run.gpus)
    return total / (weights * run.duration_seconds)
