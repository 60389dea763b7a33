"""What can go wrong with the API server, by who must act.

ClusterError
├── ClusterUnreachable   wait: down, slow, overloaded, or its certificate is not trusted
├── Forbidden            the administrator: a right is missing, or the namespace is going away
├── NotFound             nobody: it is gone, or its kind is not served
├── Conflict             read again: somebody else was faster
├── Fenced               nobody: this replica is no longer the active one
└── Refused              we: the document is wrong, or the server does not know this call
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

MAX_MESSAGE_CHARACTERS: Final = 500


class ClusterError(Exception):
    """A call to the API server failed. The text never holds the document that was sent."""


class ClusterUnreachable(ClusterError):
    """No answer, or one that says to come back later."""


class Forbidden(ClusterError):
    """401 or 403."""


class NotFound(ClusterError):
    """404."""


class Conflict(ClusterError):
    """409: changed meanwhile, or there already."""


class Fenced(ClusterError):
    """A write that was not sent."""


class Refused(ClusterError):
    """Any other 4xx."""


_BY_STATUS: Final[Mapping[int, type[ClusterError]]] = {
    HTTPStatus.UNAUTHORIZED: Forbidden,
    HTTPStatus.FORBIDDEN: Forbidden,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.REQUEST_TIMEOUT: ClusterUnreachable,
    HTTPStatus.TOO_MANY_REQUESTS: ClusterUnreachable,
}


def from_status(status: int, body: bytes, call: str) -> ClusterError:
    """The error for an answer that is not 2xx. `call` is method and path."""
    text = f"{call}: {status} {_message(body)}".rstrip()
    other = ClusterUnreachable if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Refused
    return _BY_STATUS.get(status, other)(text)


def _message(body: bytes) -> str:
    """`message` of a Kubernetes `Status`, shortened; a body of another kind says nothing."""
    try:
        status = json.loads(body)
    except ValueError:
        return ""
    message = status.get("message", "") if isinstance(status, dict) else ""
    return str(message)[:MAX_MESSAGE_CHARACTERS]
