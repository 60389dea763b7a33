"""The master that Sentinels name, followed wherever it goes.

All sentinels are asked at once and the newest view counts (the highest configuration epoch), so one
that was cut off cannot send us back. While connected they are asked again each second: a former
master that came back, or that only we can still reach, is written to no longer than that.
"""

import asyncio
from dataclasses import dataclass
from random import uniform
from typing import Final

import hiredis

from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store.address import Address, Login, Target, dial
from penstock_sidecar.redis_store.connection import Connection, ConnectionLost

ASK_SECONDS: Final = 0.4
"""For a sentinel's answer: half of what a whole dial may take."""
WATCH_SECONDS: Final = (0.8, 1.2)


@dataclass(frozen=True, slots=True)
class View:
    """What one sentinel knows."""

    epoch: int
    host: str
    port: int


class FollowMaster:
    """A `Way`. Keeps a connection to each sentinel."""

    def __init__(self, target: Target, access: RedisAccess) -> None:
        self._target = target
        self._login = Login(access.username, access.password)
        own = Login(access.sentinel_username, access.sentinel_password)
        self._logins = (own,) if own.password else (Login(), self._login)
        self._sentinels: dict[Address, Connection] = {}
        self._current: tuple[str, int] | None = None

    def __str__(self) -> str:
        where = ":".join(map(str, self._current)) if self._current else "unknown"
        return f"{self._target.master} at {where}"

    async def dial(self) -> Connection:
        """What answers there must also say that it is the master."""
        self._current = await self._master()
        tls = self._target.addresses[0].tls
        address = Address(*self._current, None, self._target.database, tls)
        connection = await dial(address, self._login)
        try:
            _insist_on_master(await connection.send("ROLE"))
        except BaseException:
            connection.abort()
            raise
        return connection

    async def watch(self, connection: Connection) -> None:
        """Nothing changes while no sentinel answers: they may be away, the master need not be."""
        while not await _lost_within(connection, uniform(*WATCH_SECONDS)):  # noqa: S311  # spreads
            try:
                master = await self._master()
            except (OSError, hiredis.HiredisError):
                continue
            if master != self._current:
                connection.abort()

    def close(self) -> None:
        for connection in self._sentinels.values():
            connection.abort()
        self._sentinels.clear()

    async def _master(self) -> tuple[str, int]:
        asked = (self._ask(address) for address in self._target.addresses)
        answers = await asyncio.gather(*asked, return_exceptions=True)
        views = [answer for answer in answers if isinstance(answer, View)]
        if not views:
            raise next(answer for answer in answers if isinstance(answer, Exception))
        newest = max(view.epoch for view in views)
        places = [(view.host, view.port) for view in views if view.epoch == newest]
        return self._current if self._current in places else places[0]

    async def _ask(self, address: Address) -> View:
        """The address as it will be in a moment, and the epoch that it belongs to."""
        try:
            async with asyncio.timeout(ASK_SECONDS):
                connection = await self._sentinel(address)
                name = self._target.master
                place = connection.send("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)
                state = connection.send("SENTINEL", "MASTER", name)
                return _view(*await asyncio.gather(place, state, return_exceptions=True))
        except BaseException:
            if address in self._sentinels:
                self._sentinels.pop(address).abort()
            raise

    async def _sentinel(self, address: Address) -> Connection:
        connection = self._sentinels.get(address)
        if connection is None or connection.lost.is_set():
            connection = self._sentinels[address] = await self._dial_sentinel(address)
        return connection

    async def _dial_sentinel(self, address: Address) -> Connection:
        """With a login where it asks for one, never else."""
        *others, last = self._logins
        for login in others:
            try:
                return await dial(address, login)
            except hiredis.ReplyError as error:
                if not str(error).startswith("NOAUTH"):
                    raise
        return await dial(address, last)


def _view(place: object, state: object) -> View:
    match place, state:
        case [bytes(host), bytes(port)], [*fields]:
            return View(_epoch(fields), host.decode(), int(port))
        case BaseException() as error, _:
            raise error
        case _:
            raise ConnectionLost("the sentinels do not know the master's name", sent=False)


def _epoch(fields: list[object]) -> int:
    """Names and values, one after the other."""
    for name, value in zip(fields[::2], fields[1::2], strict=False):
        if name == b"config-epoch" and isinstance(value, bytes):
            return int(value)
    return 0


def _insist_on_master(role: object) -> None:
    match role:
        case [b"master", *_]:
            return
        case _:
            raise ConnectionLost("not the master, or not yet", sent=False)


async def _lost_within(connection: Connection, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await connection.lost.wait()
    except TimeoutError:
        return False
    return True
