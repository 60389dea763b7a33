"""What is learnt in shadow: the model was asked after all, and so it is known what the answer that
was found would have been worth.
"""

import asyncio

from penstock_sidecar.cache.entries import Entries
from penstock_sidecar.cache.entry import Entry
from penstock_sidecar.cache.question import Question
from penstock_sidecar.cache.semantic.judging import Contradict, Verdict, judged
from penstock_sidecar.cache.semantic.trust import Trust
from penstock_sidecar.dialects.answer_text import plain_text


class Learning:
    """Of one policy; `life_seconds` is how long its answers serve at this level."""

    def __init__(
        self, trust: Trust, entries: Entries, contradict: Contradict, life_seconds: int
    ) -> None:
        self._trust = trust
        self._entries = entries
        self._contradict = contradict
        self._life_ms = life_seconds * 1000

    async def verdict(self, question: Question, given: Entry) -> Verdict:
        """Of what shadow had found, by what was given instead."""
        found = question.shadow.hit
        kept = plain_text(question.request.api, found.entry.body) if found else None
        said = plain_text(question.request.api, given.body)
        if kept is None or said is None:
            return "unsure"
        # Some milliseconds, where answers are long.
        return await asyncio.to_thread(judged, kept, said, self._contradict)

    async def learn(self, question: Question, verdict: Verdict) -> bool:
        """Whether the answer was wrong too often, and is gone."""
        shadow, shelves = question.shadow, question.shelves
        found = shadow.hit
        if found is None or found.entry.gist is None or found.similarity is None:
            return False
        partition, name = found.entry.gist.partition, shadow.name
        if verdict == "same":
            await self._trust.right(shelves, partition, name, self._life_ms)
        if verdict != "other":
            return False
        place = (shelves, partition, name)
        retired = await self._trust.wrong(*place, self._life_ms, found.similarity)
        if retired:
            await self._entries.drop(shelves, (name,))
        return retired
