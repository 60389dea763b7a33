"""Where a policy's sessions lie in Redis, and who finds them there.

    <cluster>:c:<namespace>:s<layout>:<digest>            ZSET: see lua/append.lua
    <cluster>:c:<namespace>:s<layout>:{<the same>}:erased STRING: see lua/erase.lua

The digest is a keyed hash of the scope (as the cache's) and of the session's name: nobody finds
another's session, and a key tells nobody whose it is. Each piece is sealed for its key.
"""

import hashlib
import secrets
from dataclasses import dataclass
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
ERASED_SECONDS: Final = 90_000
"""So long is known that a session was erased: longer than any request lasts, which a provider may
take a day for (`totalSeconds`)."""
Pieces = tuple[Turn | Summary, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Found:
    """A session as a request finds it: the summary, and the turns to go on from, oldest first.
    `erased` tells apart when it was erased last, for `append`."""

    pieces: Pieces = ()
    erased: bytes = b""


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

    async def found(self, key: str) -> Found:
        reply = await self._store.script(OPEN, _keys(key), ())
        erased, members = reply if isinstance(reply, list) else (None, ())
        found = self._opened(key, members)
        turns = [piece for piece in found if isinstance(piece, Turn)]
        summary = (piece for piece in found if isinstance(piece, Summary))
        return Found((*summary, *turns[-self._most :]), erased or b"")

    async def append(
        self,
        key: str,
        api: Api,
        user: JsonObject,
        answer: str,
        *,
        resumed: bool,
        erased: bytes = b"",
    ) -> Pieces:
        """Returns what is to be summed up, the former summary first. A session that was `resumed`
        and has gone since stays so, and so does any that was erased since: where `erased` is no
        longer what was found."""
        content = encoded_turn(secrets.token_hex(NONCE_BYTES), api, user, answer)
        if len(content) > MAX_TURN_BYTES:
            return ()
        bounds = (self._most, self._lying, MAX_SESSION_BYTES, self._life_ms)
        arguments = (self._mac.sealed(key, content), *bounds, int(resumed), erased)
        return self._opened(key, await self._store.script(APPEND, _keys(key), arguments))

    async def condense(self, key: str, former: Pieces, summary: str) -> None:
        """Puts the summary where `former` was; an empty one forgets its turns."""
        members = [p.member for p in former if summary or isinstance(p, Turn)]
        content = encoded_summary(secrets.token_hex(NONCE_BYTES), summary)
        sealed = self._mac.sealed(key, content) if summary else b""
        await self._store.script(CONDENSE, (key,), (sealed, *members))

    async def erase(self, key: str) -> bool:
        """Whether there was one. Answers to requests that have begun add nothing any more."""
        return await self._store.script(ERASE, _keys(key), (ERASED_SECONDS * 1000,)) == 1

    def _opened(self, key: str, members: object) -> Pieces:
        found = []
        for member in members if isinstance(members, list) else ():
            content = self._mac.opened(key, member) if isinstance(member, bytes) else None
            piece = decoded(member, content) if content is not None else None
            if piece is not None:
                found.append(piece)
        return tuple(found)


def _keys(session: str) -> tuple[str, str]:
    """The braces keep both in one slot of a Cluster, and the prefix both within a namespace's
    rights."""
    prefix, _, _ = session.rpartition(":")
    return session, f"{prefix}:{{{session}}}:erased"


OPEN: Final = script_of(__package__, "open")
APPEND: Final = script_of(__package__, "append")
CONDENSE: Final = script_of(__package__, "condense")
ERASE: Final = script_of(__package__, "erase")
