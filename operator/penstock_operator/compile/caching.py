"""A `RoutePolicy`'s cache into the contract's."""

from penstock_config import cache as config
from penstock_operator.api.route_cache import Cache, CacheWarming, SemanticCache


def cache_of(cache: Cache) -> config.Cache:
    """`requireDeterministic` left open is true for answers found by their meaning alone."""
    exact, normalised, semantic = cache.exact, cache.normalised, cache.semantic
    wanted = cache.require_deterministic
    return config.Cache(
        exact=config.ExactCache(ttl_seconds=exact.ttl_seconds) if exact else None,
        normalised=config.NormalisedCache(ttl_seconds=normalised.ttl_seconds)
        if normalised
        else None,
        semantic=_semantic(semantic, deterministic=wanted is not False) if semantic else None,
        scope=cache.scope,
        require_deterministic=bool(wanted),
        count_hits_against_limits=cache.count_hits_against_limits,
        refresh_ahead_percent=cache.refresh_ahead_percent,
        warm=_warming(cache.warm) if cache.warm else None,
        max_entry_bytes=cache.max_entry_bytes,
    )


def _semantic(semantic: SemanticCache, *, deterministic: bool) -> config.SemanticCache:
    return config.SemanticCache(
        threshold=float(semantic.threshold),
        ttl_seconds=semantic.ttl_seconds,
        guard=semantic.guard,
        shadow=semantic.shadow,
        verify_percent=semantic.verify_percent,
        require_deterministic=deterministic,
    )


def _warming(warm: CacheWarming) -> config.Warming:
    return config.Warming(
        prompts=warm.config_map_ref is not None,
        popular=warm.popular,
        predict=bool(warm.predict),
    )
