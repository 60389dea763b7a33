"""From a policy to what warms its cache."""

from dataclasses import dataclass
from random import Random

from penstock_config.cache import Cache
from penstock_config.cache_layout import warming as warming_stream
from penstock_config.policy import Policy
from penstock_sidecar.cache.answers import AnswerCache
from penstock_sidecar.clock import Clock
from penstock_sidecar.renewal import Renewals
from penstock_sidecar.store import Store
from penstock_sidecar.warming.asking import Asking
from penstock_sidecar.warming.claims import Claims
from penstock_sidecar.warming.following import Following
from penstock_sidecar.warming.known import Known
from penstock_sidecar.warming.popular import Popular
from penstock_sidecar.warming.prompts import Prompts
from penstock_sidecar.warming.warming import Kinds, Warming


@dataclass(frozen=True, slots=True)
class Warmers:
    """What warming works with; `consumer` is this sidecar's name among those that claim. Without a
    `store` nothing is warmed."""

    cache: AnswerCache
    renewals: Renewals
    store: Store | None
    consumer: str
    clock: Clock
    random: Random


def cache_warming(policy: Policy, place: tuple[str, str], means: Warmers) -> Warming | None:
    """None where the policy warms nothing. `place` is the cluster and the namespace."""
    warm, store = policy.cache.warm, means.store
    if warm is None or store is None:
        return None
    asking, known = Asking(), Known()
    stream = warming_stream(*place, policy.id.split("/")[-1])
    claims = Claims(store, stream, means.consumer)
    kinds = Kinds(
        prompts=Prompts(claims, asking, means.random) if warm.prompts else None,
        popular=_popular(policy.cache, store, means.cache, known),
        following=Following(means.clock) if warm.predict else None,
    )
    return Warming(kinds, asking, means.renewals, known)


def _popular(cache: Cache, store: Store, answers: AnswerCache, known: Known) -> Popular | None:
    """Answers are renewed where a request finds its own: not by the semantic level alone."""
    most = cache.warm.popular if cache.warm else None
    lives = [level.ttl_seconds for level in (cache.exact, cache.normalised) if level]
    if most is None or not lives:
        return None
    return Popular(store, answers.lookup, known, most, max(lives))
