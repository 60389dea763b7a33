"""Version 1 of what sidecars read: what those before 0.2 know, and operators before it write.

An operator publishes the present version and the one before, so that it and the sidecars may be
upgraded in any order. What the older cannot say denies there: it never opens.

- What says which requests a rule is for (`modalities`, `tasks`, `complexity`), or closes something
  for them (`max_output_tokens`, `cache_bypassed`): the rule denies. So does a tier that refuses
  requests on grounds which the older does not know: floors with `on_no_fit` Reject, an ensemble
  with a least agreement.
- Answers are not kept where hits count against limits: there it would give them for nothing.
- What chooses among candidates all of which the tier's author has named (`strategy`, other floors,
  `quality`, `expected_latency_ms`, sizes in graphics memory), or serves comfort (time-outs,
  retries, hedges, ensembles, memory, smaller images, further levels of the cache, shorter
  prompts), is left out: the older serves by weight, as it always did. Money is held by budgets and
  limits, which it knows.
- Providers that it would reach otherwise than their author allows are none of its candidates.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeVar

from penstock_config.base import ConfigModel, ObjectId
from penstock_config.cache import Cache
from penstock_config.codec import (
    ConfigError,
    config_file_name,
    credentials_file_name,
    decode_config,
    decode_credentials,
    encode,
)
from penstock_config.credentials import CREDENTIALS_VERSION, Credentials
from penstock_config.policy import Policy, Rule, Target
from penstock_config.provider import Provider
from penstock_config.schema import SCHEMA_VERSION, SidecarConfig
from penstock_config.tier import Tier

T = TypeVar("T", bound=ConfigModel)
OLDER_VERSION: Final = SCHEMA_VERSION - 1
OLDER_CREDENTIALS: Final = CREDENTIALS_VERSION - 1
FIRST_RELEASE: Final = (0, 2)
"""Sidecars from this one on read the present version."""
NEWER_SIDECAR: Final = (
    "RoutePolicy {}, rule {}: this pod's sidecar is too old for {}: restart the pod for a newer one"
)
TIER_REFUSES: Final = (
    "ModelTier {}: this pod's sidecar is too old for {}: restart the pod for a newer one"
)
NO_WAY_THERE: Final = (
    "this pod's sidecar is too old to reach LLMProvider {}: restart the pod for a newer one"
)
SPOKEN: Final = frozenset({"openai", "ollama"})
"""The types of provider that sidecars of version 1 speak to."""
ADDED_TO_PROVIDERS: Final = (
    "preset",
    "api_version",
    "proxy_url",
    "proxy_login",
    "private_ca",
    "entra",
    "drain_seconds",
    "gpu_memory_bytes",
    "managed",
)
ADDED_TO_MODELS: Final = (
    "quality",
    "expected_latency_ms",
    "vram_bytes",
    "parallel",
    "load_seconds",
)
ADDED_TO_TIERS: Final = ("floors", "on_no_fit", "timeouts", "hedge", "ensemble")
ADDED_TO_POLICIES: Final = ("memory", "images", "compression")
ADDED_TO_CACHES: Final = (
    "normalised",
    "semantic",
    "count_hits_against_limits",
    "refresh_ahead_percent",
    "warm",
)
ADDED_TO_RULES: Final = ("overrides",)
ADDED_TO_MATCHES: Final = ("modalities", "tasks", "complexity")
ADDED_TO_CREDENTIALS: Final = ("client_secrets", "proxy_logins", "authorities", "embedder")


@dataclass(frozen=True, slots=True, order=True)
class Inexpressible:
    """A rule that version 1 cannot say. There it denies whatever the rest of it matches."""

    policy: ObjectId
    rule: str
    field: str
    """Where in the resource's rule, such as `match.modalities`."""


@dataclass(frozen=True, slots=True, order=True)
class Unreachable:
    """A provider that version 1 would reach in a way that its author does not allow, or not at all.
    There it is no candidate, and a tier that has no other denies."""

    provider: ObjectId
    field: str


@dataclass(frozen=True, slots=True, order=True)
class Unjudgeable:
    """A tier that refuses requests on grounds which version 1 does not know. There it serves none,
    nor do its fallback tiers in its place."""

    tier: ObjectId
    field: str
    """Where in the resource's spec, such as `onNoFit`."""


