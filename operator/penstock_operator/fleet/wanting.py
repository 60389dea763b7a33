"""How much of a managed provider is wanted, from round to round."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.ollama import Ollama
from penstock_operator.fleet.page import last_request_in, wanted_in
from penstock_operator.ollama.demand import rounded, smoothed
from penstock_operator.ollama.memory.names import tagged
from penstock_operator.ollama.planner.types import Group
from penstock_operator.ollama.scaling import Load, Scale, first_scale, next_scale

Asked = Mapping[str, int]
"""Requests by model, under the names that sidecars have for them: `mistral` is `mistral:latest`."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The same moment on both clocks."""

    even: float
    """Seconds of a clock that runs evenly."""
    wall: datetime


@dataclass(slots=True)
class Wanting:
    """What is remembered of one provider."""

    scale: Scale | None = None
    demand: dict[str, float] = field(default_factory=dict)
    asked_at: float | None = None

    def begin(
        self, ollama: Ollama, status: Mapping[str, Any], there: Mapping[str, Group], now: Moment
    ) -> None:
        """Goes on from what a former leader wrote, or else from what there is."""
        if self.scale is not None:
            return
        last = last_request_in(status)
        idle = max(timedelta(), now.wall - last).total_seconds() if last else 0.0
        running = wanted_in(status)
        self.scale = first_scale(
            ollama, _running(ollama, there) if running is None else running, now.even - idle
        )

    def ask(
        self,
        provider: LLMProvider,
        in_flight: Asked | None,
        waiting: Asked,
        now: Moment,
        *,
        starting: bool,
    ) -> int:
        """How many replicas are wanted. `in_flight` of `None`: nobody knows what is asked for."""
        ollama = provider.spec.ollama
        assert ollama is not None  # noqa: S101  # it is managed
        assert self.scale is not None  # noqa: S101  # it has begun
        load = None
        if in_flight is not None:
            flying, lining = (_counted(ollama, each) for each in (in_flight, waiting))
            load = Load(flying.total(), lining.total())
            self._smooth(ollama, flying + lining, now.even)
        self.scale = next_scale(ollama, self.scale, load, now.even, starting=starting)
        return 0 if provider.spec.suspended else self.scale.replicas

    def rounded(self) -> dict[str, float]:
        """By model, how much it is asked for."""
        return rounded(self.demand)

    def last_request(self, ollama: Ollama, now: Moment) -> datetime | None:
        """Where it matters."""
        by = ollama.autoscaling
        if self.scale is None or by is None or by.scale_to_zero_after_seconds is None:
            return None
        idle = timedelta(seconds=max(0.0, now.even - self.scale.busy_at))
        return (now.wall - idle).replace(microsecond=0)

    def _smooth(self, ollama: Ollama, sums: Asked, now: float) -> None:
        models = [model.name for model in ollama.models]
        since = 0.0 if self.asked_at is None else now - self.asked_at
        self.demand, self.asked_at = smoothed(self.demand, sums, models, since), now


def _counted(ollama: Ollama, asked: Asked) -> Counter[str]:
    """What is asked of its own models, under its names for them."""
    own = {tagged(model.name): model.name for model in ollama.models}
    found: Counter[str] = Counter()
    for model, requests in asked.items():
        if (name := own.get(tagged(model))) is not None:
            found[name] += requests
    return found


def _running(ollama: Ollama, there: Mapping[str, Group]) -> int | None:
    """Of the model that has the fewest."""
    if not there:
        return None
    groups = there.values()
    return min(sum(g.replicas for g in groups if m.name in g.models) for m in ollama.models)
