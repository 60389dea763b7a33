"""A clock that stands still, so that equal bytes have equal outcomes."""

from datetime import UTC, datetime


class StillClock:
    """Of any protocol's methods those that tell the time."""

    def monotonic(self) -> float:
        return 1.0

    def utc(self) -> float:
        return datetime(2026, 11, 20, tzinfo=UTC).timestamp()
