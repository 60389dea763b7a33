"""One line per request, as far as lines are cheap: above a rate, only a sample."""

import logging
from dataclasses import asdict
from typing import Final

from penstock_sidecar.clock import Clock
from penstock_sidecar.model import Outcome

logger = logging.getLogger(__name__)

LINES_PER_SECOND: Final = 50


class RequestLog:
    """A `model.Recorder` that writes `request.ended`, with the count of lines left out before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._second = -1
        self._written = 0
        self._left_out = 0

    def request_ended(self, outcome: Outcome) -> None:
        if not logger.isEnabledFor(logging.INFO):
            return
        if not self._affordable():
            self._left_out += 1
            return
        fields = _fields(outcome)
        if self._left_out:
            fields["left_out"], self._left_out = self._left_out, 0
        logger.info("request.ended", extra=fields)

    def _affordable(self) -> bool:
        second = int(self._clock.monotonic())
        if second != self._second:
            self._second, self._written = second, 0
        self._written += 1
        return self._written <= LINES_PER_SECOND


def _fields(outcome: Outcome) -> dict[str, object]:
    """Seconds to the microsecond are enough for people."""
    return {
        name: round(value, 6) if isinstance(value, float) else value
        for name, value in asdict(outcome).items()
    }
