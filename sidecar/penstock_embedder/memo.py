"""Vectors of texts that were embedded before: nothing is done twice."""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Final

from penstock_embedder.index.vector import Vector

Embed = Callable[[str, float], Awaitable[Vector]]


class Memo:
    """The last so many, per namespace: how fast one answers tells no other what was asked here."""

    def __init__(self, embed: Embed, capacity: int) -> None:
        self._embed = embed
        self._capacity: Final = capacity
        self._known: OrderedDict[bytes, Vector] = OrderedDict()
        self.hits = 0

    def __len__(self) -> int:
        return len(self._known)

    async def vector(self, namespace: str, text: str, deadline: float) -> Vector:
        """Raises what embedding raises; that is not remembered."""
        key = _key(namespace, text)
        known = self._known.get(key)
        if known is not None:
            self._known.move_to_end(key)
            self.hits += 1
            return known
        vector = await self._embed(text, deadline)
        if self._capacity:
            self._known[key] = vector
            if len(self._known) > self._capacity:
                self._known.popitem(last=False)
        return vector


def _key(namespace: str, text: str) -> bytes:
    """Texts themselves are not held on to."""
    return hashlib.blake2b(
        f"{namespace}\0{text}".encode(errors="surrogatepass"), digest_size=16
    ).digest()
