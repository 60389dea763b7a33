"""One of several processes on one server, and its wire, on which calls get lost."""

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from penstock_config.layout import Group
from penstock_sidecar.limits.holds import End, Place
from penstock_sidecar.limits.journal import Journal
from penstock_sidecar.limits.ledger import Ledger
from penstock_sidecar.limits.memory import Memory
from penstock_sidecar.limits.presence import Presence
from penstock_sidecar.limits.renewals import Renewals
from penstock_sidecar.limits.scripts import PUBLISH, SETTLE
from penstock_sidecar.limits.settlements import Settlements
from penstock_sidecar.limits.shares import Shares
from penstock_sidecar.store import Argument, Script, StoreUnavailable
from tests.sidecar.limits.truth import Truth
from tests.sidecar.limits.virtual import VirtualStore

OTHER_EPOCH: Final = 9
GROUPS: Final = (Group.of_namespace("test", "shop"), Group.of_provider("test", "shop/cloud"))
Way = Literal["heard", "mute", "lost", "late", "unsent"]
"""Of a settlement: mute and late ones are heard, without an answer, at once or later."""


@dataclass(repr=False)
class Late:
    """A call on its way."""

    script: Script
    keys: tuple[str, ...]
    arguments: tuple[Argument, ...]


class Wire:
    """A process's way to the server, and what the truth is told of it."""

    def __init__(self, store: VirtualStore, truth: Truth) -> None:
        self._store = store
        self._truth = truth
        self.process = ""
        self.way: Way = "heard"
        """Of the next call."""
        self.broken = False
        """The next call finds that there is no connection."""
        self.late: list[Late] = []
        self.done = asyncio.Event()
        """A call was heard, and answered."""

    async def next_done(self) -> None:
        """Returns when a further call was heard, and answered."""
        self.done.clear()
        async with asyncio.timeout(5):
            await self.done.wait()

    async def command(self, *_: Argument) -> object:
        raise NotImplementedError

    async def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> object:
        way, self.way = self.way, "heard"
        if self.broken or way == "unsent":
            away, self.broken = self.broken, False
            raise StoreUnavailable(sent=False, away=away)
        tag, told = keys[0].removesuffix(":state"), totals_in(script, arguments)
        if way in {"lost", "late"}:
            self._truth.unanswered(self.process, tag, told)
            if way == "late":
                self.late.append(Late(script, keys, arguments))
            raise StoreUnavailable
        reply = await self.deliver(script, keys, arguments)
        if way == "mute" and reply[0] == 1:
            self._truth.unanswered(self.process, tag, told)
            raise StoreUnavailable
        if reply[0] == 1:
            self.done.set()
            self._truth.answered(self.process, tag, told, sums_in(script, arguments, reply))
        elif reply[0] == OTHER_EPOCH and arguments[0]:
            self._truth.adopted(self.process, tag, older=reply[1] < int(arguments[0]))
        return reply

    async def deliver(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> Any:
        reply: Any = await self._store.script(script, keys, arguments)
        if reply[0] == 1:
            tag = keys[0].removesuffix(":state")
            self._truth.done(self.process, tag, totals_in(script, arguments))
        return reply


def totals_in(script: Script, arguments: tuple[Argument, ...]) -> dict[str, int]:
    """Fields and totals that a call carries."""
    rest, found = iter(arguments), {}
    skip = partial(next, rest)
    if script is PUBLISH:
        _, _, _, _, count = (skip() for _ in range(5))
        for _ in range(int(count)):
            _, name, total, *_ = (skip() for _ in range(6))
            found[str(name)] = int(total)
    elif script is SETTLE:
        _, _, _, _, _, _, _, _, count = (skip() for _ in range(9))
        for _ in range(int(count)):
            _, name, total, *_ = (skip() for _ in range(8))
            found[str(name)] = int(total)
    return found


def sums_in(script: Script, arguments: tuple[Argument, ...], reply: list[int]) -> dict[str, int]:
    """What the reply says of them; calls of this machine end one hold."""
    first = 5 if script is PUBLISH else 3
    return dict(zip(totals_in(script, arguments), reply[first:], strict=False))


class Process:
    """All that lives as long as a sidecar does."""

    def __init__(self, store: VirtualStore, truth: Truth) -> None:
        self.wire = Wire(store, truth)
        self.memory = Memory(store, Shares(store), Journal.open(None))
        self.name = self.wire.process = self.memory.process
        self.ledger = Ledger(self.wire, self.memory)
        self.settlements = Settlements(self.ledger, self.memory.journal)
        self.renewals = Renewals(self.ledger)
        self.presence = Presence(GROUPS, self.ledger, self.renewals, self.settlements)

    def __repr__(self) -> str:
        return self.name

    async def settle(self, place: Place, end: End, way: Way) -> None:
        """What is not heard here nobody says again: later sums must do."""
        self.wire.way = way
        if way == "heard" and not self.wire.broken:
            await self.settlements.settle(place, [end])
            return
        with contextlib.suppress(StoreUnavailable):
            await self.ledger.settle(place, [end])

    async def beat(self) -> None:
        """Until all is told; a connection may be found broken on the way."""
        for group in GROUPS:
            for _ in range(3):
                with contextlib.suppress(StoreUnavailable):
                    await self.presence.tell(group)
                    break

    async def close(self) -> None:
        await self.renewals.close()
        await self.settlements.close()
