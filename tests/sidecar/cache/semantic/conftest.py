"""A cache whose third level is watched."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from penstock_config.cache import Cache, SemanticCache
from penstock_config.embedder import (
    Match,
    NearestRequest,
    SimilarAnswer,
    SimilarMatch,
    VectorRequest,
)
from penstock_config.policy import Policy
from penstock_sidecar.cache.answers import AnswerCache
from penstock_sidecar.cache.build import Outside, answer_cache
from penstock_sidecar.cache.memory import AnswerMemory
from penstock_sidecar.cache.semantic.build import Neighbours
from penstock_sidecar.store import Store
from tests.sidecar.cache.builders import ManualClock


@dataclass(slots=True)
class Listening:
    """An embedder and an observer that remember."""

    near: Sequence[Match] = ()
    similar_names: Sequence[Sequence[str]] = ()
    """Of each answer; all but the last say that there are more."""
    kept: list[VectorRequest] = field(default_factory=list)
    removed: list[Sequence[str] | None] = field(default_factory=list)
    found: list[str] = field(default_factory=list)

    async def nearest(self, _wanted: NearestRequest) -> Sequence[Match]:
        return self.near

    async def keep(self, vector: VectorRequest) -> None:
        self.kept.append(vector)

    async def remove(self, _shelf: str, names: Sequence[str] | None) -> None:
        self.removed.append(names)

    async def similar(self, _shelf: str, _text: str, _least: float) -> SimilarAnswer:
        names, *rest = self.similar_names
        self.similar_names = rest
        matches = tuple(SimilarMatch(name=n, similarity=1.0, partition="aa") for n in names)
        return SimilarAnswer(matches=matches, complete=not rest)

    def semantic_looked_up(self, _policy: str, found: str, _similarity: float | None) -> None:
        self.found.append(found)

    def semantic_judged(self, _policy: str, verdict: str) -> None:
        self.found.append(verdict)


def watched(
    store: Store, listening: Listening, cache: Cache | None = None, **changes: object
) -> AnswerCache:
    """`changes` are the third level's; beside it are those of `cache`."""
    clock = ManualClock()
    fields = {"ttl_seconds": 100, "guard": False, **changes}
    semantic = SemanticCache.model_validate(fields)
    settings = (cache or Cache()).model_copy(update={"semantic": semantic})
    ruling = Policy(id="shop/main", tiers=("shop/fast",), cache=settings)
    memory = AnswerMemory(clock, believed_seconds=0)
    chance = Random(7)  # guards nothing
    outside = Outside(store, memory, clock, Neighbours(listening, listening, chance))
    return answer_cache(ruling, ("c", "shop"), b"secret", outside)
