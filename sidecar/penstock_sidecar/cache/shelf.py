"""Where sealed entries lie. A shelf forgets rather than fails."""

from typing import Protocol

from penstock_sidecar.store import Store, StoreUnavailable


class Shelf(Protocol):
    """Bytes under keys, for a time; another shelf may stand before this one."""

    async def get(self, key: str) -> bytes | None: ...

    async def put(self, key: str, data: bytes, lifetime_ms: int) -> None: ...

    async def drop(self, key: str) -> None: ...


class RedisShelf:
    """One command each. Redis away is nothing found and nothing kept: the store's breaker tells."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def get(self, key: str) -> bytes | None:
        try:
            found = await self._store.command("GET", key)
        except StoreUnavailable:
            return None
        return found if isinstance(found, bytes) else None

    async def put(self, key: str, data: bytes, lifetime_ms: int) -> None:
        try:
            await self._store.command("SET", key, data, "PX", lifetime_ms)
        except StoreUnavailable:
            return

    async def drop(self, key: str) -> None:
        try:
            await self._store.command("DEL", key)
        except StoreUnavailable:
            return
