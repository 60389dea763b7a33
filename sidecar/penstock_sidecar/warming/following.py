"""What the same caller usually asks next: a table of pairs, one step deep, in memory.

It holds where answers lie, which are keyed hashes, and how often one followed the other.
"""

from collections import Counter, OrderedDict
from typing import Final

from penstock_sidecar.cache.question import Question
from penstock_sidecar.clock import Clock
from penstock_sidecar.model import Caller

MOST_CALLERS: Final = 1024
MOST_ANSWERS: Final = 1024
MOST_NEXT: Final = 8
"""Of one answer: which the eight are, the first eight say."""
TOGETHER_SECONDS: Final = 600.0
"""What is asked later than this does not follow."""
LEAST_TIMES: Final = 3
LEAST_SHARE: Final = 0.5
"""Of all that followed, before it is asked for ahead."""


class Following:
    """Of one policy in one sidecar."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last: OrderedDict[Caller, tuple[str, float]] = OrderedDict()
        self._next: OrderedDict[str, Counter[str]] = OrderedDict()

    def asked(self, question: Question) -> str | None:
        """The key of the answer that usually follows this one, if any does."""
        now, key = self._clock.monotonic(), question.key
        last, at = self._last.pop(question.caller, ("", now))
        self._last[question.caller] = key, now
        if len(self._last) > MOST_CALLERS:
            self._last.popitem(last=False)
        if last and last != key and now - at <= TOGETHER_SECONDS:
            self._follows(last, key)
        return self._likely(key)

    def _follows(self, last: str, key: str) -> None:
        followers = self._next.pop(last, Counter())
        self._next[last] = followers
        if key in followers or len(followers) < MOST_NEXT:
            followers[key] += 1
        if len(self._next) > MOST_ANSWERS:
            self._next.popitem(last=False)

    def _likely(self, key: str) -> str | None:
        followers = self._next.get(key)
        if not followers:
            return None
        [(likely, times)] = followers.most_common(1)
        enough = times >= LEAST_TIMES and times >= followers.total() * LEAST_SHARE
        return likely if enough else None
