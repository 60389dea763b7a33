"""Redis as the sidecar's shared store."""

from penstock_sidecar.redis_store.store import DEADLINE_SECONDS, RedisStore, connect

__all__ = ["DEADLINE_SECONDS", "RedisStore", "connect"]
