"""Opened answers in this process, before Redis is asked: the latest used, up to so many bytes.

Memory is believed for a few seconds, then Redis is asked again: what somebody else removed or
replaced is gone here by then. Outlives configurations; a key tells its scope, policy and secret.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from penstock_sidecar.cache.entry import Entry
from penstock_sidecar.clock import Clock

MOST_BYTES: Final = 16 * 1024 * 1024
BELIEVED_SECONDS: Final = 5.0
"""How long an answer that was removed may still be given by another sidecar."""
OVERHEAD_BYTES: Final = 2_048
"""Of an entry's fields and its place here, about."""
LARGEST_SHARE: Final = 8
"""No answer takes more than this part of all."""


@dataclass(frozen=True, slots=True)
class _Held:
    entry: Entry
    size_bytes: int
    until: float
    """On the monotonic clock."""


class AnswerMemory:
    """Of one sidecar."""

    def __init__(
        self,
        clock: Clock,
        most_bytes: int = MOST_BYTES,
        believed_seconds: float = BELIEVED_SECONDS,
    ) -> None:
        self._clock = clock
        self._most_bytes = most_bytes
        self._believed_seconds = believed_seconds
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self.size_bytes = 0

    def get(self, key: str) -> Entry | None:
        held = self._held.get(key)
        if held is None:
            return None
        if self._clock.monotonic() >= held.until:
            self.drop(key)
            return None
        self._held.move_to_end(key)
        return held.entry

    def put(self, key: str, entry: Entry) -> None:
        self.drop(key)
        gist = len(entry.gist.text) if entry.gist else 0
        size_bytes = len(entry.body) + gist + OVERHEAD_BYTES
        if size_bytes > self._most_bytes // LARGEST_SHARE:
            return
        until = self._clock.monotonic() + self._believed_seconds
        self._held[key] = _Held(entry, size_bytes, until)
        self.size_bytes += size_bytes
        while self.size_bytes > self._most_bytes:
            self.drop(next(iter(self._held)))

    def drop(self, key: str) -> None:
        held = self._held.pop(key, None)
        if held:
            self.size_bytes -= held.size_bytes
