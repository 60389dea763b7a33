"""One sidecar's part in a flight that all sidecars share: a hash in Redis (`lua/begin.lua`).

Redis away is `None`, everywhere: the sidecar decides by itself.
"""

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from penstock_sidecar.cache.flight.part import End
from penstock_sidecar.cache.flight.times import MILLISECONDS, Times
from penstock_sidecar.store import Store, StoreUnavailable, script_of

ANY: Final = b"*"
"""An answer that is kept already: whatever it is, it does not do."""
MOST_FAILURES: Final = 2
"""Leaders in a row whose providers fail; after them nobody waits for another one."""
TOKEN_BYTES: Final = 16
TRIES: Final = 3
"""A call whose reply was late may have been done; done again, it does nothing more."""

After = Literal["alone", "next", "lost"]
Reply = list[bytes | int]


@dataclass(frozen=True, slots=True)
class Answered:
    """By its seal."""

    seal: bytes


@dataclass(frozen=True, slots=True)
class Lead:
    number: int


@dataclass(frozen=True, slots=True)
class Follow:
    """Somebody leads, who must beat in so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class GoAlone:
    """No answer will be kept, or none soon."""


Joined = Answered | Lead | Follow | GoAlone


BEGIN: Final = script_of(__package__, "begin")
BEAT: Final = script_of(__package__, "beat")
END: Final = script_of(__package__, "end")


@dataclass(frozen=True, slots=True)
class SharedFlight:
    """`flight` and `answer` are keys of one slot."""

    store: Store
    flight: str
    answer: str
    times: Times
    token: str = field(default_factory=lambda: secrets.token_hex(TOKEN_BYTES))

    async def begin(self, seen: bytes = b"") -> Joined | None:
        """`seen`: seal of an answer that does not do."""
        arguments = (self.token, _ms(self.times.lease), seen)
        for _ in range(TRIES):
            try:
                reply = await self.store.script(BEGIN, (self.flight, self.answer), arguments)
            except StoreUnavailable as error:
                if not error.sent:
                    break
            else:
                return _joined(cast("Reply", reply))
        return None

    async def beat(self) -> bool | None:
        """Whether it leads still."""
        try:
            arguments = (self.token, _ms(self.times.lease))
            return await self.store.script(BEAT, (self.flight,), arguments) == 1
        except StoreUnavailable:
            return None

    async def end(self, how: End, alone_seconds: float) -> After | None:
        """What the others do now; if that is to go alone, how long."""
        next_ms, alone_ms = _ms(self.times.next_leader), _ms(alone_seconds)
        arguments = (self.token, how, next_ms, alone_ms, MOST_FAILURES)
        try:
            after = await self.store.script(END, (self.flight,), arguments)
        except StoreUnavailable:
            return None
        return cast("After", cast("bytes", after).decode())

    async def changed(self, lease: float) -> None:
        """Returns when nobody leads, or Redis cannot say so until a leader would be dead. `lease`
        is what `Follow` said."""
        now = asyncio.get_running_loop().time
        dead_at, pause = now() + lease, self.times.first_look
        while True:
            await asyncio.sleep(min(pause, max(dead_at - now(), 0)))
            pause = min(pause * 1.5, self.times.longest_look)
            try:
                owner, left_ms = await asyncio.gather(
                    self.store.command("HGET", self.flight, "owner"),
                    self.store.command("PTTL", self.flight),
                )
            except StoreUnavailable:
                if now() >= dead_at:
                    return
            else:
                if owner is None:
                    return
                dead_at = now() + cast("int", left_ms) / MILLISECONDS


def _joined(reply: Reply) -> Joined:
    match reply:
        case [b"answered", bytes(seal)]:
            return Answered(seal)
        case [b"lead", number]:
            return Lead(int(number))
        case [b"follow", ms]:
            return Follow(max(int(ms), 0) / MILLISECONDS)
        case _:
            return GoAlone()


def _ms(seconds: float) -> int:
    return max(1, round(seconds * MILLISECONDS))
