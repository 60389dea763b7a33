"""The candidates that are still to be asked, each by whoever comes first."""

from collections.abc import Callable, Iterable
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

    def take(self) -> Candidate | None:
        """The next that may hold the request."""
        return self._taken(filter(self._windows.may_hold, self._left))

    def take_beside(self, first: Candidate, fit: Callable[[Candidate], bool]) -> Candidate | None:
        """The next that is `fit` as well; of another provider than `first` if there is one."""
        able = [each for each in self._left if self._windows.may_hold(each) and fit(each)]
        return self._taken(sorted(able, key=lambda each: each.provider.id == first.provider.id))

    def _taken(self, able: Iterable[Candidate]) -> Candidate | None:
        found = next(iter(able), None)
        if found:
            self._left.remove(found)
        return found

    def put_back(self, candidate: Candidate) -> None:
        """It was not asked after all."""
        self._left.insert(0, candidate)
