"""Graphics memory of local models: bytes, not a count.

A model's weights are loaded once, however many requests it answers: the first request that needs
it takes its bytes, the last gives them back. Who comes later waits behind those who came before,
also where he would fit: a large model is never starved by small ones. One per process: what other
pods ask of the same provider, the provider queues by itself.

Where replicas are known, a model that one of them holds in memory takes its bytes at once: they are
its own already. They count for those that would have to be loaded beside it.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from penstock_sidecar.model import Candidate


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    name: str
    size_bytes: int
    turn: asyncio.Future[None]


@dataclass(slots=True)
class _Card:
    """One provider's memory. `capacity_bytes` is what the newest request says."""

    capacity_bytes: int
    used_bytes: int = 0
    users: Counter[str] = field(default_factory=Counter)
    sizes: dict[str, int] = field(default_factory=dict)
    line: deque[_Waiting] = field(default_factory=deque)

    def admits(self, name: str, size_bytes: int) -> bool:
        """It is loaded, it fits, or nothing else is there: what is larger than the card runs by
        itself, partly elsewhere."""
        loaded = name in self.users
        return loaded or not self.users or self.used_bytes + size_bytes <= self.capacity_bytes

    def take(self, name: str, size_bytes: int) -> None:
        if name not in self.users:
            self.sizes[name] = size_bytes
            self.used_bytes += size_bytes
        self.users[name] += 1

    def give_back(self, name: str) -> None:
        self.users[name] -= 1
        if not self.users[name]:
            del self.users[name]
            self.used_bytes -= self.sizes.pop(name)
        self.serve()

    def serve(self) -> None:
        """Those in front, as far as there is room: what they get is theirs before they wake."""
        while self.line:
            first = self.line[0]
            left = first.turn.cancelled()
            if not left and not self.admits(first.name, first.size_bytes):
                return
            self.line.popleft()
            if not left:
                self.take(first.name, first.size_bytes)
                first.turn.set_result(None)


class GpuMemory:
    """A semaphore over bytes, for each provider that says how many it has. Outlives
    configurations. `loaded` says whether the model is in memory, as far as that is known."""

    def __init__(self, loaded: Callable[[Candidate], bool] = lambda _: False) -> None:
        self._loaded = loaded
        self._cards: dict[str, _Card] = {}

    @asynccontextmanager
    async def room(self, candidate: Candidate) -> AsyncIterator[None]:
        """Returns inside when the model has its memory; at once where sizes are not known."""
        capacity, size = candidate.provider.gpu_memory_bytes, candidate.model.vram_bytes
        if capacity is None or size is None:
            yield
            return
        key = candidate.provider.id
        card = self._cards.setdefault(key, _Card(capacity))
        card.capacity_bytes = capacity
        name = candidate.model.upstream_name
        try:
            if self._loaded(candidate):
                card.take(name, size)
            else:
                await _taken(card, name, size)
            try:
                yield
            finally:
                card.give_back(name)
        finally:
            if not card.users and not card.line:
                self._cards.pop(key, None)

    def used_bytes(self, provider_id: str) -> int:
        card = self._cards.get(provider_id)
        return card.used_bytes if card else 0

    def waiting(self, provider_id: str) -> int:
        """Requests in the line."""
        card = self._cards.get(provider_id)
        return len(card.line) if card else 0


async def _taken(card: _Card, name: str, size_bytes: int) -> None:
    """Returns when it is; cancelled, it leaves nothing behind."""
    if not card.line and card.admits(name, size_bytes):
        card.take(name, size_bytes)
        return
    waiting = _Waiting(name, size_bytes, asyncio.get_running_loop().create_future())
    card.line.append(waiting)
    card.serve()  # the line may have room by a larger capacity
    try:
        await waiting.turn
    except asyncio.CancelledError:
        if waiting.turn.cancelled():
            card.serve()  # who was behind this one may be in front now
        else:
            card.give_back(name)
        raise
