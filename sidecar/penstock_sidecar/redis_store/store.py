"""The `Store` on any kind of Redis: one server, one that Sentinels name, a Cluster."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from penstock_config.credentials import RedisAccess
from penstock_sidecar.redis_store.address import Login, Target, parse
from penstock_sidecar.redis_store.cluster import Cluster
from penstock_sidecar.redis_store.node import Node, Patience, Reply, random_pause
from penstock_sidecar.redis_store.sentinel import FollowMaster
from penstock_sidecar.redis_store.way import Direct
from penstock_sidecar.store import Argument, Script

DEADLINE_SECONDS: Final = 0.05
MAX_PAUSE_SECONDS: Final = 5.0
MAX_FAILOVER_PAUSE_SECONDS: Final = 1.0
"""Between two dials where another server takes over from one that is gone."""


class RedisStore:
    """Raises `StoreUnavailable` and nothing else. Made by `connect`, ended by `close`."""

    def __init__(
        self,
        access: RedisAccess,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
        pause_seconds: Callable[[float], float] = random_pause,
        on_connected: Callable[[], None] = lambda: None,
    ) -> None:
        patience = Patience(deadline_seconds, MAX_PAUSE_SECONDS, pause_seconds, on_connected)
        self._redis = _open(parse(access), access, patience)

    @property
    def available(self) -> bool:
        return self._redis.available

    async def first_try(self) -> None:
        """Returns when Redis has been dialled once, with whatever result."""
        await self._redis.first_try()

    def command(self, *arguments: Argument) -> Reply:
        """Queued by the call itself: what is called first is sent first, whoever awaits when."""
        return self._redis.command(*arguments)

    def script(
        self, script: Script, keys: tuple[str, ...], arguments: tuple[Argument, ...]
    ) -> Reply:
        """As `command`; a server that does not know the script is told, and asked again."""
        return self._redis.script(script, keys, arguments)

    async def close(self) -> None:
        """Ends the connections; calls that still wait fail."""
        await self._redis.close()


def _open(target: Target, access: RedisAccess, patience: Patience) -> Node | Cluster:
    match target.kind:
        case "single":
            login = Login(access.username, access.password)
            return Node(Direct(target.addresses[0], login), patience)
        case "sentinel":
            quick = replace(patience, max_pause_seconds=MAX_FAILOVER_PAUSE_SECONDS)
            return Node(FollowMaster(target, access), quick)
        case "cluster":
            quick = replace(patience, max_pause_seconds=MAX_FAILOVER_PAUSE_SECONDS)
            return Cluster(target, access, quick)


async def connect(
    access: RedisAccess,
    *,
    deadline_seconds: float = DEADLINE_SECONDS,
    on_connected: Callable[[], None] = lambda: None,
) -> RedisStore:
    """A store that has tried to connect for a moment; Redis may be away, and may come later.
    `on_connected` hears of every connection, to whichever server."""
    store = RedisStore(access, deadline_seconds=deadline_seconds, on_connected=on_connected)
    try:
        async with asyncio.timeout(deadline_seconds * 4):
            await store.first_try()
    except TimeoutError:
        pass  # the store goes on trying
    return store
