"""Redis as the sidecar's shared store."""

from penstock_sidecar.redis_store.store import RedisStore, connect

__all__ = ["RedisStore", "connect"]
