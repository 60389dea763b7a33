"""A vector as it lies in Redis, and the place where it lies.

8 bytes expiry, ms of the Unix epoch, big-endian; then fp16, little-endian
"""

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from penstock_config.cache_layout import Shelves
from penstock_embedder.index.vector import Vector

EXPIRY: Final = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Place:
    """One partition of one shelf. Vectors of different models never lie in one place."""

    namespace: str
    shelf: str
    member: str
    """`<partition>.<model>`: how the set of partitions names it."""

    @classmethod
    def of(cls, namespace: str, shelf: str, partition: str, model: str) -> "Place":
        return cls(namespace, shelf, f"{partition}.{model}")

    @property
    def partition(self) -> str:
        return self.member.rpartition(".")[0]

    @property
    def key(self) -> str:
        return Shelves(self.shelf).vectors(self.member)

    @property
    def partitions_key(self) -> str:
        return Shelves(self.shelf).partitions


@dataclass(frozen=True, slots=True)
class Kept:
    """One vector under an answer's name."""

    name: str
    vector: Vector
    expires_at_ms: int

    @property
    def value(self) -> bytes:
        return EXPIRY.pack(self.expires_at_ms) + self.vector.astype("<f2").tobytes()


def read(values: Mapping[bytes, bytes], dimension: int) -> Iterable[Kept]:
    """Those that can be read; what another program put there is left out."""
    size = EXPIRY.size + 2 * dimension
    for name, value in values.items():
        if len(value) == size:
            vector = np.frombuffer(value, "<f2", offset=EXPIRY.size).astype(np.float32)
            (expires,) = EXPIRY.unpack_from(value)
            yield Kept(name.decode(errors="replace"), vector, expires)
