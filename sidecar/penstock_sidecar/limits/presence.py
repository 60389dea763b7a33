"""Says every two seconds that this process lives, and tells Redis what it does not know.

Beats also sweep up what a killed process left, where nobody asks anything. What is told is little
while all goes well. After Redis was away, or has lost or rolled back its data, it is what this
process admitted by itself, what it has settled in all, and what it holds. A new connection hears it
at once.
"""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

from penstock_config.layout import Group
from penstock_sidecar.clock import MICROSECONDS
from penstock_sidecar.limits.batches import batches
from penstock_sidecar.limits.holds import Place
from penstock_sidecar.limits.ledger import Ledger
from penstock_sidecar.limits.renewals import Renewals
from penstock_sidecar.limits.settlements import Settlements
from penstock_sidecar.limits.shares import Debt
from penstock_sidecar.store import Argument, StoreUnavailable

BEAT_SECONDS: Final = 2.0
RETRY_SECONDS: Final = 0.5
"""Until the next beat where a group could not be told. While Redis is away that costs nothing."""
JITTER: Final = 0.2
BATCH: Final = 100
"""Sums or counters in one call: Redis serves nobody else meanwhile."""


class Presence:
    """One task for all groups that a limiter's configuration names."""

    def __init__(
        self,
        groups: Sequence[Group],
        ledger: Ledger,
        renewals: Renewals,
        settlements: Settlements,
        *,
        own: Group | None = None,
        beat_seconds: float = BEAT_SECONDS,
    ) -> None:
        """`own` hears beats from the start; other groups once this process used them."""
        self._groups = groups
        self._own = own
        self._beat_seconds = beat_seconds
        self._ledger = ledger
        self._memory = ledger.memory
        self._renewals = renewals
        self._settlements = settlements
        self._random = Random()  # noqa: S311  # spreads beats, guards nothing
        self._wanted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._told: dict[str, tuple[int, int]] = {}
        """Disturbances and doubts of a group after which all was told again."""
        ledger.on_disturbed = self._wanted.set

    def start(self) -> None:
        """Begin; again is nothing. Others' groups that this process never used hear nothing."""
        if self._task is None and self._ledger.configured:
            self._memory.listeners.add(self._wanted.set)
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        self._memory.listeners.discard(self._wanted.set)
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._wanted.clear()
            heard = [await self._beat(group) for group in self._groups if self._concerns(group)]
            seconds = self._beat_seconds if all(heard) else RETRY_SECONDS
            pause = seconds * self._random.uniform(1 - JITTER, 1 + JITTER)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wanted.wait()

    async def _beat(self, group: Group) -> bool:
        """False where the next beat has to say it."""
        try:
            await self.tell(group)
        except StoreUnavailable:
            return False
        return True

    async def tell(self, group: Group) -> None:
        """All that the group's data may lack. Raises `StoreUnavailable` with the rest untold."""
        tag, books = group.tag, self._memory.books(group.tag)
        await self._ledger.publish(Place(group, (group.members,)), (), ())
        now = books.disturbances, books.doubts
        told = self._told.get(tag, (0, 0))
        in_debt = self._memory.shares.in_debt(tag)
        await self._tell_totals(group, again=now != told)
        if now != told:
            self._memory.told_all(tag)
        if in_debt:
            await self._tell_debts(group)
        if now != told or in_debt:
            await self._renewals.retake(tag)
        if now != told:
            await self._settlements.repeat(tag)
        self._told[tag] = now

    def _concerns(self, group: Group) -> bool:
        """Others' groups are many, and know nothing of this process that they could forget."""
        used = self._memory.books(group.tag).epoch or self._memory.shares.in_debt(group.tag)
        return group == self._own or bool(used)

    async def _tell_totals(self, group: Group, *, again: bool) -> None:
        """Those that Redis has not heard; or all, where it may have forgotten some."""
        totals = self._memory.totals.within(group.tag)
        wanted = totals if again else [t for t in totals if t.told < t.settled]
        for totals in batches(wanted, BATCH):
            names = _Names(group)
            pairs = [(names.index(total.key), total) for total in totals]
            await self._ledger.publish(names.place(), pairs, ())

    async def _tell_debts(self, group: Group) -> None:
        """What comes meanwhile is for the next beat."""
        shares = self._memory.shares
        shares.settle_debts(group.tag)
        try:
            for debts in batches(shares.debts(group.tag), BATCH):
                await self._tell_some_debts(group, debts)
        except BaseException:
            shares.still_in_debt(group.tag)
            raise

    async def _tell_some_debts(self, group: Group, debts: Sequence[Debt]) -> None:
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
            yield from (round(age_seconds * MICROSECONDS), each)
    elif kind == "g":
        interval, _, horizon = bound.pacing
        yield from (interval, horizon, amount)
    else:
        yield from (*bound.tail(utc), amount)
