"""The third level, as the other two ask it: answers to questions that mean the same."""

from collections.abc import Sequence
from typing import Protocol

from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.entry import Entry, Gist
from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.cache.question import Question


class Semantic(Protocol):
    """Of one policy. Never raises, and never waits beyond its own deadline."""

    def gist(self, question: Question) -> Gist | None:
        """What is sealed with the question's answer; None where the level must not be asked, nor
        told, about it."""

    async def nearest(self, question: Question, *, same: bool) -> Hit | None:
        """An answer that fits, younger than the policy and the caller demand. `same`: no level
        before has looked for the very same question's."""

    def stored(self, question: Question, entry: Entry, expires_at_ms: int) -> None:
        """Hears of each new answer, whether it was asked for in vain or looked at in shadow; what
        there is to do goes on beside requests."""

    def removed(self, shelves: Shelves, names: Sequence[str] | None) -> None:
        """Hears of answers that are no longer kept, possibly none; `None` is all of the scope's."""

    async def similar(
        self, shelves: Shelves, text: str, least: float
    ) -> tuple[Sequence[str], bool]:
        """Names of the scope's answers to questions at least so similar, and whether those are all.
        Raises `EmbedderUnavailable` and `TextTooLong`."""

    async def close(self) -> None: ...
