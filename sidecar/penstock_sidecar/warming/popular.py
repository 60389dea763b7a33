"""Renews the answers that are asked for most, before they end.

All sidecars of a scope count together in Redis; each renews what it was asked for itself, and of
all of them one does it at a time.
"""

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.cache.question import Question
from penstock_sidecar.store import Store
from penstock_sidecar.warming.known import Known
from penstock_sidecar.warming.scripts import POPULAR

HALF_LIFE_SECONDS: Final = 3600
"""After it, to have been asked weighs half as much."""
MOST_COUNTED: Final = 1000
"""Answers of one scope."""
LIFE_MS: Final = 86_400_000
MOST_SCOPES: Final = 64
"""Users may be scopes."""
DUE: Final = 0.75
"""Of an answer's life; that of its own may be a tenth shorter or longer than the policy's."""

LookUp = Callable[[Question], Awaitable[Hit | None]]


class Popular:
    """`most` answers of each scope; `life_seconds` is an answer's."""

    def __init__(
        self, store: Store, look_up: LookUp, known: Known, most: int, life_seconds: float
    ) -> None:
        self._store = store
        self._look_up = look_up
        self._known = known
        self._most = most
        self._due_seconds = life_seconds * DUE
        self._counts: OrderedDict[Shelves, Counter[str]] = OrderedDict()
        """Since the last look; scopes that were not asked in for the longest time make room."""

    def asked(self, question: Question) -> None:
        """Costs no round trip."""
        counted = self._counts.setdefault(question.shelves, Counter())
        if question.name in counted or len(counted) < MOST_COUNTED:
            counted[question.name] += 1
        self._counts.move_to_end(question.shelves)
        if len(self._counts) > MOST_SCOPES:
            self._counts.popitem(last=False)

    async def due(self) -> list[Question]:
        """Those of the most asked that this sidecar knows and whose answers end soon, or are gone.
        Raises `StoreUnavailable`."""
        found = []
        for shelves in [*self._counts]:
            counted, self._counts[shelves] = self._counts.get(shelves, Counter()), Counter()
            for name in await self._told(shelves, counted):
                question = self._known.get(shelves.answer(name))
                if question and self._ends(await self._look_up(question)):
                    found.append(question)
        return found

    async def _told(self, shelves: Shelves, counted: Counter[str]) -> list[str]:
        pairs = [word for pair in counted.most_common(MOST_COUNTED) for word in pair]
        told = (HALF_LIFE_SECONDS, MOST_COUNTED, LIFE_MS, self._most, *pairs)
        match await self._store.script(POPULAR, (shelves.popular,), told):
            case list() as names:
                return [name.decode() for name in names if isinstance(name, bytes)]
            case _:
                return []

    def _ends(self, hit: Hit | None) -> bool:
        return hit is None or hit.level == "hit-semantic" or hit.age_seconds >= self._due_seconds
