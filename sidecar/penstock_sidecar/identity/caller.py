"""From a request to its caller.

Namespace, app and pod are the pod's own; what a client sends can only name a user within them.
"""

import re
from collections.abc import Mapping
from typing import Final

from penstock_config.policy import Identity, UserSource
from penstock_sidecar.errors import MalformedRequest, UserRequired
from penstock_sidecar.model import ANONYMOUS, Caller, Pod, Request

MAX_USER_CHARACTERS: Final = 256
"""Room for any e-mail address (254) or a hash; a user's name becomes part of keys and reports."""

BY_METADATA: Final = frozenset({"anthropic-messages", "anthropic-count-tokens"})
"""APIs whose own field for the user is `metadata.user_id`."""

SAFETY: Final = "safety_identifier"
"""What OpenAI calls the `user` of late."""

# Control characters, line separators and lone surrogates: none can be part of a name, and each
# breaks something further on (log lines, headers, UTF-8).
_UNUSABLE: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Identifier:
    """Finds the caller of each request, by one policy's `Identity`."""

    def __init__(self, identity: Identity, pod: Pod) -> None:
        self._sources = identity.user_from
        self._required = identity.required
        self._pod = pod

    def identify(self, request: Request) -> Caller:
        """Raises `UserRequired`, or `MalformedRequest` for a name that cannot be one."""
        pod = self._pod
        return Caller(pod.namespace, pod.app, pod.name, self._user(request))

    def _user(self, request: Request) -> str:
        for source in self._sources:
            if user := _named(source, request):
                return user
        if self._required:
            raise UserRequired(_how_to_name_a_user(self._sources))
        return ANONYMOUS


def _named(source: UserSource, request: Request) -> str:
    """What the source says, or nothing."""
    match source.kind:
        case "Header":
            name = (source.name or "").lower()
            return _usable(request.headers.get(name), f"header {name}")
        case "BodyUser":
            if request.api in BY_METADATA:
                return _usable(_metadata(request).get("user_id"), "metadata.user_id")
            user = _usable(request.document.get("user"), "user")
            return user or _usable(request.document.get(SAFETY), SAFETY)
        case "MetadataUserId":
            return _usable(_metadata(request).get("user_id"), "metadata.user_id")


def _metadata(request: Request) -> Mapping[str, object]:
    match request.document.get("metadata"):
        case None:
            return {}
        case Mapping() as metadata:
            return metadata
        case _:
            msg = "metadata must be an object"
            raise MalformedRequest(msg, param="metadata")


def _usable(value: object, where: str) -> str:
    match value:
        case None:
            return ""
        case str():
            user = value.strip()
        case _:
            msg = f"{where} must be a string"
            raise MalformedRequest(msg, param=where)
    if len(user) > MAX_USER_CHARACTERS:
        msg = f"{where} must not be longer than {MAX_USER_CHARACTERS} characters"
        raise MalformedRequest(msg, param=where)
    if _UNUSABLE.search(user):
        msg = f"{where} must not contain control characters"
        raise MalformedRequest(msg, param=where)
    return user


def _how_to_name_a_user(sources: tuple[UserSource, ...]) -> str:
    ways = {
        "Header": "header {}",
        "BodyUser": "`user` in the body",
        "MetadataUserId": "`metadata.user_id` in the body",
    }
    named = " or ".join(ways[source.kind].format(source.name) for source in sources)
    return f"this policy needs to know the user: send {named or 'one'}"
