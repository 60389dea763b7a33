"""From a policy to its cache."""

from dataclasses import dataclass

from penstock_config.policy import Policy
from penstock_sidecar.cache.answers import AnswerCache
from penstock_sidecar.cache.entries import Entries
from penstock_sidecar.cache.entry import Seal
from penstock_sidecar.cache.key import Keys
from penstock_sidecar.cache.memory import AnswerMemory
from penstock_sidecar.cache.normalised import normalised
from penstock_sidecar.cache.removal import Removal
from penstock_sidecar.cache.semantic.build import Neighbours, Place, semantic_level
from penstock_sidecar.cache.shelf import Shelf
from penstock_sidecar.clock import Clock
from penstock_sidecar.store import Store


@dataclass(frozen=True, slots=True)
class Outside:
    """What a cache works with. Without a `store` nothing is kept, without `neighbours` nothing is
    found by its meaning; `memory` outlives the policy."""

    store: Store | None
    memory: AnswerMemory
    clock: Clock
    neighbours: Neighbours | None = None


def answer_cache(
    policy: Policy, place: tuple[str, str], secret: bytes, outside: Outside
) -> AnswerCache:
    """`place` is the cluster and the namespace."""
    (cluster, namespace), store, clock = place, outside.store, outside.clock
    normalise = normalised if policy.cache.normalised else None
    keys = Keys((cluster, namespace, policy.id), policy.cache.scope, secret, normalise)
    if store is None:
        return AnswerCache(policy.cache, keys, None, clock)
    shelf = Shelf(store)
    entries = Entries(Seal(secret), shelf, outside.memory, policy.cache.max_entry_bytes)
    kept = Place(secret, store, entries, keys.id)
    semantic = semantic_level(policy, kept, outside.neighbours, clock)
    removal = Removal(shelf, entries, keys.id, semantic)
    return AnswerCache(policy.cache, keys, entries, clock, semantic, removal)
