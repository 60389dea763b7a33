"""The candidates that are still to be asked, each by whoever comes first."""

from collections.abc import Iterable
from dataclasses import dataclass

from penstock_sidecar.model import Candidate


@dataclass(slots=True)
class Windows:
    """What a request has shown of its size: it was too long for windows of so many tokens."""

    too_small: int = 0

    def refused(self, candidate: Candidate) -> None:
        self.too_small = max(self.too_small, candidate.model.context_window or 0)

    def may_hold(self, candidate: Candidate) -> bool:
        """A window that nobody knows may."""
        window = candidate.model.context_window
        return window is None or window > self.too_small


class Course:
    """In the order given."""

    def __init__(self, candidates: Iterable[Candidate], windows: Windows) -> None:
        self._left = list(candidates)
        self._windows = windows

    def take(self, *, not_of: str | None = None) -> Candidate | None:
        """The next that may hold the request; one of another provider than `not_of` if there is."""
        able = [each for each in self._left if self._windows.may_hold(each)]
        others = (each for each in able if each.provider.id != not_of)
        found = next(others, able[0] if able else None)
        if found:
            self._left.remove(found)
        return found

    def put_back(self, candidate: Candidate) -> None:
        """It was not asked after all."""
        self._left.insert(0, candidate)
