"""One server, kept connected: a deadline on every call, a breaker, reconnects in the background.

        dial ------> available ----- lost, or 3 late answers in 1 s -----> away
         ^                                                                 |
         +----------------- after a random, growing pause -----------------+

No breaker state of its own: open means that there is no connection, half-open is a dial, which
ends with a PING. Calls made before the first dial has ended wait for it, in their order.
"""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from random import uniform
from typing import Any, Final

import hiredis

from penstock_sidecar.redis_store.breaker import Breaker
from penstock_sidecar.redis_store.connection import (
    MAX_IN_FLIGHT,
    Connection,
    ConnectionLost,
    Pending,
)
from penstock_sidecar.redis_store.news import News, reason
from penstock_sidecar.redis_store.refusal import code_of, unavailable
from penstock_sidecar.redis_store.way import Way
from penstock_sidecar.store import Argument, Script, StoreUnavailable

GRACE: Final = 0.1
"""The last part of the deadline."""
DIAL_SECONDS: Final = 1.0
MIN_PAUSE_SECONDS: Final = 0.05

Reply = Coroutine[Any, Any, object]


def random_pause(most: float) -> float:
    """Between the shortest and `most`, seconds."""
    return uniform(MIN_PAUSE_SECONDS, most)  # noqa: S311  # spreads reconnects, guards nothing


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a call waits for its reply, and a dial for the next one, and who hears of it."""

    deadline_seconds: float = 0.05
    max_pause_seconds: float = 5.0
    pause_seconds: Callable[[float], float] = random_pause
    on_connected: Callable[[], None] = lambda: None
    """Called with every connection, the first included."""


class Node:
    """Raises `StoreUnavailable` and nothing else. Needs a running loop; ended by `close`."""

    def __init__(self, way: Way, patience: Patience) -> None:
        self._way = way
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._breaker = Breaker()
        self._connection: Connection | None = None
        self._early: dict[Pending, tuple[Argument, ...]] | None = {}
        """Calls that wait for the first dial; None when it has ended."""
        self._loads: dict[str, Pending] = {}
        self._news = News()
        self._tried = asyncio.Event()
        self._keeper = self._loop.create_task(self._keep_connected())

    @property
    def available(self) -> bool:
        return self._connection is not None and not self._connection.lost.is_set()

    @property
    def away(self) -> bool:
        """It has been dialled, and is not connected."""
        return self._tried.is_set() and not self.available

    async def first_try(self) -> None:
        """Returns when the server has been dialled once, with whatever result."""
        await self._tried.wait()

    def command(self, *arguments: Argument) -> Reply:
        """Queued by the call itself: what is called first is done first, whoever awaits when."""
        return self._command(self.send(*arguments), script=False)

    def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> Reply:
        """As `command`; a server that does not know the script is told, and asked again."""
        load = self._loads.get(script.sha) or self.load(script)
        call = ("EVALSHA", script.sha, len(keys), *keys, *arguments)
        return self._script(script, call, load, self.send(*call))

    async def close(self) -> None:
        """Ends the connection; calls that still wait fail."""
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        self._way.close()
        self._news.tell("closed", str(self._way))

    def load(self, script: Script, than: Pending | None = None) -> Pending:
        """Has the script loaded once per connection: commands keep their order, so the calls that
        follow find it. Loads it again where the last load is `than`."""
        latest = self._loads.get(script.sha)
        if latest and latest is not than:
            return latest
        load = self.send("SCRIPT", "LOAD", script.text)
        load.add_done_callback(forget)
        self._loads[script.sha] = load
        return load

    def send(self, *arguments: Argument) -> Pending:
        """Never raises: what cannot be sent is a future that has failed."""
        try:
            if self._connection:
                return self._connection.send(*arguments)
            return self._wait_for_dial(arguments)
        except ConnectionLost as error:
            failed: Pending = self._loop.create_future()
            failed.set_exception(error)
            failed.exception()  # whoever awaits it hears of it
            return failed

    async def reply(self, pending: Pending, seconds: float) -> object:
        """Raises `hiredis.ReplyError` too."""
        timer = self._loop.call_later(seconds * (1 - GRACE), self._nearly_late, pending, seconds)
        try:
            return await pending
        except TimeoutError as error:
            sent = self._early is None or self._early.pop(pending, None) is None
            if sent:
                self._late(pending)
            raise StoreUnavailable("no answer in time", sent=sent) from error
        except ConnectionLost as error:
            raise StoreUnavailable(str(error), sent=error.sent, away=True) from error
        finally:
            timer.cancel()

    def refused(self, error: hiredis.ReplyError, *, script: bool) -> StoreUnavailable:
        """What the caller is told of an error reply."""
        code = code_of(error)
        if code == "READONLY" and self._connection:
            self._connection.abort()  # the master has moved
        self._news.refused(code, str(self._way))
        return unavailable(error, script=script)

    async def _command(self, pending: Pending, *, script: bool) -> object:
        try:
            return await self.reply(pending, self._patience.deadline_seconds)
        except hiredis.ReplyError as error:
            raise self.refused(error, script=script) from error

    async def _script(
        self, script: Script, call: tuple[Argument, ...], load: Pending, pending: Pending
    ) -> object:
        try:
            return await self.reply(pending, self._patience.deadline_seconds)
        except hiredis.ReplyError as error:
            if code_of(error) != "NOSCRIPT":
                raise self.refused(error, script=True) from error
        self.load(script, than=load)
        return await self._command(self.send(*call), script=True)

    def _wait_for_dial(self, arguments: tuple[Argument, ...]) -> Pending:
        if self._early is None or len(self._early) >= MAX_IN_FLIGHT:
            raise ConnectionLost(self._news.latest or "not connected yet", sent=False)
        pending: Pending = self._loop.create_future()
        self._early[pending] = arguments
        return pending

    def _nearly_late(self, pending: Pending, seconds: float) -> None:
        """A busy loop is no slow Redis: what has arrived is read before the deadline counts."""
        self._loop.call_later(seconds * GRACE, _expire, pending)

    def _late(self, pending: Pending) -> None:
        if self._connection is None:
            return
        if self._breaker.failed(self._loop.time()):
            self._connection.abort()
        else:
            self._loop.call_later(DIAL_SECONDS, _end_if_silent, self._connection, pending)

    async def _keep_connected(self) -> None:
        most = MIN_PAUSE_SECONDS
        try:
            while True:
                if await self._connect():
                    most = MIN_PAUSE_SECONDS
                    await self._until_lost()
                most = min(2 * most, self._patience.max_pause_seconds)
                await asyncio.sleep(self._patience.pause_seconds(most))
        finally:
            self._end_waiting()
            if self._connection:
                self._connection.abort()

    async def _connect(self) -> bool:
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                connection = await self._way.dial()
                try:
                    async with asyncio.timeout(self._patience.deadline_seconds):
                        await connection.send("PING")
                except BaseException:
                    connection.abort()
                    raise
        except (OSError, ssl.SSLError, hiredis.HiredisError) as error:
            self._news.tell("away", str(self._way), reason(error))
            self._end_waiting()
            self._tried.set()
            return False
        self._breaker.reset()
        self._begin(connection)
        self._patience.on_connected()
        self._news.tell("available", str(self._way))
        self._tried.set()
        return True

    def _begin(self, connection: Connection) -> None:
        """Whoever waits goes first. Scripts are loaded anew, but for loads that wait too."""
        if connection.lost.is_set():
            self._end_waiting()
        early, self._early = self._early, None
        if early is None:
            self._loads.clear()
        for pending, arguments in (early or {}).items():
            if not pending.done():
                connection.put(pending, arguments)
        self._connection = connection

    def _end_waiting(self) -> None:
        early, self._early = self._early, None
        for pending in early or ():
            if not pending.done():
                pending.set_exception(ConnectionLost("away", sent=False))
                pending.exception()  # a future that nobody awaits any more is no news

    async def _until_lost(self) -> None:
        assert self._connection  # noqa: S101  # set by `_connect`, for mypy
        await self._way.watch(self._connection)
        self._connection = None
        self._news.tell("away", str(self._way), "connection lost")


def forget(pending: Pending) -> None:
    """For a future that nobody awaits: what failed is told by the call that follows it."""
    if not pending.cancelled():
        pending.exception()


def _expire(pending: Pending) -> None:
    if not pending.done():
        pending.set_exception(TimeoutError())


def _end_if_silent(connection: Connection, pending: Pending) -> None:
    """Few calls never make three in a second: one reply a whole second late is enough too."""
    if connection.owes(pending):
        connection.abort()
