"""The course of a simulation: requests come, GPUs finish, time-outs strike, one event at a time.

    ask comes -> serving.place: which GPU -> serving.turn: start, load, evict -> GPU finishes
                                                  ^                                |
                                                  +--------------------------------+

Who serves is a `Serving`; requests, GPUs and time-outs are the same for every one of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Final, Literal, Protocol

from penstock_cli.simulation.gpu import NEVER, Gpu, Work
from penstock_cli.simulation.speed import Load
from penstock_cli.simulation.trace import Ask, Trace

Cause = Literal["loading", "memory", "queueing", "computing"]
CAUSES: Final[tuple[Cause, ...]] = ("loading", "memory", "queueing", "computing")
"""Of a time-out. What would not have struck without it is the cause; the first one of these.

loading: its model was loaded, or the GPU did nothing but load. memory: its model was not in memory
while the GPU computed for others. queueing: its model was, and had no room for one more.
computing: even alone it takes too long.
"""


COMES, PASSED_ON, TIMES_OUT, FINISHES = range(4)


class Serving(Protocol):
    """A plan in action."""

    def begin(self, gpus: Sequence[Gpu]) -> None:
        """What is loaded before the first request."""

    def place(self, work: Work, now: float) -> Gpu | None:
        """Where it is to wait and run; `None`: nowhere has it room."""

    def turn(self, gpu: Gpu, now: float) -> None:
        """Start, load and evict what is to be, now that something has changed there."""


@dataclass(slots=True)
class Course:
    """What became of a request."""

    ask: Ask
    works: list[Work] = field(default_factory=list)
    gpus: list[Gpu | None] = field(default_factory=list)
    left: int = 0
    ended: float | None = None
    timed_out: bool = False
    cause: Cause | None = None
    """Why it was not delivered in time."""
    passed_on: list[Work] = field(default_factory=list)
    """Calls that somebody else answers, as nobody here had begun with them."""
    cut: dict[Cause, int] = field(default_factory=dict)
    """Members that were missing when time was over, by cause."""

    @property
    def delivered(self) -> bool:
        answered = sum(work.answered for work in self.works)
        return answered + len(self.passed_on) >= self.ask.quorum


@dataclass(frozen=True, slots=True)
class Run:
    """All that happened."""

    duration_seconds: float
    courses: tuple[Course, ...]
    gpus: tuple[Gpu, ...]
    stalled: tuple[float, ...]
    """Of each GPU, seconds of loading without computing, while the trace lasted."""
    spans: tuple[tuple[Gpu, Work, float, bool], ...]
    """Who computed, GPU seconds within the trace's time, and whether that was of use."""


