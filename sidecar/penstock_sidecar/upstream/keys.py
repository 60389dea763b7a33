"""A provider's keys, and which of them to use now."""

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

from penstock_sidecar.clock import Clock

T = TypeVar("T")


class KeyRing(Generic[T]):
    """`T` is what a key was made into: its address and headers.

    One key serves until it is rejected or limited; then the next does, until the former's pause is
    over. When all pause, the one whose pause ends first is tried: only the provider knows.
    """

    def __init__(self, keys: Sequence[T], clock: Clock) -> None:
        self._keys = tuple(keys)
        self._clock = clock
        self._paused_until = [float("-inf")] * len(self._keys)
        self._preferred = 0

    def candidates(self) -> Iterator[tuple[int, T]]:
        """Position and key, best first; the paused ones only when no other is there."""
        count = len(self._keys)
        if count == 1:
            yield 0, self._keys[0]
            return
        now = self._clock.monotonic()
        turn = [(self._preferred + i) % count for i in range(count)]
        ready = [i for i in turn if self._paused_until[i] <= now]
        for index in ready or sorted(turn, key=lambda i: self._paused_until[i])[:1]:
            yield index, self._keys[index]

    def pause(self, position: int, seconds: float) -> None:
        """Prefer the next key from now on."""
        until = self._clock.monotonic() + seconds
        self._paused_until[position] = max(self._paused_until[position], until)
        if position == self._preferred:
            self._preferred = (position + 1) % len(self._keys)
