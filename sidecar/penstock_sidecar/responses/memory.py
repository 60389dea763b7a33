"""Keeps a policy's responses in Redis for some hours, and finds them again for who may go on.

    <cluster>:c:<namespace>:r<layout>:<id>

The id is hashed with the namespace's key; who may go on stands in the sealed value, so that a
response that exists is never asked of its provider for somebody else.
"""

import hashlib
from typing import Final

import orjson

from penstock_config.acl import cache_tag
from penstock_sidecar.cache.scope import Scope, within
from penstock_sidecar.cache.seal import Mac
from penstock_sidecar.errors import ResponseNotFound, ResponsesUnavailable, UnknownResponse
from penstock_sidecar.listening import Overheard
from penstock_sidecar.model import Caller, JsonObject, Reply, Request
from penstock_sidecar.normalise.input_items import items_of
from penstock_sidecar.normalise.openai_responses import API, CONTEXTS, former_id, going_on
from penstock_sidecar.responses.kept import Kept, decoded
from penstock_sidecar.responses.reply import response_in
from penstock_sidecar.store import Store, StoreUnavailable

LAYOUT: Final = "1"
LIFE_SECONDS: Final = 6 * 3600
MAX_BYTES: Final = 1024 * 1024
"""Of one response with all that went before it; a longer one is not kept."""


class Responses:
    """Of one policy."""

    def __init__(  # all that a key, a seal and a scope depend on
        self,
        scope: Scope,
        cluster: str,
        namespace: str,
        policy_id: str,
        secret: bytes,
        store: Store | None,
    ) -> None:
        self._scope = scope
        self._prefix = f"{cache_tag(cluster, namespace)}:r{LAYOUT}"
        self._place = (cluster, namespace, policy_id, scope)
        self._secret = hashlib.blake2b(secret, digest_size=32, person=b"responses-key").digest()
        self._mac = Mac(secret, b"responses-seal")
        self._store = store

    async def resumed(self, request: Request, caller: Caller) -> Request:
        """With the items of the response that it goes on from. One that is not kept here is left
        to its provider, who may know it. Raises `UnknownResponse` for somebody else's, and
        `ResponsesUnavailable`."""
        former = former_id(request) if request.api == API else None
        if former is None or self._store is None:
            return request
        kept = await self._find(self._store, former)
        if kept is None:
            return request
        if kept.scope != self._scope_of(caller):
            raise UnknownResponse(former)
        return going_on(request, tuple(kept.items()))

    def remembering(self, request: Request, caller: Caller, reply: Reply) -> Reply:
        """The same reply, which keeps the response before the caller can know its id."""
        store = self._store
        if store is None or not _to_be_kept(request) or not (scope := self._scope_of(caller)):
            return reply

        async def hear(data: bytes) -> None:
            response = response_in(data, stream=request.stream)
            if response and isinstance(id_ := response.get("id"), str):
                kept = Kept(scope, tuple(items_of(request.document)), response)
                await self._put(store, id_, kept)

        return Overheard(reply, hear)

    async def found(self, response_id: str, caller: Caller) -> JsonObject:
        """As it was answered. Raises `ResponseNotFound` and `ResponsesUnavailable`."""
        kept = await self._find(self._store, response_id) if self._store else None
        if kept is None or kept.scope != self._scope_of(caller):
            raise ResponseNotFound(response_id)
        return kept.response

    async def forget(self, response_id: str, caller: Caller) -> None:
        """Raises as `found` does."""
        await self.found(response_id, caller)
        if self._store:
            await _told(self._store, "DEL", self._key(response_id))

    async def _find(self, store: Store, response_id: str) -> Kept | None:
        key = self._key(response_id)
        data = await _told(store, "GET", key)
        content = self._mac.opened(key, data) if isinstance(data, bytes) else None
        return decoded(content) if content is not None else None

    async def _put(self, store: Store, response_id: str, kept: Kept) -> None:
        """Forgets rather than fails."""
        key = self._key(response_id)
        try:
            data = self._mac.sealed(key, kept.encoded())
            if len(data) <= MAX_BYTES:
                await store.command("SET", key, data, "PX", LIFE_SECONDS * 1000)
        except (StoreUnavailable, orjson.JSONEncodeError):
            return

    def _key(self, response_id: str) -> str:
        return f"{self._prefix}:{self._digest(response_id.encode())}"

    def _scope_of(self, caller: Caller) -> str | None:
        """None for those whom nobody has named, where each user has his own."""
        shared = within(self._scope, caller)
        if shared is None:
            return None
        return self._digest(orjson.dumps((*self._place, *shared)))

    def _digest(self, data: bytes) -> str:
        return hashlib.blake2b(data, digest_size=16, key=self._secret).hexdigest()


async def _told(store: Store, command: str, key: str) -> object:
    """Raises `ResponsesUnavailable`."""
    try:
        return await store.command(command, key)
    except StoreUnavailable:
        raise ResponsesUnavailable(
            "Redis is away, and with it all responses that are kept: try again, or send all of"
            " the conversation as `input`",
            retry_after_seconds=1,
        ) from None


def _to_be_kept(request: Request) -> bool:
    """Not what goes on from something that only the provider knows: half of it would be kept."""
    document = request.document
    return (
        request.api == API
        and document.get("store") is not False
        and all(document.get(name) is None for name in CONTEXTS)
    )