@dataclass(frozen=True, slots=True)
class Older:
    """A configuration as sidecars of version 1 get it."""

    data: bytes
    inexpressible: tuple[Inexpressible, ...]
    unreachable: tuple[Unreachable, ...] = ()
    unjudgeable: tuple[Unjudgeable, ...] = ()


def as_version_1(config: SidecarConfig) -> Older:
    """Equal configurations give equal bytes, which say nothing that the present ones do not."""
    beyond = tuple(found for provider in config.providers for found in unreachable(provider))
    gone = frozenset(found.provider for found in beyond)
    narrowed = config.model_copy(
        update={
            "providers": tuple(_plain(each) for each in config.providers if each.id not in gone),
            "tiers": tuple(_narrowed_tier(tier, gone) for tier in config.tiers),
            "policies": tuple(_narrowed_policy(policy) for policy in config.policies),
        }
    )
    return Older(
        encode(narrowed, OLDER_VERSION),
        tuple(found for policy in config.policies for found in inexpressible(policy)),
        beyond,
        tuple(found for tier in config.tiers for found in unjudgeable(tier)),
    )


def inexpressible(policy: Policy) -> tuple[Inexpressible, ...]:
    """The policy's rules that version 1 cannot say."""
    return tuple(
        Inexpressible(policy.id, rule.name, field)
        for rule in policy.rules
        for field in _unknown(rule)
    )


def unjudgeable(tier: Tier) -> tuple[Unjudgeable, ...]:
    """What of the tier refuses requests that version 1 would serve; empty where nothing does."""
    fields = {
        "onNoFit": bool(tier.floors) and tier.on_no_fit == "Reject",
        "ensemble.minAgreement": (
            tier.ensemble is not None and bool(tier.ensemble.min_agreement_percent)
        ),
    }
    return tuple(Unjudgeable(tier.id, name) for name, holds in fields.items() if holds)


def unreachable(provider: Provider) -> tuple[Unreachable, ...]:
    """What of the provider keeps version 1 from it; empty where nothing does."""
    fields = {
        "type": provider.type not in SPOKEN,
        "proxy_url": provider.proxy_url is not None,
        "private_ca": provider.private_ca,
    }
    return tuple(Unreachable(provider.id, name) for name, holds in fields.items() if holds)


def decode_version_1(data: bytes) -> SidecarConfig:
    """A file of version 1 in present types; a field that version 1 does not have is an error."""
    config = decode_config(data, OLDER_VERSION)
    for path, part, added in _parts(config):
        for name in sorted(part.model_fields_set.intersection(added)):
            raise _not_in(f"{path}.{name}", OLDER_VERSION)
    if any(tier.strategy != "Weighted" for tier in config.tiers):
        raise _not_in("tiers.*.strategy", OLDER_VERSION)
    return config


def _parts(config: SidecarConfig) -> Iterator[tuple[str, ConfigModel, tuple[str, ...]]]:
    """Whatever has fields that version 1 does not have: where, the part, and which."""
    for provider in config.providers:
        yield "providers.*", provider, ADDED_TO_PROVIDERS
        yield from (("providers.*.models.*", each, ADDED_TO_MODELS) for each in provider.models)
    yield from (("tiers.*", tier, ADDED_TO_TIERS) for tier in config.tiers)
    for policy in config.policies:
        yield "policies.*", policy, ADDED_TO_POLICIES
        yield "policies.*.cache", policy.cache, ADDED_TO_CACHES
        for rule in policy.rules:
            yield "policies.*.rules.*", rule, ADDED_TO_RULES
            yield "policies.*.rules.*.match", rule.match, ADDED_TO_MATCHES


def credentials_as_version_1(credentials: Credentials) -> bytes:
    """Without what only those providers need that version 1 does not reach."""
    nothing = Credentials(scope_key=credentials.scope_key)
    added = {name: getattr(nothing, name) for name in ADDED_TO_CREDENTIALS}
    return encode(credentials.model_copy(update=added), OLDER_CREDENTIALS)


def decode_credentials_version_1(data: bytes) -> Credentials:
    """As `decode_version_1`."""
    credentials = decode_credentials(data, OLDER_CREDENTIALS)
    for name in credentials.model_fields_set.intersection(ADDED_TO_CREDENTIALS):
        raise _not_in(name, OLDER_CREDENTIALS)
    return credentials


