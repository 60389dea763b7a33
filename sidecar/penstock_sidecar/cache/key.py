"""What a request's answer is kept under (`penstock_config.cache_layout`).

The scope is a hard prefix: no part of a request can leave it. Names are keyed hashes of the place
and of the whole request, so that a key tells nobody what was asked, and equal text in two scopes
has nothing in common.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Final, TypeVar

import orjson

from penstock_config.cache_layout import CACHE_LAYOUT, Shelves
from penstock_sidecar.cache.forms import Form
from penstock_sidecar.cache.forms.pieces import is_exact
from penstock_sidecar.cache.question import Question
from penstock_sidecar.cache.scope import Scope, within
from penstock_sidecar.model import Caller, JsonObject, Request

K = TypeVar("K")
V = TypeVar("V")
Normalise = Callable[[Request], JsonObject | None]
"""The request as all see it that differ in spelling alone."""
MOST_REMEMBERED: Final = 1024
"""Places of scopes, since users come and go; and spellings of requests."""


class Keys:
    """Makes the questions of one policy. `normalise` is None where that level is off."""

    def __init__(
        self,
        place: tuple[str, str, str],
        scope: Scope,
        secret: bytes,
        normalise: Normalise | None = None,
    ) -> None:
        self._place: Final = place
        """Cluster, namespace, the policy's id."""
        self._scope = scope
        self._secret = hashlib.blake2b(secret, digest_size=32, person=b"cache-key").digest()
        self._normalise = normalise
        self._scopes: dict[tuple[str, ...], tuple[Shelves, str]] = {}
        self._names: dict[str, str] = {}
        """Of exact digests: what is asked again is not normalised again."""

    def question(
        self, request: Request, caller: Caller, target: str, kind: str, form: Form
    ) -> Question | None:
        """None for a caller who shares with nobody, and for a document that has no canonical form.
        Requests of one `kind` are answered alike."""
        place = self._place_of(caller)
        document = canonical(request.document, form.ignored)
        if place is None or document is None:
            return None
        shelves, scope = place
        told = [request.headers.get(name) for name in form.headers]
        context = orjson.dumps((CACHE_LAYOUT, request.api, scope, target, kind, told))
        exact = self._digest(b"exact", context, b"\n", document, size=32)
        name = self._names.get(exact)
        if name is None:
            alike = self._normalised(request, form, context) or exact
            name = f"{self._target(target)}:{alike}"
            _remember(self._names, exact, name)
        return Question(request, caller, target, kind, form, shelves, name, exact)

    def shelves(self, caller: Caller) -> Shelves | None:
        """Of the caller's scope; None for a caller who shares with nobody."""
        place = self._place_of(caller)
        return place[0] if place else None

    def id(self, key: str) -> str:
        """Names a key to people without telling it: 16 hex digits."""
        return self._digest(b"id", key.encode(), size=8)

    def _normalised(self, request: Request, form: Form, context: bytes) -> str | None:
        document = self._normalise(request) if self._normalise else None
        if document is None:
            return None
        written = canonical(document, form.ignored)
        return self._digest(b"normalised", context, b"\n", written, size=32) if written else None

    def _place_of(self, caller: Caller) -> tuple[Shelves, str] | None:
        parties = within(self._scope, caller)
        if parties is None:
            return None
        return self._scopes.get(parties) or self._remembered(parties)

    def _remembered(self, parties: tuple[str, ...]) -> tuple[Shelves, str]:
        cluster, namespace, policy_id = self._place
        scope = orjson.dumps((*self._place, self._scope, *parties))
        policy = policy_id.rpartition("/")[2]
        shelves = Shelves.of(cluster, namespace, policy, self._digest(scope, size=16))
        _remember(self._scopes, parties, (shelves, scope.decode()))
        return self._scopes[parties]

    def _target(self, target: str) -> str:
        return self._digest(b"target", target.encode(), size=8)

    def _digest(self, *parts: bytes, size: int) -> str:
        hash_ = hashlib.blake2b(digest_size=size, key=self._secret)
        for part in parts:
            hash_.update(part)
        return hash_.hexdigest()


def _remember(memory: dict[K, V], key: K, value: V) -> None:
    """The first to come is the first to go."""
    if len(memory) >= MOST_REMEMBERED:
        del memory[next(iter(memory))]
    memory[key] = value


def canonical(document: Mapping[str, object], ignored: Collection[str]) -> bytes | None:
    """JSON with sorted keys, without what is `ignored`; numbers stay as they were written."""
    counted = {name: value for name, value in document.items() if name not in ignored}
    try:
        written = orjson.dumps(counted, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        return None
    return written if is_exact(counted, written) else None
