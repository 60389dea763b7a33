"""Level 3: a question that means the same, asked before in the same partition, gives its answer.

```
gist -> nearest (embedder) -> entries (Redis, one round trip) -> seal, partition, age, trust, guard
answer kept -> told to the embedder, beside requests; in shadow also judged, and learnt from
```
Nothing here can fail a request, nor hold it up beyond the embedder's and Redis's deadlines.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from penstock_config.cache import SemanticCache
from penstock_config.cache_layout import Shelves
from penstock_config.embedder import Match, NearestRequest, VectorRequest
from penstock_sidecar.cache.entry import Entry, Gist
from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.cache.question import Question
from penstock_sidecar.cache.semantic.embedder import Embedder, EmbedderUnavailable, TextTooLong
from penstock_sidecar.cache.semantic.errands import Errands
from penstock_sidecar.cache.semantic.finding import Found, SemanticObserver
from penstock_sidecar.cache.semantic.gists import Gists
from penstock_sidecar.cache.semantic.learning import Learning
from penstock_sidecar.cache.semantic.nearby import Near, Nearby

MOST_MATCHES: Final = 4
"""The nearest may be too old, or refused by the guard, where the next is not."""


@dataclass(frozen=True, slots=True)
class Means:
    """What the level works with. `key_id` names an answer's key to people."""

    gists: Gists
    embedder: Embedder
    nearby: Nearby
    learning: Learning
    key_id: Callable[[str], str]
    observer: SemanticObserver
    random: Random


class SemanticLevel:
    """Of one policy; `policy` is its id."""

    def __init__(self, policy: str, semantic: SemanticCache, means: Means) -> None:
        self._policy = policy
        self._semantic = semantic
        self._means = means
        self.errands: Final = Errands()

    def gist(self, question: Question) -> Gist | None:
        """None where nothing but the same question will do."""
        return self._means.gists.of(question)

    async def nearest(self, question: Question, *, same: bool) -> Hit | None:
        """In shadow it is noted with the question, and None is given. The very same question's
        needs no embedder."""
        gist = self.gist(question)
        if gist is None:
            return self._missed("unsuitable")
        if same and (own := await self._means.nearby.own(question, gist)):
            return self._found(question, own)
        wanted = NearestRequest(
            shelf=question.shelves.prefix,
            partition=gist.partition,
            text=gist.text,
            k=MOST_MATCHES,
            least=self._semantic.threshold,
        )
        try:
            found = await self._means.embedder.nearest(wanted)
        except EmbedderUnavailable as error:
            return self._missed(error.why)
        except TextTooLong:
            return self._missed("too_long")
        return await self._best(question, gist, found)

    def stored(self, question: Question, entry: Entry, expires_at_ms: int) -> None:
        """Tells the embedder; judges what shadow had found, too."""
        gist, shadow = entry.gist, question.shadow
        if gist is None:
            return
        most_ms = int((entry.stored_at + self._semantic.ttl_seconds) * 1000)
        vector = VectorRequest(
            shelf=question.shelves.prefix,
            partition=gist.partition,
            name=question.name,
            text=gist.text,
            expires_at_ms=min(expires_at_ms, most_ms),
        )
        self.errands.add(lambda: self._means.embedder.keep(vector))
        if shadow.hit and shadow.name != question.name:
            self.errands.add(lambda: self._learn(question, entry))

    def removed(self, shelves: Shelves, names: Sequence[str] | None) -> None:
        """These answers are gone; `None` is all of the scope's."""
        if names is None or names:
            self.errands.add(lambda: self._means.embedder.remove(shelves.prefix, names))

    async def similar(
        self, shelves: Shelves, text: str, least: float
    ) -> tuple[Sequence[str], bool]:
        """Names of the scope's answers to questions at least so similar, whatever else was asked
        with them, and whether those are all: else asking again finds others. Raises
        `EmbedderUnavailable` and `TextTooLong`."""
        embedder = self._means.embedder
        found = await embedder.similar(shelves.prefix, text, least)
        names = [match.name for match in found.matches]
        if not found.complete:
            await embedder.remove(shelves.prefix, names)
        return names, found.complete

    async def close(self) -> None:
        """What was not told yet is not."""
        await self.errands.close()

    async def _best(self, question: Question, gist: Gist, matches: Sequence[Match]) -> Hit | None:
        """The nearest that fits."""
        # It was asked for no others, and is not believed.
        near_enough = [match for match in matches if match.similarity >= self._semantic.threshold]
        if not near_enough:
            return self._missed("nothing_near")
        matches = near_enough[:MOST_MATCHES]
        found = await self._means.nearby.looked_at(question.shelves, gist.partition, matches)
        # Vectors that outlived their answers keep others from being found.
        self.removed(question.shelves, [near.match.name for near in found if not near.entry])
        why: Found | None = None
        for near in found:
            fault = await self._means.nearby.fault(question, gist, near)
            if fault is None:
                return self._found(question, near)
            why = why or fault
        return self._missed(why or "gone")

    def _found(self, question: Question, near: Near) -> Hit | None:
        if near.entry is None:
            return None
        name, similarity = near.match.name, min(near.match.similarity, 1.0)
        age_seconds = int(self._means.nearby.age_seconds(near.entry))
        id_ = self._means.key_id(question.shelves.answer(name))
        hit = Hit(near.entry, question.form, "hit-semantic", id_, age_seconds, similarity)
        if self._semantic.shadow or self._verified(question, name):
            question.shadow.note(hit, name)
            self._tell("shadow" if self._semantic.shadow else "verified", similarity)
            return None
        self._tell("hit", similarity)
        return hit

    def _verified(self, question: Question, name: str) -> bool:
        """A few are, of those that answer another question."""
        percent = self._semantic.verify_percent
        return name != question.name and 100 * self._means.random.random() < percent

    def _missed(self, why: Found) -> Hit | None:
        self._tell(why, None)
        return None

    def _tell(self, found: Found, similarity: float | None) -> None:
        self._means.observer.semantic_looked_up(self._policy, found, similarity)

    async def _learn(self, question: Question, given: Entry) -> None:
        verdict = await self._means.learning.verdict(question, given)
        self._means.observer.semantic_judged(self._policy, verdict)
        if await self._means.learning.learn(question, verdict):
            self.removed(question.shelves, [question.shadow.name])
