"""What providers' limits have left, in virtual time: a `Room` whose figures are exact."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from penstock_config.provider import RateLimits
from penstock_sidecar.clock import Clock
from penstock_sidecar.model import Candidate, Request
from penstock_sidecar.routing.asked import OUTPUT_TOKENS
from penstock_sidecar.routing.room import Lacking
from tests.eval.month.truth import DAY_SECONDS

MINUTE_SECONDS = 60
ANSWER_TOKENS = OUTPUT_TOKENS["medium"]


@dataclass(slots=True)
class Window:
    """So much within so many seconds: a minute slides, a day begins at midnight."""

    limit: int
    seconds: int
    _used: int = 0
    _day: int = 0
    _taken: deque[tuple[float, int]] = field(default_factory=deque)

    def left(self, now: float) -> int:
        if self.seconds == DAY_SECONDS:
            if int(now // DAY_SECONDS) != self._day:
                self._day, self._used = int(now // DAY_SECONDS), 0
        else:
            while self._taken and self._taken[0][0] <= now - self.seconds:
                self._used -= self._taken.popleft()[1]
        return self.limit - self._used

    def take(self, now: float, amount: int) -> None:
        self._used += amount
        if self.seconds != DAY_SECONDS:
            self._taken.append((now, amount))


@dataclass(frozen=True, slots=True)
class _Limits:
    requests: tuple[Window, ...]
    tokens: tuple[Window, ...]


class Books:
    """Of all providers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._limits: dict[str, _Limits] = {}

    def share_left(self, candidate: Candidate, tokens: int | None = None) -> float:
        now = self._clock.monotonic()
        more = (0, 0) if tokens is None else (1, tokens)
        return min(
            (
                (window.left(now) - taken) / window.limit
                for limits in self._of(candidate)
                for windows, taken in zip((limits.requests, limits.tokens), more, strict=True)
                for window in windows
            ),
            default=1.0,
        )

    def lacking(self, candidate: Candidate, request: Request, input_tokens: int) -> Lacking | None:  # noqa: ARG002  # a `Room`'s
        return None if self.admits(candidate, input_tokens + ANSWER_TOKENS) else "headroom"

    def admits(self, candidate: Candidate, tokens: int) -> bool:
        now = self._clock.monotonic()
        return all(
            all(w.left(now) >= 1 for w in limits.requests)
            and all(w.left(now) >= tokens for w in limits.tokens)
            for limits in self._of(candidate)
        )

    def take(self, candidate: Candidate, tokens: int) -> None:
        now = self._clock.monotonic()
        for limits in self._of(candidate):
            for window in limits.requests:
                window.take(now, 1)
            for window in limits.tokens:
                window.take(now, tokens)

    def told(self, candidate: Candidate, share_left: float) -> None:
        """Known better here."""

    def refused(self, candidate: Candidate, seconds: float) -> None:
        """Likewise."""

    def share_of_day_left(self, candidate: Candidate) -> float:
        """Of what a plan grants a day; what it grants a minute comes back by itself."""
        now = self._clock.monotonic()
        return min(
            (
                w.left(now) / w.limit
                for limits in self._of(candidate)
                for w in _windows(limits)
                if w.seconds == DAY_SECONDS
            ),
            default=1.0,
        )

    def is_free(self, candidate: Candidate) -> bool:
        """A plan that grants so much a day."""
        return candidate.model.limits.requests_per_day is not None

    def _of(self, candidate: Candidate) -> Iterator[_Limits]:
        provider, model = candidate.provider, candidate.model
        for name, rates in ((provider.id, provider.limits), (candidate.label, model.limits)):
            if name not in self._limits:
                self._limits[name] = _limits(rates)
            yield self._limits[name]


def _windows(limits: _Limits) -> tuple[Window, ...]:
    return limits.requests + limits.tokens


def _limits(rates: RateLimits) -> _Limits:
    def of(minute: int | None, day: int | None) -> tuple[Window, ...]:
        both = ((minute, MINUTE_SECONDS), (day, DAY_SECONDS))
        return tuple(Window(limit, seconds) for limit, seconds in both if limit is not None)

    return _Limits(
        of(rates.requests_per_minute, rates.requests_per_day),
        of(rates.tokens_per_minute, rates.tokens_per_day),
    )
