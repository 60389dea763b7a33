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
class Entry:
    """A whole `chat.completion`, who gave it, and what it cost then."""

    body: bytes
    provider: str
    model: str
    tier: str
    usage: Usage
    cost_micro_usd: int
    stored_at: float
    """Seconds since 1970 UTC, by the storing sidecar's clock."""

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
            return Entry(body=body, usage=Usage(**meta.pop("usage")), **meta)
        except (KeyError, TypeError):
            return None
