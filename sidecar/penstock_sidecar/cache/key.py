"""What a request's answer is kept under.

    <cluster>:c:<namespace>:<layout>:<policy>:<scope>:<target>:<request>

The scope is a hard prefix: no part of a request can leave it. The last part is a keyed hash of all
of the former in clear and of the whole request, so that a key tells nobody what was asked, and
equal text in two scopes has nothing in common.
"""

import hashlib
from collections.abc import Mapping
from typing import Final, Literal

import orjson

from penstock_sidecar.model import Caller, Request

LAYOUT: Final = "1"
"""Of keys and entries; another one never meets this one's entries."""
ENDPOINT: Final = "chat.completions"

IGNORED: Final = frozenset(
    {
        "model",  # replaced by the target: a tier's name and `auto` may mean the same
        "user",  # who asks, for the provider's abuse reports; the scope separates users
        "metadata",  # labels for the provider's dashboard; no model sees them
        "stream",  # how the answer is delivered: streams and plain answers serve each other
        "stream_options",  # the same
        "cache",  # instructions to this cache
    }
)
"""All that is left out. Everything else counts, known or not: a list of fields that do count is
how caches come to give wrong answers (limits_cache.md, 3.3)."""

Scope = Literal["App", "User", "Namespace"]


class Keys:
    """Makes the keys of one policy."""

    def __init__(
        self, cluster: str, namespace: str, policy_id: str, scope: Scope, secret: bytes
    ) -> None:
        self._place = (cluster, namespace, policy_id)
        self._scope = scope
        self._secret = hashlib.blake2b(secret, digest_size=32, person=b"cache-key").digest()
        policy = policy_id.rpartition("/")[2]
        self._prefix = f"{cluster}:c:{namespace}:{LAYOUT}:{policy}"

    def key(self, request: Request, caller: Caller, target: str, kind: str = "") -> str | None:
        """None for a document that has no canonical form. Requests of one `kind` are answered
        alike."""
        document = canonical(request.document)
        if document is None:
            return None
        scope = orjson.dumps((*self._place, self._scope, *self._within(caller)))
        context = orjson.dumps((LAYOUT, ENDPOINT, scope.decode(), target, kind))
        return ":".join(
            (
                self._prefix,
                self._digest(scope, size=16),
                self._target(target),
                self._digest(context, b"\n", document, size=32),
            )
        )

    def is_for(self, key: str, target: str) -> bool:
        """Whether `key` was made for `target`."""
        return key.rsplit(":", 2)[1] == self._target(target)

    def id(self, key: str) -> str:
        """Names a key to people without telling it: 16 hex digits."""
        return self._digest(b"id", key.encode(), size=8)

    def _within(self, caller: Caller) -> tuple[str, ...]:
        """A user is one of an app: another app may claim any user's name."""
        match self._scope:
            case "Namespace":
                return ()
            case "App":
                return (caller.app,)
            case "User":
                return caller.app, caller.user

    def _target(self, target: str) -> str:
        return self._digest(b"target", target.encode(), size=8)

    def _digest(self, *parts: bytes, size: int) -> str:
        hash_ = hashlib.blake2b(digest_size=size, key=self._secret)
        for part in parts:
            hash_.update(part)
        return hash_.hexdigest()


def canonical(document: Mapping[str, object]) -> bytes | None:
    """JSON with sorted keys, without what is `IGNORED`; numbers stay as they were written."""
    counted = {name: value for name, value in document.items() if name not in IGNORED}
    try:
        return orjson.dumps(counted, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return None
