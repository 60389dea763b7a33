"""What shadow verification has taught of answers in the place of others, shared by all sidecars.

An answer that was wrong must be nearer from then on than it was; one that is wrong again goes. A
partition that is wrong more often than it may be gives nothing until what was learnt is forgotten.
Own design after the idea of vCache (arXiv 2502.03771): thresholds of each entry's own, learnt from
what the model says when it is asked after all.
"""

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from penstock_config.cache_layout import Shelves
from penstock_sidecar.store import Store, StoreUnavailable, script_of

MARGIN: Final = 0.005
"""How much nearer than where it was wrong."""
MOST_WRONG: Final = 2
"""So often, and an answer is retired."""
BUDGET: Final = 0.005
"""Of a partition's judged hits, the share that may be wrong."""
LEAST_WRONG: Final = 2
"""One answer's fault is that answer's, and not yet its partition's."""
PARTITION_LIFE_MS: Final = 24 * 3600 * 1000
"""After the last judgement."""
Z: Final = 1.96
"""Of a 95 % interval."""
MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Tally:
    """How often it was right and wrong; `least` is the similarity that an answer needs, or 0."""

    right: int = 0
    wrong: int = 0
    least: float = 0.0

    @property
    def broken(self) -> bool:
        """A partition's: certainly over the budget (lower end of Wilson's interval, 1927). The
        upper end would close every partition until 600 hits of it were judged."""
        judged = self.right + self.wrong
        return self.wrong >= LEAST_WRONG and lower_bound(self.wrong, judged) > BUDGET


def lower_bound(wrong: int, judged: int) -> float:
    """Of the rate behind `wrong` of `judged`, with 97.5 % confidence; `judged` is not 0."""
    rate, z2 = wrong / judged, Z * Z
    spread = Z * math.sqrt(rate * (1 - rate) / judged + z2 / (4 * judged * judged))
    return (rate + z2 / (2 * judged) - spread) / (1 + z2 / judged)


class Trust:
    """Of one Redis."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def tallies(
        self, shelves: Shelves, partition: str, names: Sequence[str]
    ) -> list[Tally] | None:
        """The partition's, then the answers', in one round trip; None without Redis."""
        keys = [shelves.trust(name) for name in (partition, *names)]
        asked = (self._store.command("HMGET", key, "right", "wrong", "least") for key in keys)
        try:
            return [_tally(found) for found in await asyncio.gather(*asked)]
        except StoreUnavailable:
            return None

    async def right(self, shelves: Shelves, partition: str, name: str, life_ms: int) -> None:
        await self._learn(shelves, partition, name, ("right", 0, life_ms))

    async def wrong(
        self, shelves: Shelves, partition: str, name: str, life_ms: int, similarity: float
    ) -> bool:
        """Whether the answer is to go."""
        least = round((similarity + MARGIN) * MILLION)
        times = await self._learn(shelves, partition, name, ("wrong", least, life_ms))
        return times >= MOST_WRONG or least >= MILLION

    async def _learn(
        self, shelves: Shelves, partition: str, name: str, said: tuple[str, int, int]
    ) -> int:
        keys = (shelves.trust(name), shelves.trust(partition))
        try:
            times = await self._store.script(LEARN, keys, (*said, PARTITION_LIFE_MS))
        except StoreUnavailable:
            return 0
        return times if isinstance(times, int) else 0


def _tally(found: object) -> Tally:
    match found:
        case [right, wrong, least]:
            return Tally(_count(right), _count(wrong), _count(least) / MILLION)
        case _:
            return Tally()


def _count(field: object) -> int:
    """0 where there is none, or what no script of ours wrote."""
    return int(field) if isinstance(field, bytes) and field.isdigit() else 0


LEARN: Final = script_of(__package__, "learn")
