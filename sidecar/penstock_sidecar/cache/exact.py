"""Level 1: the same request, asked again in the same scope, gets the answer it got.

```
key -> lookup -> (serve) or (call upstream, collector.add for each chunk) -> store
```
Nothing here can fail a request: what Redis does not give is a miss, what it does not take is lost.
"""

from typing import Final

from penstock_config.policy import Cache
from penstock_sidecar.cache.collector import Collector
from penstock_sidecar.cache.entry import Entry, Seal
from penstock_sidecar.cache.key import Keys
from penstock_sidecar.cache.replay import Hit
from penstock_sidecar.cache.shelf import RedisShelf, Shelf
from penstock_sidecar.clock import Clock
from penstock_sidecar.model import ANONYMOUS, Api, Caller, Candidate, Request
from penstock_sidecar.store import Store

__all__ = ["Collector", "ExactCache", "Hit"]

CACHED_API: Final[Api] = "openai-chat"
"""The one whose answers are known to the collector and to the replay."""
JITTER: Final = 0.1
"""Lifetimes differ by up to a tenth, so that what came together does not go together."""


class ExactCache:
    """Answers of one policy, under keys that hold all of a request."""

    def __init__(  # noqa: PLR0913, PLR0917  # all that a key, a seal and a lifetime depend on
        self,
        cache: Cache,
        cluster: str,
        namespace: str,
        policy_id: str,
        scope_key: bytes,
        store: Store | None,
        clock: Clock,
    ) -> None:
        self._cache = cache
        self._keys = Keys(cluster, namespace, policy_id, cache.scope, scope_key)
        self._seal = Seal(scope_key)
        self._shelf: Shelf | None = RedisShelf(store) if store else None
        self._clock = clock

    def key(self, request: Request, caller: Caller, target: str, kind: str = "") -> str | None:
        """None where the cache is off or must not be asked, nor told, about this request."""
        if self._shelf is None or self._cache.exact is None or self._bypassed(request, caller):
            return None
        return self._keys.key(request, caller, target, kind)

    async def lookup(self, key: str, request: Request) -> Hit | None:
        """An answer that is young enough for the policy and for the caller."""
        if self._shelf is None or request.cache_control.no_cache:
            return None
        data = await self._shelf.get(key)
        if data is None:
            return None
        entry = self._seal.opened(key, data)
        if entry is None:
            await self._shelf.drop(key)
            return None
        return self._young(key, entry, request)

    def collector(self, key: str, request: Request, candidate: Candidate) -> Collector:
        """Keeps nothing where the caller forbids it, or where another tier serves than was meant:
        an answer lies only under what gave it."""
        collector = Collector(key, request, candidate, self._cache.max_entry_bytes)
        targets = (f"tier:{candidate.tier_id}", f"model:{candidate.model.name}")
        served_as_meant = any(self._keys.is_for(key, target) for target in targets)
        control = request.cache_control
        if control.no_store or control.store_seconds == 0 or not served_as_meant:
            collector.give_up()
        return collector

    async def store(self, collector: Collector, cost_micro_usd: int) -> None:
        """Keeps the answer if it is whole and small enough. Never raises."""
        collected = collector.collected()
        if self._shelf is None or collected is None:
            return
        entry = Entry(
            body=collected.body,
            provider=collector.candidate.provider.id,
            model=collector.candidate.model.name,
            tier=collector.candidate.tier,
            usage=collected.usage,
            cost_micro_usd=cost_micro_usd,
            stored_at=self._clock.utc(),
        )
        data = self._seal.sealed(collector.key, entry)
        if len(data) <= self._cache.max_entry_bytes:
            lifetime_seconds = self._lifetime_seconds(collector.key)
            if collector.store_seconds is not None:
                lifetime_seconds = min(lifetime_seconds, collector.store_seconds)
            await self._shelf.put(collector.key, data, int(lifetime_seconds * 1000))

    def _bypassed(self, request: Request, caller: Caller) -> bool:
        control = request.cache_control
        return (
            request.api != CACHED_API
            or (control.no_cache and control.no_store)
            or (self._cache.require_deterministic and not _deterministic(request))
            # Answers kept per user are not for all those whom nobody has named.
            or (self._cache.scope == "User" and caller.user == ANONYMOUS)
        )

    def _young(self, key: str, entry: Entry, request: Request) -> Hit | None:
        age_seconds = max(0.0, self._clock.utc() - entry.stored_at)
        wanted = request.cache_control.max_age_seconds
        # Also checked against the policy, whose lifetime may have been shortened since.
        if age_seconds >= self._lifetime_seconds(key) or (
            wanted is not None and age_seconds >= wanted
        ):
            return None
        return Hit(entry, self._keys.id(key), int(age_seconds))

    def _lifetime_seconds(self, key: str) -> float:
        """The policy's, give or take the jitter: the key's own hash serves as chance."""
        ttl_seconds = self._cache.exact.ttl_seconds if self._cache.exact else 0
        chance = int(key[-8:], 16) / 0xFFFF_FFFF
        return ttl_seconds * (1 + JITTER * (2 * chance - 1))


def _deterministic(request: Request) -> bool:
    """Temperature is said to be 0; none said means 1 to most providers."""
    temperature = request.document.get("temperature")
    return not isinstance(temperature, bool) and temperature == 0
