"""The `Store` on one Redis: a deadline on every call, a breaker, reconnects in the background.

        dial ------> available ----- lost, or 3 late answers in 1 s -----> away
         ^                                                                 |
         +----------------- after a random, growing pause -----------------+

No breaker state of its own: open means that there is no connection, half-open is a dial, which
ends with a PING. Only these changes are logged.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable, Coroutine
from random import uniform
from typing import Any, Final

import hiredis

from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store.address import Address, dial, parse
from penstock_sidecar.redis_store.breaker import Breaker
from penstock_sidecar.redis_store.connection import Connection, ConnectionLost, Pending
from penstock_sidecar.store import Argument, Script, StoreUnavailable

DEADLINE_SECONDS: Final = 0.05
GRACE: Final = 0.1
"""The last part of the deadline."""
DIAL_SECONDS: Final = 1.0
MIN_PAUSE_SECONDS: Final = 0.05
MAX_PAUSE_SECONDS: Final = 5.0

Reply = Coroutine[Any, Any, object]

log = logging.getLogger(__name__)


class RedisStore:
    """Raises `StoreUnavailable` and nothing else. Made by `connect`, ended by `close`."""

    def __init__(
        self,
        access: RedisAccess,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        pause_seconds: Callable[[float], float] | None = None,
    ) -> None:
        self._access = access
        self._address: Address = parse(access)
        self._deadline_seconds = deadline_seconds
        self._pause_seconds = pause_seconds or _random_pause
        self._loop = asyncio.get_running_loop()
        self._breaker = Breaker()
        self._connection: Connection | None = None
        self._loads: dict[str, Pending] = {}
        self._told = ""
        self._tried = asyncio.Event()
        self._keeper = self._loop.create_task(self._keep_connected())

    @property
    def available(self) -> bool:
        return self._connection is not None and not self._connection.lost.is_set()

    async def first_try(self) -> None:
        """Returns when Redis has been dialled once, with whatever result."""
        await self._tried.wait()

    def command(self, *arguments: Argument) -> Reply:
        """Queued by the call itself: what is called first is done first, whoever awaits when."""
        return self._command(self._send(*arguments))

    def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> Reply:
        """As `command`; a server that does not know the script is told, and asked again."""
        load = self._loads.get(script.sha) or self._load(script)
        call = ("EVALSHA", script.sha, len(keys), *keys, *arguments)
        return self._script(script, call, load, self._send(*call))

    async def close(self) -> None:
        """Ends the connection; calls that still wait fail."""
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        self._tell("closed")

    async def _command(self, pending: Pending) -> object:
        try:
            return await self._reply(pending)
        except hiredis.ReplyError as error:
            raise self._refused(error) from error

    async def _script(
        self, script: Script, call: tuple[Argument, ...], load: Pending, pending: Pending
    ) -> object:
        try:
            return await self._reply(pending)
        except hiredis.ReplyError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise self._refused(error) from error
        if self._loads.get(script.sha) is load:  # else somebody else has just loaded it again
            self._load(script)
        return await self._command(self._send(*call))

    def _load(self, script: Script) -> Pending:
        """Once per connection: commands keep their order, so the calls that follow find it."""
        load = self._send("SCRIPT", "LOAD", script.text)
        load.add_done_callback(_forget)
        self._loads[script.sha] = load
        return load

    def _send(self, *arguments: Argument) -> Pending:
        """Never raises: what cannot be sent is a future that has failed."""
        if self._connection is None:
            return self._failed(ConnectionLost(self._told or "not connected yet"))
        try:
            return self._connection.send(*arguments)
        except ConnectionLost as error:
            return self._failed(error)

    def _failed(self, error: ConnectionLost) -> Pending:
        failed: Pending = self._loop.create_future()
        failed.set_exception(error)
        return failed

    async def _reply(self, pending: Pending) -> object:
        most = self._deadline_seconds
        timer = self._loop.call_later(most * (1 - GRACE), self._nearly_late, pending)
        try:
            return await pending
        except TimeoutError as error:
            self._late()
            raise StoreUnavailable("no answer in time") from error
        except ConnectionLost as error:
            raise StoreUnavailable(str(error)) from error
        finally:
            timer.cancel()

    def _nearly_late(self, pending: Pending) -> None:
        """A busy loop is no slow Redis: what has arrived is read before the deadline counts."""
        self._loop.call_later(self._deadline_seconds * GRACE, _expire, pending)

    def _late(self) -> None:
        if self._breaker.failed(self._loop.time()) and self._connection:
            self._connection.abort()

    def _refused(self, error: hiredis.ReplyError) -> StoreUnavailable:
        """An error reply: out of memory, loading, no permission, a replica. Told when it is new."""
        code = str(error).partition(" ")[0]
        if code == "READONLY" and self._connection:
            self._connection.abort()  # the master has moved
        if self._told != code:
            self._told = code
            log.warning("redis.refused", extra={"code": code, "redis": str(self._address)})
        return StoreUnavailable(code)

    async def _keep_connected(self) -> None:
        most = MIN_PAUSE_SECONDS
        try:
            while True:
                if await self._connect():
                    most = MIN_PAUSE_SECONDS
                    await self._until_lost()
                self._tried.set()
                most = min(2 * most, MAX_PAUSE_SECONDS)
                await asyncio.sleep(self._pause_seconds(most))
        finally:
            if self._connection:
                self._connection.abort()

    async def _connect(self) -> bool:
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                self._connection = await dial(self._address, self._access)
        except (OSError, TimeoutError, ssl.SSLError, hiredis.HiredisError) as error:
            self._tell("away", type(error).__name__)
            return False
        self._breaker.reset()
        self._loads.clear()
        self._tell("available")
        return True

    async def _until_lost(self) -> None:
        assert self._connection  # noqa: S101  # set by `_connect`, for mypy
        self._tried.set()
        await self._connection.lost.wait()
        self._connection = None
        self._tell("away", "connection lost")

    def _tell(self, state: str, why: str = "") -> None:
        if self._told != state:
            self._told = state
            level = logging.WARNING if state == "away" else logging.INFO
            log.log(level, "redis.%s", state, extra={"why": why, "redis": str(self._address)})


def _forget(load: Pending) -> None:
    """A load that failed is told by the call that follows it."""
    if not load.cancelled():
        load.exception()


def _random_pause(most: float) -> float:
    return uniform(MIN_PAUSE_SECONDS, most)  # noqa: S311  # spreads reconnects, guards nothing


def _expire(pending: Pending) -> None:
    if not pending.done():
        pending.set_exception(TimeoutError())


async def connect(access: RedisAccess, *, deadline_seconds: float = DEADLINE_SECONDS) -> RedisStore:
    """A store that has tried to connect for a moment; Redis may be away, and may come later."""
    store = RedisStore(access, deadline_seconds=deadline_seconds)
    try:
        async with asyncio.timeout(deadline_seconds * 4):
            await store.first_try()
    except TimeoutError:
        pass  # the store goes on trying
    return store
