"""Several recorders as one."""

from dataclasses import dataclass

from penstock_sidecar.model import Outcome, Recorder


@dataclass(frozen=True, slots=True)
class Recorders:
    """Tells each of them, in order."""

    recorders: tuple[Recorder, ...]

    def request_ended(self, outcome: Outcome) -> None:
        for recorder in self.recorders:
            recorder.request_ended(outcome)
