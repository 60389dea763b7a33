"""What is known to be spent goes back to a Redis that lost it."""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from redis.exceptions import ResponseError

from penstock_config.layout import SETTLED
from penstock_operator.ledger.account import Book, SumKey
from penstock_operator.ledger.reading import Reading
from penstock_operator.ledger.store import LedgerAway, Script, Store

LEARNING_US: Final = 5_000_000
"""So long nothing is admitted after a loss: every sidecar has time to say what it knows."""
PATIENCE_SECONDS: Final = 3.0
"""So long live sidecars may bring back by themselves what a failover lost: they beat each 2 s."""
logger = logging.getLogger(__name__)
Known = Mapping[Book, Mapping[SumKey, int]]
"""Micro-USD that were settled when the status was last written, of running periods."""


class Restorer:
    """Raises settled sums to what the status says, and never lowers one."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self._script = Script("raise.lua")
        self._short_since: dict[Book, float] = {}

    async def restore(self, known: Known, reading: Reading) -> bool:
        """Whether sums are left that are to be raised soon, unless sidecars do it."""
        short = {book: _shortfall(known.get(book, {}), reading, book) for book in reading}
        self._short_since = {b: since for b, since in self._short_since.items() if short.get(b)}
        left = 0
        for book, sums in short.items():
            if sums:
                left += await self._raised(book, sums)
        return left > 0

    async def _raised(self, book: Book, sums: Mapping[str, int]) -> int:
        """As `_raise`. Whoever has a namespace's login may have written what no script can add to:
        that keeps his own sums from being raised, and nobody else's."""
        try:
            return await self._raise(book, sums)
        except LedgerAway as error:
            if not isinstance(error.__cause__, ResponseError):
                raise
            fields = {"budget": book.field_id, "error": str(error)}
            logger.warning("ledger.not_restored", extra=fields)
            return 0

    async def _raise(self, book: Book, sums: Mapping[str, int]) -> int:
        since = self._short_since.setdefault(book, self._clock())
        waited = self._clock() - since >= PATIENCE_SECONDS
        pairs = [part for field, amount in sums.items() for part in (field, amount)]
        raised, left = await self._store.run(
            self._script, [book.group.state], LEARNING_US, int(waited), *pairs
        )
        if raised:
            fields = {"budget": book.field_id, "sums": raised, "provider": book.provider or None}
            logger.warning("ledger.restored", extra=fields)
        return int(left)


def _shortfall(known: Mapping[SumKey, int], reading: Reading, book: Book) -> dict[str, int]:
    """Fields that hold less than is known; sums of another label than any that was read are of a
    period that is over, which is no loss."""
    sums = reading[book].sums
    return {
        book.field(key, SETTLED): amount
        for key, amount in known.items()
        if key in sums and sums[key].settled < amount
    }
