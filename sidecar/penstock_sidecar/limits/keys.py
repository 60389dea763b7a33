"""The names of limits' keys in Redis: two slot groups, so that a script never leaves one slot.

    {<cluster>:n:<namespace>}:...              caller limits, budgets
    {<cluster>:p:<namespace>/<provider>}:...   provider limits, budgets that bind a provider

A limit's key never holds the limit's value: an edited limit goes on from what was used.
"""

import hashlib
from dataclasses import dataclass
from typing import Self

LAYOUT = 1
"""Version of keys, fields and records; part of every name, so that two can live side by side."""
MAX_BLAKE2B_KEY = 64


@dataclass(frozen=True, slots=True)
class Group:
    """One slot group. `keys` are state, holds and expiry: KEYS[1] to [3] of every script."""

    tag: str
    keys: tuple[str, str, str]

    @classmethod
    def of_namespace(cls, cluster: str, namespace: str) -> Self:
        return cls._of(f"{{{cluster}:n:{namespace}}}:{LAYOUT}")

    @classmethod
    def of_provider(cls, cluster: str, provider_id: str) -> Self:
        return cls._of(f"{{{cluster}:p:{provider_id}}}:{LAYOUT}")

    @classmethod
    def _of(cls, tag: str) -> Self:
        return cls(tag, (f"{tag}:state", f"{tag}:holds", f"{tag}:expiry"))

    def slots(self, name: str) -> str:
        """The lease ZSET of a concurrency limit."""
        return f"{self.tag}:slots:{name}"

    def subject(self, digest: str) -> str:
        """Windows and days of one app, pod, user or header value."""
        return f"{self.tag}:subject:{digest}"


def subject_digest(scope_key: bytes, *parts: str) -> str:
    """128 bits that stand for a subject: nobody without the namespace's key can guess whose.

    Any text: a header's bytes need not be UTF-8, and come as lone surrogates then.
    """
    key = scope_key if len(scope_key) <= MAX_BLAKE2B_KEY else hashlib.sha256(scope_key).digest()
    text = "\0".join(f"{len(part)}:{part}" for part in parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, key=key, digest_size=16).hexdigest()
