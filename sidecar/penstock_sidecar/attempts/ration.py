"""How many extras there may be beside requests: a share of these, some of it saved up."""

from penstock_sidecar.clock import Clock


class Ration:
    """Every request earns `percent` of one extra; at most `most` are saved. It begins with `floor`.

    With `floor_seconds` one more comes that often, up to `floor`: so that whoever asks seldom is
    not without.
    """

    def __init__(
        self,
        percent: int,
        most: int,
        clock: Clock,
        *,
        floor: int = 1,
        floor_seconds: float | None = None,
    ) -> None:
        self._percent = percent
        self._most = most * 100
        self._floor = floor * 100
        self._floor_seconds = floor_seconds
        self._clock = clock
        self._hundredths: float = self._floor
        self._refilled_at = clock.monotonic()

    def earn(self) -> None:
        """One more request."""
        self._hundredths = min(self._most, self._hundredths + self._percent)

    def spend(self) -> bool:
        """Whether there is one left; it is gone then."""
        self._refill()
        if self._hundredths < 100:  # noqa: PLR2004  # one
            return False
        self._hundredths -= 100
        return True

    def give_back(self) -> None:
        """One that was not used after all."""
        self._hundredths = min(self._most, self._hundredths + 100)

    def _refill(self) -> None:
        if self._floor_seconds is None:
            return
        now = self._clock.monotonic()
        came = (now - self._refilled_at) / self._floor_seconds * 100
        self._refilled_at = now
        if self._hundredths < self._floor:
            self._hundredths = min(self._floor, self._hundredths + came)
