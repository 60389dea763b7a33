"""What sidecars and the embedder agree on: who may ask, and what for.

A namespace's token is made from the installation's embedder secret, which the operator and the
embedder hold; a sidecar gets its own namespace's alone, so that its calls cannot leave it.

All calls are `POST` with JSON: `*Request` and `*Answer` below are their bodies, and `Refusal` is
that of every status but 200. A text longer than `WINDOW_TOKENS` is `too_long`, read or written.
"""

import hashlib
import hmac
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, SecretStr

from penstock_config.base import ConfigModel

NAMESPACE_HEADER: Final = "x-penstock-namespace"
"""Beside `authorization: Bearer <token>`."""
DEADLINE_HEADER: Final = "x-penstock-deadline-ms"
"""How long the caller waits from now on, in whole milliseconds: what could not be answered by then
is not begun."""
NEAREST_PATH: Final = "/v1/nearest"
VECTORS_PATH: Final = "/v1/vectors"
REMOVE_PATH: Final = "/v1/vectors/remove"
SIMILAR_PATH: Final = "/v1/similar"

WINDOW_TOKENS: Final = 256
"""Of all-MiniLM-L6-v2; what follows would be cut off unseen."""
MAX_TEXT_CHARACTERS: Final = 8192
"""Longer texts are `too_long` without counting their tokens."""
MAX_NAMES: Final = 1000
"""In one request or answer."""

Shelf = Annotated[str, Field(max_length=1024)]
"""`Shelves.prefix`, of the caller's namespace."""
Partition = Annotated[str, Field(pattern=r"^[0-9A-Za-z_.-]{1,128}$")]
"""Names all that must be equal besides the text: hex."""
Name = Annotated[str, Field(pattern=r"^[0-9A-Za-z:_.-]{1,256}$")]
"""Of an answer: `<target>:<request>`."""
Text = Annotated[str, Field(max_length=1_000_000)]
"""Bounded here so that every text gets its own refusal, not the body's."""


class EmbedderAccess(ConfigModel):
    """The way to the embedder, for the sidecars of one namespace."""

    url: str
    """`http://host:port` or `https://host:port`, without a path."""
    token: SecretStr
    ca_pem: str | None = None


def namespace_token(secret: str, cluster: str, namespace: str) -> str:
    """64 hex digits: HMAC-SHA256 of the namespace under the embedder's secret."""
    text = f"{cluster}\0{namespace}".encode()
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


class NearestRequest(ConfigModel):
    """Which kept texts of a partition are closest to this one?"""

    shelf: Shelf
    partition: Partition
    text: Text
    k: int = Field(4, ge=1, le=64)
    least: float = Field(0, ge=-1, le=1)
    """None less similar; in large partitions a high one saves most of the search."""


class Match(ConfigModel):
    """An answer whose text was kept, and the cosine similarity of the two, -1 to 1."""

    name: Name
    similarity: float


class NearestAnswer(ConfigModel):
    """The most similar first; at most k, none that has expired."""

    matches: tuple[Match, ...]


class VectorRequest(ConfigModel):
    """Keep this text's vector until then, in place of an older one of that name."""

    shelf: Shelf
    partition: Partition
    name: Name
    text: Text
    expires_at_ms: int = Field(ge=0)
    """Of the Unix epoch."""


class VectorAnswer(ConfigModel):
    """Kept, here and in Redis."""

    kept: bool
    """False where it had expired already, or its partition is full."""


class RemoveRequest(ConfigModel):
    """Forget these; without a partition in all of the shelf, without names all there is."""

    shelf: Shelf
    partition: Partition | None = None
    names: tuple[Name, ...] | None = Field(None, max_length=MAX_NAMES)


class RemoveAnswer(ConfigModel):
    """How many vectors there were."""

    removed: int = Field(ge=0)


class SimilarRequest(ConfigModel):
    """All kept texts at least so similar; without a partition in all of the shelf."""

    shelf: Shelf
    partition: Partition | None = None
    text: Text
    least: float = Field(ge=-1, le=1)


class SimilarMatch(ConfigModel):
    """A match, and where it is kept."""

    name: Name
    similarity: float
    partition: Partition


class SimilarAnswer(ConfigModel):
    """The most similar first."""

    matches: tuple[SimilarMatch, ...]
    """At most `MAX_NAMES`."""
    complete: bool
    """False where there were more: remove these, then ask again."""


class RefusalCode(StrEnum):
    """Why there is no answer, with the HTTP status it comes with."""

    MALFORMED = "malformed"
    """400."""
    UNAUTHORISED = "unauthorised"
    """401: no token, or not that namespace's."""
    FOREIGN_SHELF = "foreign_shelf"
    """403: a shelf of another namespace."""
    TOO_LONG = "too_long"
    """422: beyond the model's window. Never ask again with this text."""
    OVERLOADED = "overloaded"
    """503 with `retry-after`: more is waiting than can be answered in time."""
    NO_REDIS = "no_redis"
    """503 with `retry-after`: vectors could not be read or written."""
    TOO_LATE = "too_late"
    """504: the caller's deadline has passed."""
    BROKEN = "broken"
    """500: our fault; the log says more."""


class Refusal(ConfigModel):
    """The body of every answer but 200. Holds nothing of the text."""

    error: RefusalCode
    message: str
