"""What people thought of an answer: heard for calls of a short while ago, told to the scores.

Each sidecar remembers its own calls: applications ask it on localhost, and tell it there too.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, Protocol, get_args

from penstock_config.classification import Task
from penstock_sidecar.errors import UnknownCall
from penstock_sidecar.model import Outcome
from penstock_sidecar.routing.scores import Kind

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
MAX_CALLS: Final = 10_000
"""About three megabytes."""


class Scores(Protocol):
    """What learns from it."""

    def feedback(
        self, candidate_label: str, task: Task, kind: Kind, strength: float = 1.0
    ) -> None: ...


class Counts(Protocol):
    def feedback_given(self, model: str, kind: str) -> None: ...


@dataclass(slots=True)
class Call:
    """One that was answered."""

    candidate: str
    model: str
    task: Task
    told: tuple[Kind, ...] = ()


class Calls:
    """A `Recorder` that remembers which model answered which call, the latest `most`."""

    def __init__(self, most: int = MAX_CALLS) -> None:
        self._most = most
        self._calls: OrderedDict[str, Call] = OrderedDict()

    def request_ended(self, outcome: Outcome) -> None:
        if outcome.error_type or not outcome.model:
            return
        label = f"{outcome.provider}/{outcome.model}"
        self._calls[outcome.call_id] = Call(label, outcome.model, outcome.task)
        if len(self._calls) > self._most:
            self._calls.popitem(last=False)

    def named(self, call_id: str) -> Call:
        """Raises `UnknownCall`."""
        call = self._calls.get(call_id)
        if call is None:
            raise UnknownCall(
                "no such call is remembered: send the `x-penstock-call-id` of an answer, to the"
                " sidecar that gave it, soon after"
            )
        return call


class Feedback:
    """Tells the scores, each kind once for a call: who asks again has not been heard."""

    def __init__(self, calls: Calls, scores: Scores, counts: Counts) -> None:
        self._calls = calls
        self._scores = scores
        self._counts = counts

    def given(self, call_id: str, kind: Kind, strength: float) -> None:
        """`strength` from 0 to 1. Raises `UnknownCall`."""
        call = self._calls.named(call_id)
        if kind in call.told:
            return
        call.told = (*call.told, kind)
        self._counts.feedback_given(call.model, kind)
        self._scores.feedback(call.candidate, call.task, kind, strength)
