"""Where a policy's sessions lie in Redis, and who finds them there.

    <cluster>:c:<namespace>:s<layout>:<digest>      ZSET: see lua/append.lua

The digest is a keyed hash of the scope (as the cache's) and of the session's name: nobody finds
another's session, and a key tells nobody whose it is. Each piece is sealed for its key.
"""

import hashlib
import secrets
from typing import Final

import orjson

from penstock_config.acl import cache_tag
from penstock_config.policy import Memory
from penstock_sidecar.cache.scope import Scope, within
from penstock_sidecar.cache.seal import Mac
from penstock_sidecar.model import Api, Caller, JsonObject
from penstock_sidecar.sessions.turns import Summary, Turn, decoded, encoded_summary, encoded_turn
from penstock_sidecar.store import Store, script_of

LAYOUT: Final = "1"
MAX_TURN_BYTES: Final = 256 * 1024
"""A longer turn is not kept: it would be sent again with each that follows."""
MAX_SESSION_BYTES: Final = 1024 * 1024
"""As of a response that is kept; the oldest turns go first."""
MAX_PENDING_TURNS: Final = 8
"""Beyond those to go on from, until they are summed up; older ones are forgotten."""
NONCE_BYTES: Final = 8
Pieces = tuple[Turn | Summary, ...]


class Shelf:
    """Of one policy. Raises `StoreUnavailable`."""

    def __init__(  # all that a key and a seal depend on
        self,
        memory: Memory,
        scope: Scope,
        place: tuple[str, str, str],
        secret: bytes,
        store: Store,
    ) -> None:
        cluster, namespace, _ = place
        self._most = max(1, memory.messages // 2)
        self._lying = self._most + (MAX_PENDING_TURNS if memory.summarise else 0)
        self._life_ms = memory.idle_seconds * 1000
        self._scope: Scope = scope
        self._place = (*place, scope)
        self._prefix = f"{cache_tag(cluster, namespace)}:s{LAYOUT}"
        self._secret = hashlib.blake2b(secret, digest_size=32, person=b"sessions-key").digest()
        self._mac = Mac(secret, b"sessions-seal")
        self._store = store

    def key(self, caller: Caller, name: str) -> str | None:
        """None for those whom nobody has named, where each user has his own."""
        shared = within(self._scope, caller)
        if shared is None:
            return None
        text = orjson.dumps((*self._place, *shared, name))
        return (
            f"{self._prefix}:{hashlib.blake2b(text, digest_size=16, key=self._secret).hexdigest()}"
        )

    async def pieces(self, key: str) -> Pieces:
        """The summary, and the turns to go on from, oldest first."""
        found = self._opened(key, await self._store.command("ZRANGEBYSCORE", key, 0, "+inf"))
        turns = [piece for piece in found if isinstance(piece, Turn)]
        return (*(piece for piece in found if isinstance(piece, Summary)), *turns[-self._most :])

    async def append(
        self, key: str, api: Api, user: JsonObject, answer: str, *, resumed: bool
    ) -> Pieces:
        """Returns what is to be summed up, the former summary first. A session that was `resumed`
        and erased since stays erased."""
        content = encoded_turn(secrets.token_hex(NONCE_BYTES), api, user, answer)
        if len(content) > MAX_TURN_BYTES:
            return ()
        bounds = (self._most, self._lying, MAX_SESSION_BYTES, self._life_ms)
        arguments = (self._mac.sealed(key, content), *bounds, int(resumed))
        return self._opened(key, await self._store.script(APPEND, (key,), arguments))

    async def condense(self, key: str, former: Pieces, summary: str) -> None:
        """Puts the summary where `former` was; an empty one forgets its turns."""
        members = [p.member for p in former if summary or isinstance(p, Turn)]
        content = encoded_summary(secrets.token_hex(NONCE_BYTES), summary)
        sealed = self._mac.sealed(key, content) if summary else b""
        await self._store.script(CONDENSE, (key,), (sealed, *members))

    async def erase(self, key: str) -> bool:
        """Whether there was one."""
        return await self._store.command("DEL", key) == 1

    def _opened(self, key: str, members: object) -> Pieces:
        found = []
        for member in members if isinstance(members, list) else ():
            content = self._mac.opened(key, member) if isinstance(member, bytes) else None
            piece = decoded(member, content) if content is not None else None
            if piece is not None:
                found.append(piece)
        return tuple(found)


APPEND: Final = script_of(__package__, "append")
CONDENSE: Final = script_of(__package__, "condense")
