"""The seam to whoever counts: what is left of limits and budgets, as last heard."""

from typing import Literal, Protocol

from penstock_sidecar.model import Candidate, Request

Lacking = Literal["headroom", "budget"]


class Room(Protocol):
    """Asks nobody: what it says may be old, and a little wrong."""

    def share_left(self, candidate: Candidate, tokens: int | None = None) -> float:
        """Of the tightest limit of its provider and model, 0 to 1; 1 where there is none. With
        `tokens`: after one more request of that size."""

    def lacking(self, candidate: Candidate, request: Request, input_tokens: int) -> Lacking | None:
        """What would surely refuse it."""

    def told(self, candidate: Candidate, share_left: float) -> None:
        """By the candidate itself."""

    def refused(self, candidate: Candidate, seconds: float) -> None:
        """By the candidate itself; it said for how long, or is taken to have."""


class Endless:
    """Where nobody counts."""

    def share_left(
        self,
        candidate: Candidate,  # noqa: ARG002  # a `Room`'s
        tokens: int | None = None,  # noqa: ARG002  # a `Room`'s
    ) -> float:
        return 1.0

    def lacking(
        self,
        candidate: Candidate,  # noqa: ARG002  # a `Room`'s
        request: Request,  # noqa: ARG002  # a `Room`'s
        input_tokens: int,  # noqa: ARG002  # a `Room`'s
    ) -> Lacking | None:
        return None

    def told(self, candidate: Candidate, share_left: float) -> None:
        """Forgotten at once."""

    def refused(self, candidate: Candidate, seconds: float) -> None:
        """Forgotten at once."""
