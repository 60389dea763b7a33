"""Says every two seconds that this process lives, and tells Redis what it does not know.

That is little while all goes well. After Redis was away, or has lost or rolled back its data, it
is what this process admitted by itself, what it has settled in all, and what it holds.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from penstock_config.layout import Group
from penstock_sidecar.limits.batches import batches
from penstock_sidecar.limits.holds import Place
from penstock_sidecar.limits.ledger import Ledger
from penstock_sidecar.limits.renewals import Renewals
from penstock_sidecar.limits.settlements import Settlements
from penstock_sidecar.limits.shares import Debt
from penstock_sidecar.store import Argument, StoreUnavailable

BEAT_SECONDS: Final = 2.0
JITTER: Final = 0.2
BATCH: Final = 100
"""Sums or counters in one call: Redis serves nobody else meanwhile."""
MICRO: Final = 1_000_000


class Presence:
    """One task for all groups that a limiter's configuration names."""

    def __init__(
        self, groups: Sequence[Group], ledger: Ledger, renewals: Renewals, settlements: Settlements
    ) -> None:
        self._groups = groups
        self._ledger = ledger
        self._memory = ledger.memory
        self._renewals = renewals
        self._settlements = settlements
        self._random = Random()  # noqa: S311  # spreads beats, guards nothing
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        ledger.on_disturbed = self._wanted.set

    def start(self) -> None:
        """Begin, with the first request; again is nothing."""
        if self._task is None and self._ledger.configured:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wanted.clear()
            for group in self._groups:
                with contextlib.suppress(StoreUnavailable):  # the next beat says it
                    await self.tell(group)
            pause = BEAT_SECONDS * self._random.uniform(1 - JITTER, 1 + JITTER)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()

    async def tell(self, group: Group) -> None:
        """All that the group's data may lack. Raises `StoreUnavailable` with the rest untold."""
        tag, memory = group.tag, self._memory
        if memory.silent(tag):
            memory.totals.rebase(tag)
        await self._ledger.publish(Place(group, (group.members,)), (), ())
        books = memory.books(tag)
        if not (books.disturbed or memory.shares.in_debt(tag)):
            return
        books.disturbed = False
        memory.shares.settle_debts(tag)
        try:
            await self._tell_all(group)
        except BaseException:
            books.disturbed = True
            raise

    async def _tell_all(self, group: Group) -> None:
        tag, shares = group.tag, self._memory.shares
        for totals in batches(list(self._memory.totals.within(tag)), BATCH):
            names = _Names(group)
            pairs = [(names.index(total.key), total) for total in totals]
            await self._ledger.publish(names.place(), pairs, ())
        for debts in batches(shares.debts(tag), BATCH):
            await self._tell_debts(group, debts)
        await self._settlements.repeat(tag)
        await self._renewals.retake(tag)

    async def _tell_debts(self, group: Group, debts: Sequence[Debt]) -> None:
        names = _Names(group)
        utc = self._memory.clock.utc()
        counts = [a for debt in debts for a in _count(debt, names.index(debt.counted.key), utc)]
        await self._ledger.publish(names.place(), (), counts)
        for debt in debts:
            debt.paid()


class _Names:
    """Gives each key its place in KEYS."""

    def __init__(self, group: Group) -> None:
        self._group = group
        self._names = [*group.keys, group.members]

    def index(self, name: str) -> int:
        if name not in self._names:
            self._names.append(name)
        return self._names.index(name) + 1

    def place(self) -> Place:
        return Place(self._group, tuple(self._names[len(self._group.keys) :]))


def _count(debt: Debt, key: int, utc: float) -> Iterator[Argument]:
    """As publish.lua wants it."""
    bound = debt.counted.bound
    kind = bound.head[0]
    amount = sum(amount for _, amount in debt.amounts)
    yield from (kind, key, bound.field)
    if kind == "w":
        yield from (*bound.pacing, len(debt.amounts))
        for age_seconds, each in debt.amounts:
            yield from (round(age_seconds * MICRO), each)
    elif kind == "g":
        interval, _, horizon = bound.pacing
        yield from (interval, horizon, amount)
    else:
        yield from (*bound.tail(utc), amount)
