"""What outlives any configuration: made at start, closed at exit."""

from dataclasses import dataclass, field
from random import Random

from penstock_config.credentials import RedisAccess
from penstock_sidecar.attempts import FirstContentTimes
from penstock_sidecar.cache.memory import AnswerMemory
from penstock_sidecar.cache.semantic.finding import SemanticObserver
from penstock_sidecar.clock import Clock
from penstock_sidecar.ensemble import GpuMemory
from penstock_sidecar.feedback import Feedback
from penstock_sidecar.fleet import Fleets
from penstock_sidecar.health.breakers import Breakers
from penstock_sidecar.limits.desk import LimitObserver
from penstock_sidecar.limits.flood import FloodGate
from penstock_sidecar.limits.memory import Memory
from penstock_sidecar.model import Recorder
from penstock_sidecar.redis_store import DEADLINE_SECONDS, RedisStore, connect
from penstock_sidecar.routing.seen import Seen
from penstock_sidecar.upstream import Ways


@dataclass(slots=True)
class Shared:
    """Of one process."""

    recorder: Recorder
    limit_observer: LimitObserver
    semantic_observer: SemanticObserver
    embedder_deadline_seconds: float
    clock: Clock
    ways: Ways
    random: Random
    breakers: Breakers
    """Failures are remembered over changes of the configuration."""
    seen: Seen
    """So is what candidates were like."""
    memory: Memory
    """So is what Redis was told, and what it was not."""
    answers: AnswerMemory
    """And which answers were given lately."""
    flood: FloodGate
    """And how many requests came."""
    feedback: Feedback
    """And which calls people may judge."""
    fleets: Fleets
    """And the replicas of what the operator runs, and who waits for them."""
    gpu: GpuMemory
    """Local models that answer for an ensemble, too."""
    first_content_times: FirstContentTimes = field(default_factory=FirstContentTimes)
    """And how long who took."""
    redis_deadline_seconds: float = DEADLINE_SECONDS
    _stores: dict[RedisAccess, tuple[RedisStore, int]] = field(default_factory=dict)

    async def open_store(self, access: RedisAccess) -> RedisStore:
        """One connection per way to Redis, however many runtimes use it."""
        store, users = self._stores.get(access) or (await self._connect(access), 0)
        self._stores[access] = (store, users + 1)
        return store

    async def close_store(self, access: RedisAccess) -> None:
        store, users = self._stores[access]
        if users > 1:
            self._stores[access] = (store, users - 1)
        else:
            del self._stores[access]
            await store.close()

    async def _connect(self, access: RedisAccess) -> RedisStore:
        deadline_seconds, heard = self.redis_deadline_seconds, self.memory.connected
        return await connect(access, deadline_seconds=deadline_seconds, on_connected=heard)