READERS: Final[Mapping[str, Callable[[bytes], SidecarConfig]]] = MappingProxyType(
    {
        config_file_name(SCHEMA_VERSION): decode_config,
        config_file_name(OLDER_VERSION): decode_version_1,
    }
)
"""The files that a sidecar reads: of those that are there, the first."""
CREDENTIALS_READERS: Final[Mapping[str, Callable[[bytes], Credentials]]] = MappingProxyType(
    {
        credentials_file_name(CREDENTIALS_VERSION): decode_credentials,
        credentials_file_name(OLDER_CREDENTIALS): decode_credentials_version_1,
    }
)
"""Likewise."""


def _not_in(path: str, version: int) -> ConfigError:
    return ConfigError(f"{path}: is not in version {version}")


def _unknown(rule: Rule) -> tuple[str, ...]:
    """What version 1 does not have of a rule and may not go without."""
    fields = {
        "match.modalities": bool(rule.match.modalities),
        "match.tasks": bool(rule.match.tasks),
        "match.complexity": bool(rule.match.complexity),
        "overrides.maxOutputTokens": rule.overrides.max_output_tokens is not None,
        "overrides.cache": rule.overrides.cache_bypassed,
    }
    return tuple(name for name, holds in fields.items() if holds)


def _narrowed_policy(policy: Policy) -> Policy:
    plain = _as_by_default(policy, ADDED_TO_POLICIES)
    rules = tuple(_said(policy, rule) for rule in plain.rules)
    cache = _narrowed_cache(plain.cache)
    if rules == plain.rules and cache is plain.cache:
        return plain
    return plain.model_copy(update={"rules": rules, "cache": cache})


def _narrowed_cache(cache: Cache) -> Cache:
    """Without hits where they count against limits, which version 1 does not do."""
    plain = _as_by_default(cache, ADDED_TO_CACHES)
    return plain.model_copy(update={"exact": None}) if cache.count_hits_against_limits else plain


def _said(policy: Policy, rule: Rule) -> Rule:
    """The rule without what only serves comfort, or one that denies what its known conditions
    match."""
    fields = _unknown(rule)
    if not fields:
        return _as_by_default(rule, ADDED_TO_RULES)
    denied = NEWER_SIDECAR.format(policy.id, rule.name, " and ".join(fields))
    match = _as_by_default(rule.match, ADDED_TO_MATCHES)
    return Rule(name=rule.name, match=match, target=Target(denied=denied))


def _plain(provider: Provider) -> Provider:
    """Without what only informs, and what only counts more exactly."""
    plain = _as_by_default(provider, ("preset", "drain_seconds", "gpu_memory_bytes", "managed"))
    models = tuple(_as_by_default(model, ADDED_TO_MODELS) for model in plain.models)
    return plain if models == plain.models else plain.model_copy(update={"models": models})


def _narrowed_tier(tier: Tier, gone: frozenset[ObjectId]) -> Tier:
    """Weighted, with those candidates alone that version 1 reaches as it should."""
    plain = _as_by_default(tier, ("strategy", *ADDED_TO_TIERS))
    if found := unjudgeable(tier):
        fields = " and ".join(each.field for each in found)
        refusal = tier.denied or TIER_REFUSES.format(tier.id, fields)
        closed = {"candidates": (), "fallback_tiers": (), "denied": refusal}
        return plain.model_copy(update=closed)
    left = tuple(each for each in tier.candidates if each.provider not in gone)
    if len(left) == len(tier.candidates):
        return plain
    denied = None if left else "; ".join(_refusals(tier, gone))
    return plain.model_copy(update={"candidates": left, "denied": denied})


def _as_by_default(part: T, names: Iterable[str]) -> T:
    """The part itself, where it says nothing else in these fields."""
    fields = type(part).model_fields
    said = {name: fields[name].get_default(call_default_factory=True) for name in names}
    changed = any(getattr(part, name) != default for name, default in said.items())
    return part.model_copy(update=said) if changed else part


def _refusals(tier: Tier, gone: frozenset[ObjectId]) -> Iterator[str]:
    lost = dict.fromkeys(each.provider for each in tier.candidates if each.provider in gone)
    yield from map(NO_WAY_THERE.format, lost)
