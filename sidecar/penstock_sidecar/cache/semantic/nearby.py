"""What lies near a question, and which of it may answer."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from penstock_config.cache import SemanticCache
from penstock_config.cache_layout import Shelves
from penstock_config.embedder import Match
from penstock_sidecar.cache.entries import Entries
from penstock_sidecar.cache.entry import Entry, Gist
from penstock_sidecar.cache.question import Question
from penstock_sidecar.cache.semantic.finding import Found
from penstock_sidecar.cache.semantic.trust import Tally, Trust
from penstock_sidecar.clock import Clock

Differs = Callable[[str, str], bool]
"""The guard: whether two questions ask for different things."""
MOST_CHARACTERS: Final = 800
"""Of both: about a millisecond's work of the guard. Longer ones hold up no other request."""
NEVER: Final = Tally(least=math.inf)
"""No similarity is enough."""


@dataclass(frozen=True, slots=True, repr=False)
class Near:
    """A match, and what is known of it."""

    match: Match
    entry: Entry | None
    tally: Tally


class Nearby:
    """Of one policy."""

    def __init__(
        self,
        semantic: SemanticCache,
        entries: Entries,
        trust: Trust,
        differs: Differs,
        clock: Clock,
    ) -> None:
        self._semantic = semantic
        self._entries = entries
        self._trust = trust
        self._differs = differs
        self._clock = clock

    async def looked_at(
        self, shelves: Shelves, partition: str, matches: Sequence[Match]
    ) -> Sequence[Near]:
        """In one round trip; nothing without Redis."""
        names = [match.name for match in matches]
        tallies, entries = await asyncio.gather(
            self._trust.tallies(shelves, partition, names),
            asyncio.gather(*(self._entries.get(shelves, name) for name in names)),
        )
        if tallies is None:
            return ()
        of_all, *of_each = tallies
        if of_all.broken:
            of_each = [NEVER] * len(names)
        return [Near(*each) for each in zip(matches, entries, of_each, strict=True)]

    async def own(self, question: Question, gist: Gist) -> Near | None:
        """The very same question's answer, where no level before this one looks for it."""
        entry = self._entries.remembered(question.key)
        if entry is None or not self._young(question, entry):
            entry = await self._entries.get(question.shelves, question.name)
        if entry is None or entry.gist != gist or not self._young(question, entry):
            return None
        return Near(Match(name=question.name, similarity=1.0), entry, Tally())

    async def fault(self, question: Question, gist: Gist, near: Near) -> Found | None:
        """Why this one is not given; what costs most is asked last."""
        entry = near.entry
        if entry is None or entry.gist is None or entry.gist.partition != gist.partition:
            return "gone"
        if not self._young(question, entry):
            return "old"
        if near.match.similarity < near.tally.least:
            return "distrusted"
        if self._semantic.guard and await self._differing(gist.text, entry.gist.text):
            return "guarded"
        return None

    async def _differing(self, asked: str, kept: str) -> bool:
        if len(asked) + len(kept) <= MOST_CHARACTERS:
            return self._differs(asked, kept)
        return await asyncio.to_thread(self._differs, asked, kept)

    def age_seconds(self, entry: Entry) -> float:
        return max(0.0, self._clock.utc() - entry.stored_at)

    def _young(self, question: Question, entry: Entry) -> bool:
        """For the policy, for who asks, and for whose answer it was."""
        wanted = (question.request.cache_control.max_age_seconds, entry.most_seconds)
        bounds = (seconds for seconds in wanted if seconds is not None)
        return self.age_seconds(entry) < min((self._semantic.ttl_seconds, *bounds))
