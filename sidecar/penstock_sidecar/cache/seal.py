"""Bytes that nobody can make who has not the namespace's key, each bound to where it lies.

MAC (32 bytes) | content
"""

import hashlib
import hmac
from typing import Final

MAC_BYTES: Final = 32


class Mac:
    """`purpose`, of 16 bytes at most, keeps what is sealed for one thing from another."""

    def __init__(self, secret: bytes, purpose: bytes) -> None:
        self._secret = hashlib.blake2b(secret, digest_size=32, person=purpose).digest()

    def sealed(self, key: str, content: bytes) -> bytes:
        return self._of(key, content) + content

    def opened(self, key: str, data: bytes) -> bytes | None:
        """None for bytes that were not sealed for this key."""
        mac, content = data[:MAC_BYTES], data[MAC_BYTES:]
        return content if hmac.compare_digest(mac, self._of(key, content)) else None

    def _of(self, key: str, content: bytes) -> bytes:
        hash_ = hashlib.blake2b(digest_size=MAC_BYTES, key=self._secret)
        hash_.update(key.encode())
        hash_.update(b"\0")
        hash_.update(content)
        return hash_.digest()
