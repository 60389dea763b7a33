"""Two lanes for one request: the second begins while the first still waits, the first content wins.

The other is cut at its provider in the same moment, and settles what it had cost by then. When the
caller leaves, both end. A second attempt that its limits refuse is left out: its candidate can be
asked later, by the first lane.
"""

import asyncio
import logging
from dataclasses import dataclass

from penstock_config.tier import Hedge, Tier
from penstock_sidecar.attempts.course import Course
from penstock_sidecar.attempts.lane import Lane
from penstock_sidecar.attempts.state import State
from penstock_sidecar.errors import SidecarError
from penstock_sidecar.limits.limiter import Attempt
from penstock_sidecar.model import Candidate

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Runner:
    """A lane's place in the race: its `Others`."""

    race: "Race"
    optional: bool
    """Until it has asked: who refuses it ends it, and nothing else."""
    task: "asyncio.Task[bool] | None" = None
    candidate: Candidate | None = None
    """The one that is asked, or was last."""
    attempt: Attempt | None = None
    asked_at: float = 0

    @property
    def beaten(self) -> bool:
        winner = self.race.winner
        return winner is not None and winner is not self

    @property
    def running(self) -> bool:
        return self.task is not None and not self.task.done()

    def asking(self, candidate: Candidate, attempt: Attempt) -> None:
        self.candidate, self.attempt, self.optional = candidate, attempt, False
        self.asked_at = asyncio.get_running_loop().time()
        self.race.asked(self, candidate, attempt)

    def first_content(self) -> None:
        self.race.won_by(self)

    async def gone(self) -> None:
        await self.race.alone(self)

    def cut(self) -> None:
        """For another's sake."""
        if self.task and self.running:
            if self.attempt:
                self.attempt.overtaken()
            self.task.cancel()


class Race:
    """Of one request through one tier. Its lanes share what is left of `course`."""

    def __init__(self, state: State, course: Course, tier: Tier, hedge: Hedge) -> None:
        self.winner: Runner | None = None
        self._state = state
        self._course = course
        self._tier = tier
        self._hedge = hedge
        self._hedging = state.means.hedging
        self._first = Runner(self, optional=False)
        self._second: Runner | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def served(self) -> bool:
        """Whether one of them served; raises what both would have, each alone."""
        self._hedging.begun(self._tier)
        lane = Lane(self._state, self._first)
        self._first.task = first = asyncio.create_task(lane.served_by_any(self._course))
        try:
            await asyncio.wait({first})
            if self._second and _failed(first):
                self._second.cut()
            await self.alone(self._first)
        finally:
            await self._end()
        return self._result()

    def asked(self, runner: Runner, candidate: Candidate, attempt: Attempt) -> None:
        """`runner`'s request goes out; the first's is what a second is timed by."""
        state = self._state
        if self._hedged:
            state.progress.hedge = "none"
            state.relay.reply.outlast(None)
        if runner is not self._first or self._second:
            return
        self._stop_timer()
        name = (candidate.label, state.progress.request.stream)
        delay = self._hedging.delay_seconds(self._hedge, name, attempt.standings)
        if delay is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(delay, self._begin_second)

    def won_by(self, runner: Runner) -> None:
        """Raises `CancelledError` where another was first."""
        if runner.beaten:
            raise asyncio.CancelledError
        if self.winner:
            return
        self.winner = runner
        self._stop_timer()
        if self._hedged:
            self._state.progress.hedge = "first" if runner is self._first else "second"
        for each in self._runners():
            if each.running:
                self._learn(each)
            if each is not runner:
                each.cut()

    async def alone(self, runner: Runner) -> None:
        """Returns when what the others cost is known."""
        others = {each.task for each in self._runners() if each is not runner and each.task}
        if others:
            await asyncio.wait(others)

    @property
    def _hedged(self) -> bool:
        """Two were asked."""
        return self._second is not None and not self._second.optional

    def _begin_second(self) -> None:
        state, first = self._state, self._first
        if self.winner or state.relay.reply.left or not first.running or not first.candidate:
            return
        candidate = self._course.take_beside(first.candidate, self._works)
        if candidate is None:
            return
        if not self._hedging.spend(self._tier):
            self._course.put_back(candidate)
            return
        self._second = second = Runner(self, optional=True)
        second.task = asyncio.create_task(self._run_second(second, candidate))

    def _works(self, candidate: Candidate) -> bool:
        state = self._state
        return not state.means.router.out(candidate, state.progress.request.api)

    async def _run_second(self, runner: Runner, candidate: Candidate) -> bool:
        lane = Lane(self._state, runner)
        try:
            if await lane.served_by(candidate):
                return True
        finally:
            if runner.optional:  # nobody was asked
                self._course.put_back(candidate)
                self._hedging.give_back(self._tier)
        if runner.optional and self._first.running:
            return False
        runner.optional = False  # the first has ended meanwhile: what is left is fallen back to
        return await lane.served_by_any(self._course)

    def _learn(self, runner: Runner) -> None:
        """One that is cut took at least so long."""
        if runner.candidate:
            name = (runner.candidate.label, self._state.progress.request.stream)
            seconds = asyncio.get_running_loop().time() - runner.asked_at
            self._hedging.took(self._hedge, name, seconds)

    def _runners(self) -> tuple[Runner, ...]:
        return (self._first, self._second) if self._second else (self._first,)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    async def _end(self) -> None:
        """Nobody runs on: what is left is cut, and has settled when this returns."""
        self._stop_timer()
        left = {each.task for each in self._runners() if each.task}
        for task in left:
            task.cancel()
        await asyncio.wait(left)

    def _result(self) -> bool:
        ended = [each for each in self._runners() if each.task]
        tasks = [each.task for each in ended if each.task]
        if self.winner and self.winner.task:
            _report([task for task in tasks if task is not self.winner.task])
            return self.winner.task.result()
        errors = [task.exception() for task in tasks if not task.cancelled()]
        error = next(filter(None, errors), None)
        if error:
            raise error
        return False


def _failed(task: "asyncio.Task[bool]") -> bool:
    return not task.cancelled() and task.exception() is not None


def _report(beaten: "list[asyncio.Task[bool]]") -> None:
    """An error of ours in a lane that did not win is the log's to hear."""
    for task in beaten:
        error = None if task.cancelled() else task.exception()
        if error and not isinstance(error, (SidecarError, ConnectionResetError)):
            logger.error("attempts.unexpected_error", exc_info=error)
