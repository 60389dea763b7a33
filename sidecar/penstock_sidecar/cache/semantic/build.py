"""From a policy to its semantic level."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from penstock_config.policy import Policy
from penstock_sidecar.cache.entries import Entries
from penstock_sidecar.cache.semantic.embedder import Embedder
from penstock_sidecar.cache.semantic.finding import SemanticObserver
from penstock_sidecar.cache.semantic.gists import Gists
from penstock_sidecar.cache.semantic.guard.refusal import refusal
from penstock_sidecar.cache.semantic.learning import Learning
from penstock_sidecar.cache.semantic.level import Means, SemanticLevel
from penstock_sidecar.cache.semantic.nearby import Nearby
from penstock_sidecar.cache.semantic.trust import Trust
from penstock_sidecar.clock import Clock
from penstock_sidecar.store import Store

logger = logging.getLogger(__name__)

CONTRADICTIONS: Final = frozenset(
    {"numbers", "units", "negation", "direction", "entities", "code", "roles"}
)
"""What two answers to one question do not differ in."""


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Who finds questions that mean the same, and who hears of it. `random` picks what is asked
    for all the same."""

    embedder: Embedder
    observer: SemanticObserver
    random: Random


@dataclass(frozen=True, slots=True)
class Place:
    """Where answers are kept, and by which secret. `key_id` names an answer's key to people."""

    secret: bytes
    store: Store
    entries: Entries
    key_id: Callable[[str], str]


def semantic_level(
    policy: Policy, place: Place, neighbours: Neighbours | None, clock: Clock
) -> SemanticLevel | None:
    """None where the policy has no such level, or nobody finds anything."""
    semantic = policy.cache.semantic
    if semantic is None or neighbours is None:
        return None
    trust = Trust(place.store)
    return SemanticLevel(
        policy.id,
        semantic,
        Means(
            gists=Gists(semantic, place.secret),
            embedder=neighbours.embedder,
            nearby=Nearby(semantic, place.entries, trust, _differ, clock),
            learning=Learning(trust, place.entries, _contradict, semantic.ttl_seconds),
            key_id=place.key_id,
            observer=neighbours.observer,
            random=neighbours.random,
        ),
    )


def _differ(asked: str, kept: str) -> bool:
    return _refusal(asked, kept) is not None


def _contradict(one: str, other: str) -> bool:
    """Of answers: they may be worded as they like."""
    return _refusal(one, other) in CONTRADICTIONS


def _refusal(asked: str, kept: str) -> str | None:
    """What cannot be compared is not the same."""
    try:
        return refusal(asked, kept)
    except Exception as error:  # noqa: BLE001  # the log hears, without what it says; no request fails
        logger.error("cache.guard_failed", extra={"error": type(error).__name__})  # noqa: TRY400  # its text may quote a prompt
        return "words"
