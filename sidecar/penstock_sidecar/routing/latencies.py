"""How long candidates let wait for the first content: peak-EWMA, as Finagle's load balancer has it.

A slower answer than usual counts in full at once; a faster one pulls the figure down slowly
(https://twitter.github.io/finagle/guide/Clients.html#power-of-two-choices-p2c-least-loaded). While
nobody asks, a peak fades to what was expected, so that who was slow once is tried again.
"""

import math
from dataclasses import dataclass
from typing import Final, Protocol

from penstock_sidecar.clock import Clock
from penstock_sidecar.model import Candidate

TAU_SECONDS: Final = 15.0
MAX_REMEMBERED: Final = 8192
"""Candidates, twice each; beyond it the one that was measured first is forgotten."""

Name = tuple[str, bool]
"""A candidate's label; whether streams are meant: a plain answer comes when it is complete."""


class Waits(Protocol):
    """What choosing asks."""

    def ms(self, candidate: Candidate, *, stream: bool) -> float | None:
        """Until the first content; `None` where nobody knows."""


@dataclass(slots=True)
class _Peak:
    ms: float
    at: float


class Latencies:
    """Of one process, over all its configurations."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._peaks: dict[Name, _Peak] = {}

    def measured(self, candidate: Candidate, seconds: float, *, stream: bool) -> None:
        """Its first content came after so long."""
        name, now, ms = (candidate.label, stream), self._clock.monotonic(), seconds * 1000
        peak = self._peaks.get(name)
        if peak is None:
            self._remember(name, _Peak(ms, now))
        elif ms >= (former := self._faded(peak, candidate, now)):
            peak.ms, peak.at = ms, now
        else:
            weight = math.exp((peak.at - now) / TAU_SECONDS)
            peak.ms, peak.at = former * weight + ms * (1 - weight), now

    def waited(self, candidate: Candidate, seconds: float, *, stream: bool) -> None:
        """In vain, so long: it would have taken longer still. Who is always overtaken by another
        would else stay as quick as he once was."""
        if seconds * 1000 > (self.ms(candidate, stream=stream) or 0):
            self.measured(candidate, seconds, stream=stream)

    def ms(self, candidate: Candidate, *, stream: bool) -> float | None:
        """As measured, else as expected; `None` where nobody knows."""
        peak = self._peaks.get((candidate.label, stream))
        if peak is None:
            return candidate.model.expected_latency_ms
        return self._faded(peak, candidate, self._clock.monotonic())

    def _faded(self, peak: _Peak, candidate: Candidate, now: float) -> float:
        """Only what is above the expected fades."""
        expected = candidate.model.expected_latency_ms or 0
        if peak.ms <= expected:
            return peak.ms
        return expected + (peak.ms - expected) * math.exp((peak.at - now) / TAU_SECONDS)

    def _remember(self, name: Name, peak: _Peak) -> None:
        if len(self._peaks) >= MAX_REMEMBERED:
            del self._peaks[next(iter(self._peaks))]
        self._peaks[name] = peak
