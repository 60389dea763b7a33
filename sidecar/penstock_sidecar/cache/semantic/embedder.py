"""The embedder's seam: what the semantic level asks of it, and what it hears when it is away."""

from collections.abc import Sequence
from typing import Literal, Protocol

from penstock_config.embedder import Match, NearestRequest, SimilarAnswer, VectorRequest

Why = Literal["away", "late", "refused", "paused"]
"""Nobody there, no answer within the deadline, an answer that is of no use, or not even asked after
too many of these."""


class EmbedderUnavailable(Exception):
    """Never reaches a caller, and holds nothing of a text."""

    def __init__(self, why: Why) -> None:
        super().__init__(why)
        self.why = why


class TextTooLong(Exception):
    """The model would not see all of it."""


class Embedder(Protocol):
    """Of one namespace. Each call raises `EmbedderUnavailable` within a deadline, and those that
    bring a text raise `TextTooLong`; nothing else."""

    async def nearest(self, wanted: NearestRequest) -> Sequence[Match]:
        """The most similar first. A request waits for it: 50 ms at most."""

    async def keep(self, vector: VectorRequest) -> None: ...

    async def remove(self, shelf: str, names: Sequence[str] | None) -> None:
        """From all of the shelf's partitions; `None` is all there is."""

    async def similar(self, shelf: str, text: str, least: float) -> SimilarAnswer: ...
