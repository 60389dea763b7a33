"""Renews the answers that are asked for most, before they end.

All sidecars of a scope count together in Redis; each renews what it was asked for itself, and of
all of them one does it at a time.
"""

from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from penstock_config.cache_layout import Shelves
from penstock_sidecar.cache.hit import Hit
from penstock_sidecar.cache.question import Question
from penstock_sidecar.model import CacheControl
from penstock_sidecar.store import Store
from penstock_sidecar.warming.known import MOST_QUESTIONS, Known
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

MOST_TRIES: Final = 3
"""To renew one answer: a limit may have refused it. One that cannot be kept any more (too long by
now, another model's) is paid for so often, and then forgotten."""

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
        self._life_seconds = life_seconds
        self._counts: OrderedDict[Shelves, Counter[str]] = OrderedDict()
        """Since the last look; scopes that were not asked in for the longest time make room."""
        self._tries: OrderedDict[str, int] = OrderedDict()
        """Left, of each answer that a look found kept, by its key."""

    def asked(self, question: Question) -> None:
        """Costs no round trip. Who wants his answer kept for less time than the policy's does not
        count: it would be renewed as often."""
        if self._brief(question):
            return
        counted = self._counts.setdefault(question.shelves, Counter())
        if question.name in counted or len(counted) < MOST_COUNTED:
            counted[question.name] += 1
        self._counts.move_to_end(question.shelves)
        if len(self._counts) > MOST_SCOPES:
            self._counts.popitem(last=False)

    async def due(self) -> list[Question]:
        """Those of the most asked that this sidecar knows, and whose answers were kept, and end
        soon or are gone. Raises `StoreUnavailable`."""
        found = []
        for shelves in [*self._counts]:
            for name in await self._most_asked(shelves):
                question = self._known.get(shelves.answer(name))
                if question and not self._brief(question) and await self._ends(question):
                    found.append(question)
        return found

    def tried(self, question: Question) -> None:
        """To renew it; whether it was, the next look finds."""
        self._tries[question.key] = self._tries.get(question.key, 0) - 1

    async def _most_asked(self, shelves: Shelves) -> list[str]:
        """A scope in which nobody asks any more, here or elsewhere, is forgotten."""
        counted, self._counts[shelves] = self._counts.get(shelves, Counter()), Counter()
        names = await self._told(shelves, counted)
        if not names and not self._counts.get(shelves):
            self._counts.pop(shelves, None)
        return names

    async def _told(self, shelves: Shelves, counted: Counter[str]) -> list[str]:
        pairs = [word for pair in counted.most_common(MOST_COUNTED) for word in pair]
        told = (HALF_LIFE_SECONDS, MOST_COUNTED, LIFE_MS, self._most, *pairs)
        match await self._store.script(POPULAR, (shelves.popular,), told):
            case list() as names:
                return [name.decode() for name in names if isinstance(name, bytes)]
            case _:
                return []

    async def _ends(self, question: Question) -> bool:
        """Whatever age its caller demands. What was never seen kept is asked for in vain."""
        anyone = replace(question.request, cache_control=CacheControl())
        hit = await self._look_up(replace(question, request=anyone))
        own = hit if hit and hit.level != "hit-semantic" else None
        if own and own.age_seconds < self._life_seconds * DUE:
            self._seen(question.key)
            return False
        if own and question.key not in self._tries:
            self._seen(question.key)
        return self._tries.get(question.key, 0) > 0

    def _seen(self, key: str) -> None:
        self._tries[key] = MOST_TRIES
        self._tries.move_to_end(key)
        if len(self._tries) > MOST_QUESTIONS:
            self._tries.popitem(last=False)

    def _brief(self, question: Question) -> bool:
        wanted = question.request.cache_control.store_seconds
        return wanted is not None and wanted < self._life_seconds
