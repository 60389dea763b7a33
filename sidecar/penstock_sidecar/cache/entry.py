"""An answer as it is kept, and its sealed form.

    MAC (32 bytes) | meta (JSON, one line) | \\n | the answer's body

The seal binds an entry to its key: who can write to Redis, but has not the namespace's key, can
neither make an answer nor move one to another question.
"""

from dataclasses import asdict, dataclass
from typing import Final

import orjson

from penstock_sidecar.cache.seal import Mac
from penstock_sidecar.model import Usage

PURPOSE: Final = b"cache-seal"


@dataclass(frozen=True, slots=True, repr=False)
class Gist:
    """What the semantic level compares: the last turn's text, among those of its partition."""

    partition: str
    text: str


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """A whole plain answer, who gave it, to what, and what it cost then."""

    body: bytes
    provider: str
    model: str
    tier: str
    usage: Usage
    cost_micro_usd: int
    stored_at: float
    """Seconds since 1970 UTC, by the storing sidecar's clock."""
    exact: str = ""
    """The digest of the request that was answered, as it came."""
    gist: Gist | None = None
    """None where the semantic level was not to know of it."""
    most_seconds: float | None = None
    """The longest it may live: who asked for it wanted so. `None` is: as the policy says."""

    def __repr__(self) -> str:
        return f"Entry({len(self.body)} bytes by {self.provider}/{self.model})"


class Seal:
    """Turns entries into bytes that nobody else can make."""

    def __init__(self, secret: bytes) -> None:
        self._mac = Mac(secret, PURPOSE)

    def sealed(self, key: str, entry: Entry) -> bytes:
        meta = {
            "provider": entry.provider,
            "model": entry.model,
            "tier": entry.tier,
            "usage": asdict(entry.usage),
            "cost_micro_usd": entry.cost_micro_usd,
            "stored_at": entry.stored_at,
            "exact": entry.exact,
            "gist": asdict(entry.gist) if entry.gist else None,
            "most_seconds": entry.most_seconds,
        }
        return self._mac.sealed(key, orjson.dumps(meta) + b"\n" + entry.body)

    def opened(self, key: str, data: bytes) -> Entry | None:
        """None for bytes that were not sealed for this key, or by a version unlike this one."""
        content = self._mac.opened(key, data)
        if content is None:
            return None
        line, _, body = content.partition(b"\n")
        meta = orjson.loads(line)
        try:
            gist = meta.pop("gist")
            usage = Usage(**meta.pop("usage"))
            return Entry(body=body, usage=usage, gist=Gist(**gist) if gist else None, **meta)
        except (KeyError, TypeError):
            return None
