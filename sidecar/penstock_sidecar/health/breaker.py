"""One breaker, as one sidecar sees it: its own failures, and what it was told of the others'. Pure.

    closed ──(failures in a row)──► open ──(cooldown over)──► half-open ──(a trial fails)──► open
       ▲                                                          └──────(it succeeds)──► closed

Times are seconds of the process's own monotonic clock; `heard` translates those of Redis.
"""

import math
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from penstock_config.breaker import Record, Word

Phase = Literal["closed", "half-open", "open"]
MOST_UNTOLD: Final = 100
"""Failures; the API's largest threshold."""
NEVER: Final = -math.inf


class State(NamedTuple):
    """`until` is when an open one may be tried; 0 unless it is open."""

    phase: Phase
    until: float

    @property
    def out(self) -> bool:
        """To be asked only where nobody else can be."""
        return self.phase == "open"


CLOSED: Final = State("closed", 0.0)
HALF_OPEN: Final = State("half-open", 0.0)


class Terms(NamedTuple):
    """A provider's own, from its configuration."""

    threshold: int
    cooldown_seconds: float


@dataclass(slots=True)
class Untold:
    """What the others do not know yet."""

    failures: deque[float] = field(default_factory=lambda: deque(maxlen=MOST_UNTOLD))
    opened: bool = False
    succeeded: bool = False
    gave_up: bool = False
    """A trial has ended without a result."""

    def __bool__(self) -> bool:
        return bool(self.failures) or self.opened or self.succeeded or self.gave_up


@dataclass(slots=True, eq=False)
class Breaker:
    """`name` is its field in Redis."""

    provider: str
    name: str
    terms: Terms
    row: int = 0
    """Failures since the last success."""
    failed_at: float = NEVER
    succeeded_at: float = NEVER
    began_at: float = NEVER
    """When the call began that succeeded last."""
    until: float = 0.0
    """Open; 0 is closed."""
    opened_at: float = NEVER
    hint_until: float = 0.0
    reason: str = ""
    on_trial: bool = False
    """A request of ours tries it."""
    others_try_until: float = 0.0
    record: Record | None = None
    """As all know it, when last heard."""
    told_success_at: float = NEVER
    untold: Untold = field(default_factory=Untold)
    in_flight: int = 0
    """Words whose answers are still to come: what was heard before them is older."""

    def state(self, now: float) -> State:
        if not self.until:
            return CLOSED
        if now < self.until:
            return State("open", self.until)
        if self.on_trial:
            return State("open", now)
        if now < self.others_try_until:
            return State("open", self.others_try_until)
        return HALF_OPEN

    def fail(self, now: float, retry_after_seconds: float, reason: str) -> bool:
        """Whether it has opened, or opened again."""
        self.row += 1
        self.failed_at, self.reason = now, reason
        self.hint_until = max(self.hint_until, now + retry_after_seconds)
        self.untold.failures.append(now)
        cooled = not self.until or now >= self.until
        if not self.until and self.row < self.terms.threshold:
            return False
        if not self.until:
            self.opened_at = now
        self.until = max(self.until, now + self.terms.cooldown_seconds, self.hint_until)
        self.on_trial, self.untold.opened = False, True
        return cooled

    def succeed(self, now: float, began: float) -> bool:
        """Whether it has closed. An answer to a call that began before it opened closes nothing."""
        self.succeeded_at, self.began_at = now, began
        if not self.until:
            self.row, self.hint_until = 0, 0.0
            return False
        if began < self.opened_at:
            return False
        self._close()
        self.row = 0
        self.untold.succeeded, self.untold.opened = True, False
        return True

    def give_up(self) -> bool:
        """A trial ends; whether that is news, because nobody learned anything from it."""
        if not self.on_trial:
            return False
        self.on_trial, self.untold.gave_up = False, True
        return True

    def heard(self, record: Record, now: float, redis_now_ms: float, me: str) -> bool:
        """What all know, unless we know more; whether it opened or closed for us."""

        def ours(moment_ms: float) -> float:
            return now + (moment_ms - redis_now_ms) / 1000

        self.record = record
        if self.untold or self.in_flight:
            return False
        was_open = bool(self.until)
        if record.until_ms is None:
            others_succeeded = ours(record.succeeded_ms) >= self.failed_at
            self._close()
            if record.frail:
                self.row = self.terms.threshold - 1
            elif others_succeeded:
                self.row = 0
        else:
            self.until = ours(record.until_ms)
            self.opened_at = ours(record.opened_ms or record.until_ms)
            self.reason = record.reason or self.reason
            mine = record.trial_by == me
            self.others_try_until = 0.0 if mine else ours(record.trial_ms)
        self.hint_until = ours(record.hint_ms) if record.hint_ms else 0.0
        return was_open != bool(self.until)

    def lost(self) -> bool:
        """Nothing is known of it any more; whether the others are to be told again."""
        self.record = None
        if self.until and not self.in_flight:
            self.untold.opened = True
        return bool(self.until)

    def send(self, now: float, *, claim_ms: int | None = None) -> tuple[Word, Untold]:
        """All that is untold, to be told; `sent` or `not_sent` follows with what came along."""
        untold, self.untold = self.untold, Untold()
        self.in_flight += 1
        succeeded = untold.succeeded or self._contradicts()
        unknown = claim_ms is not None and self.record is None
        word = Word(
            field=self.name,
            threshold=self.terms.threshold,
            cooldown=_ms(self.terms.cooldown_seconds),
            succeeded_age=_ms(now - self.succeeded_at) if succeeded else None,
            began_age=_ms(now - self.began_at) if succeeded else None,
            failed_ages=tuple(_ms(now - moment) for moment in untold.failures),
            reason=self.reason if untold.failures and self.reason else None,
            hint=_ms(self.hint_until - now) if self.hint_until > now else None,
            open=_ms(self.until - now) if untold.opened or unknown else None,
            claim=claim_ms,
            release=untold.gave_up,
        )
        self.told_success_at = self.succeeded_at
        return word, untold

    def sent(self) -> None:
        """It has been heard."""
        self.in_flight -= 1

    def not_sent(self, untold: Untold, *, perhaps: bool) -> None:
        """It was not heard, or nobody knows: failures that may have been counted are not told
        twice, the rest is the same said once or twice."""
        self.in_flight -= 1
        self.told_success_at = NEVER
        latest = self.untold
        if not perhaps:
            latest.failures.extendleft(reversed(untold.failures))
        latest.opened = bool(self.until) and (latest.opened or untold.opened)
        latest.succeeded = not self.until and (latest.succeeded or untold.succeeded)
        latest.gave_up = latest.gave_up or untold.gave_up

    def has_news(self) -> bool:
        return bool(self.untold) or self._contradicts()

    def due_ms(self) -> float | None:
        """When failures of several sidecars will count together; `None` where too few are known."""
        record = self.record
        if record is None or record.until_ms is not None:
            return None
        if len(record.failed_ms) < self.terms.threshold:
            return None
        return record.failed_ms[self.terms.threshold - 1]

    def _contradicts(self) -> bool:
        """We know of a success, and all know of failures alone."""
        troubled = self.record and (self.record.failed_ms or self.record.until_ms is not None)
        return bool(troubled) and self.succeeded_at > self.told_success_at

    def _close(self) -> None:
        self.until, self.hint_until, self.others_try_until = 0.0, 0.0, 0.0
        self.opened_at, self.on_trial = NEVER, False


def _ms(seconds: float) -> int:
    return max(0, round(seconds * 1000))
