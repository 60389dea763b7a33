"""Vectors in Redis, shared by all embedders. What Redis does not answer is `Refused`: no_redis."""

import hashlib
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from typing import Any, Final

from redis.exceptions import NoScriptError, RedisError

from penstock_config.cache_layout import Shelves
from penstock_embedder.errors import no_redis
from penstock_embedder.kept import Kept, Place, read
from penstock_embedder.redis_client import Client

CHUNK: Final = 500
"""Vectors per reply: 400 kB."""
logger = logging.getLogger(__name__)


class Script:
    """One file of `lua/`."""

    def __init__(self, name: str) -> None:
        self.text: Final = resources.files(__package__).joinpath("lua", name).read_text("utf-8")
        self.digest: Final = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


KEEP: Final = Script("keep.lua")
SWEEP: Final = Script("sweep.lua")
REMOVE: Final = Script("remove.lua")
MAX_DELETIONS: Final = 10_000
"""In one script: some milliseconds, for which Redis does nothing else."""


class Vectors:
    """Reads and writes one vector or many."""

    def __init__(self, client: Client, dimension: int, max_entries: int) -> None:
        self._client: Any = client  # the two kinds share no type, and redis-py's are loose
        self._dimension = dimension
        self._max_entries = max_entries

    async def all(self, place: Place) -> AsyncIterator[list[Kept]]:
        """Whatever was there from beginning to end, in chunks; some of it twice."""
        cursor = 0
        while True:
            with translated():
                cursor, values = await self._client.hscan(place.key, cursor, count=CHUNK)
            yield list(read(values, self._dimension))
            if not cursor:
                return

    async def some(self, place: Place, names: Sequence[str]) -> list[Kept]:
        """Those of the names that are there."""
        with translated():
            values = await self._client.hmget(place.key, names)
        there = {n.encode(): v for n, v in zip(names, values, strict=True) if v is not None}
        return list(read(there, self._dimension))

    async def keep(self, place: Place, kept: Kept) -> bool:
        """False: it has expired, or there is no room."""
        keys = (place.key, place.partitions_key)
        arguments = (kept.name, kept.value, kept.expires_at_ms, self._max_entries, place.member)
        return bool(await self._run(KEEP, keys, *arguments) == 1)

    async def sweep(self, place: Place, names: Sequence[str]) -> None:
        """Removes those that have expired by Redis's clock, and the place where it is empty."""
        keys = (place.key, place.partitions_key)
        for begin in range(0, max(1, len(names)), CHUNK):
            await self._run(SWEEP, keys, place.member, *names[begin : begin + CHUNK])

    async def remove(self, places: Sequence[Place], names: Sequence[str]) -> int:
        """From all of these places of one shelf; how many there were. At least one name."""
        count = max(1, MAX_DELETIONS // len(names))
        chunks = [places[begin : begin + count] for begin in range(0, len(places), count)]
        return sum([await self._remove(chunk, names) for chunk in chunks])

    async def drop(self, place: Place) -> int:
        """Removes all of a place; how many there were."""
        with translated():
            there = int(await self._client.hlen(place.key))
            await self._client.delete(place.key)
            await self._client.srem(place.partitions_key, place.member)
        return there

    async def places(self, namespace: str, shelf: str) -> list[Place]:
        """All places of a shelf, of all models."""
        with translated():
            members = await self._client.smembers(Shelves(shelf).partitions)
        return [Place(namespace, shelf, member.decode()) for member in sorted(members)]

    async def _remove(self, places: Sequence[Place], names: Sequence[str]) -> int:
        keys = (places[0].partitions_key, *(place.key for place in places))
        return int(await self._run(REMOVE, keys, *(place.member for place in places), *names))

    async def _run(self, script: Script, keys: Sequence[str], *arguments: str | bytes | int) -> Any:
        """Loads the script where the server does not know it."""
        call = (script.digest, len(keys), *keys, *arguments)
        with translated():
            try:
                return await self._client.evalsha(*call)
            except NoScriptError:
                await self._client.script_load(script.text)
                return await self._client.evalsha(*call)


@contextmanager
def translated() -> Iterator[None]:
    """Raises the library's errors as ours; the log says which."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        logger.warning("redis.failed", extra={"error": type(error).__name__})
        raise no_redis() from error
