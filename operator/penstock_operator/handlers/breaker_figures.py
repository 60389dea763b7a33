"""Breakers as all sidecars know them, in metrics."""

from collections.abc import Mapping
from typing import Final

from penstock_config.breaker import PROVIDER, Record, Standing
from penstock_operator.metrics import Metrics

CLOSED, HALF_OPEN, OPEN = 0, 1, 2
NAMES: Final = ("closed", "half-open", "open")
Labels = tuple[str, str, str]
"""Provider, model, endpoint."""


class BreakerFigures:
    """One that never failed has no series."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._shown: dict[Labels, int] = {}

    def show(self, standings: Mapping[str, Standing]) -> None:
        """Those that are not in there are closed; of providers that are gone nothing is said."""
        found = {
            _labels(provider, field): _state(field, record, standing.now)
            for provider, standing in standings.items()
            for field, record in standing.records.items()
        }
        for labels in self._shown:
            if labels[0] in standings:
                found.setdefault(labels, CLOSED)
            else:
                self._metrics.breakers.remove(*labels)
        for labels, state in found.items():
            self._metrics.breakers.labels(*labels).set(state)
            if state != self._shown.get(labels, CLOSED):
                self._metrics.breaker_transitions.labels(*labels, NAMES[state]).inc()
        self._shown = found


def _labels(provider: str, field: str) -> Labels:
    endpoint, _, model = field.partition("/")
    return provider, model, endpoint


def _state(field: str, record: Record, now_ms: float) -> int:
    """A provider's own has no trial: it lapses."""
    if record.until_ms is None:
        return CLOSED
    if now_ms < record.until_ms:
        return OPEN
    return CLOSED if field == PROVIDER else HALF_OPEN