class Engine:
    """One run; made anew for each."""

    def __init__(
        self,
        gpus: Sequence[Gpu],
        loads: Mapping[str, Load],
        serving: Serving,
        duration: float,
        pass_on_after: float | None = None,
    ) -> None:
        """`pass_on_after`: the share of its time-out after which a request is passed on that
        nobody has begun with; `None` for never."""
        self._gpus = tuple(gpus)
        self._loads = loads
        self._serving = serving
        self._duration = duration
        self._pass_on_after = pass_on_after
        self._events: list[tuple[float, int, int]] = []
        """Time, number, and whose: requests come, then they time out, then GPUs finish."""
        self._number = 0
        self._index_of = {gpu: index for index, gpu in enumerate(self._gpus)}
        self._expected = dict.fromkeys(range(len(self._gpus)), NEVER)
        self._courses: list[Course] = []
        self._at_end: dict[Work, float] = {}
        self._course_of: dict[Work, Course] = {}
        self._stalled: list[float] = []

    def run(self, trace: Trace) -> Run:
        self._serving.begin(self._gpus)
        self._courses = [Course(ask) for ask in trace]
        for ask in trace:
            self._push(ask.at, ask.number)
        self._push(self._duration, -1)
        while self._events:
            now, _, whose = heappop(self._events)
            self._happen(now, whose)
        return Run(
            self._duration,
            tuple(self._courses),
            self._gpus,
            tuple(self._stalled),
            self._spans(),
        )

    def _happen(self, now: float, whose: int) -> None:
        kind, index = divmod(whose, len(self._courses))
        if whose < 0:
            self._close(now)
        elif kind == COMES:
            self._come(self._courses[index], now)
        elif kind == PASSED_ON:
            self._pass_on(self._courses[index], now)
        elif kind == TIMES_OUT:
            self._time_out(self._courses[index], now)
        else:
            gpu = whose - FINISHES * len(self._courses)
            if self._expected[gpu] == now:
                self._settle(gpu, now)

    def _come(self, course: Course, now: float) -> None:
        touched = {}
        for call in course.ask.calls:
            work = Work(course.ask, call, now)
            gpu = self._serving.place(work, now)
            course.works.append(work)
            course.gpus.append(gpu)
            self._course_of[work] = course
            if gpu:
                gpu.advance(now)
                gpu.add(work)
                touched[id(gpu)] = gpu
        course.left = len(course.works)
        many, timeout = len(self._courses), course.ask.timeout_seconds
        self._push(now + timeout, TIMES_OUT * many + course.ask.number)
        if self._pass_on_after is not None:
            at = now + self._pass_on_after * timeout
            self._push(at, PASSED_ON * many + course.ask.number)
        for gpu in touched.values():
            self._turn(gpu, now)

    def _settle(self, index: int, now: float) -> None:
        gpu = self._gpus[index]
        self._expected[index] = NEVER
        for work in gpu.settle(now):
            course = self._course_of[work]
            course.left -= 1
            if not course.left:
                course.ended = now
        self._turn(gpu, now)

    def _pass_on(self, course: Course, now: float) -> None:
        """As many of those that nobody has begun with as the quorum lacks; the last ones first."""
        begun = sum(work.started is not None for work in course.works)
        for work, gpu in reversed([*zip(course.works, course.gpus, strict=True)]):
            if work.started is None and begun + len(course.passed_on) < course.ask.quorum:
                if gpu:
                    gpu.advance(now)
                    gpu.remove(work)
                work.ended = now
                course.passed_on.append(work)
                course.left -= 1
        if not course.left and course.ended is None:
            course.ended = now

    def _time_out(self, course: Course, now: float) -> None:
        if not course.left:
            return
        course.ended, course.timed_out = now, True
        touched = {}
        for work, gpu in zip(course.works, course.gpus, strict=True):
            if work.ended is None:
                cause: Cause = "memory"
                if gpu:
                    cause = self._give_up(work, gpu, now)
                    touched[id(gpu)] = gpu
                course.cut[cause] = course.cut.get(cause, 0) + 1
        if not course.delivered:
            course.cause = next(cause for cause in CAUSES if cause in course.cut)
        for gpu in touched.values():
            self._turn(gpu, now)

    def _give_up(self, work: Work, gpu: Gpu, now: float) -> Cause:
        gpu.advance(now)
        needed = gpu.left_of(work, self._loads[work.call.model])
        if work.started is None:
            gpu.remove(work)
            work.ended = now
        else:
            gpu.cancel(work, now)
        return _cause(work, needed, now)

    def _turn(self, gpu: Gpu, now: float) -> None:
        self._serving.turn(gpu, now)
        index = self._index_of[gpu]
        at = gpu.next_event()
        if at != self._expected[index] and at < NEVER:
            self._push(at, FINISHES * len(self._courses) + index)
        self._expected[index] = at

    def _close(self, now: float) -> None:
        """The trace's time is over: what is computed from now on does not count."""
        for gpu in self._gpus:
            gpu.advance(now)
            self._at_end.update((work, gpu.taken_by(work)) for work in gpu.works())
        self._stalled = [gpu.stalled_seconds for gpu in self._gpus]

    def _spans(self) -> tuple[tuple[Gpu, Work, float, bool], ...]:
        return tuple(
            (
                gpu,
                work,
                self._at_end.get(work, work.gpu_seconds),
                course.delivered and work.answered,
            )
            for course in self._courses
            for work, gpu in zip(course.works, course.gpus, strict=True)
            if gpu and work.started is not None and work.started < self._duration
        )

    def _push(self, at: float, whose: int) -> None:
        self._number += 1
        heappush(self._events, (at, self._number, whose))


def _cause(work: Work, needed: float, now: float) -> Cause:
    """`needed`: seconds that were missing."""
    waited = (work.started if work.started is not None else now) - work.arrived
    queueing = waited - work.loading_seconds - work.memory_seconds
    parts: tuple[tuple[Cause, float], ...] = (
        ("loading", work.loading_seconds),
        ("memory", work.memory_seconds),
        ("queueing", queueing),
    )
    for cause, seconds in parts:
        if seconds >= needed:
            return cause
    if waited >= needed:
        return max(parts, key=lambda part: part[1])[0]
    return "computing"
