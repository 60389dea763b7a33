"""Version 1 of what sidecars read: what those before 0.2 know, and operators before it write.

An operator publishes the present version and the one before, so that it and the sidecars may be
upgraded in any order. What the older cannot say denies there: it never opens.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from penstock_config.base import ObjectId
from penstock_config.codec import (
    ConfigError,
    config_file_name,
    credentials_file_name,
    decode_config,
    decode_credentials,
    encode,
)
from penstock_config.credentials import CREDENTIALS_VERSION, Credentials
from penstock_config.policy import Match, Policy, Rule, Target
from penstock_config.provider import Provider
from penstock_config.schema import SCHEMA_VERSION, SidecarConfig
from penstock_config.tier import Tier

OLDER_VERSION: Final = SCHEMA_VERSION - 1
OLDER_CREDENTIALS: Final = CREDENTIALS_VERSION - 1
FIRST_RELEASE: Final = (0, 2)
"""Sidecars from this one on read the present version."""
NEWER_SIDECAR: Final = (
    "RoutePolicy {}, rule {}: this pod's sidecar is too old for {}: restart the pod for a newer one"
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
)
ADDED_TO_CREDENTIALS: Final = ("client_secrets", "proxy_logins", "authorities")


@dataclass(frozen=True, slots=True, order=True)
class Inexpressible:
    """A rule that version 1 cannot say. There it denies whatever the rest of it matches."""

    policy: ObjectId
    rule: str
    field: str
    """Where in the rule, such as `match.modalities`."""


@dataclass(frozen=True, slots=True, order=True)
class Unreachable:
    """A provider that version 1 would reach in a way that its author does not allow, or not at all.
    There it is no candidate, and a tier that has no other denies."""

    provider: ObjectId
    field: str


@dataclass(frozen=True, slots=True)
class Older:
    """A configuration as sidecars of version 1 get it."""

    data: bytes
    inexpressible: tuple[Inexpressible, ...]
    unreachable: tuple[Unreachable, ...] = ()


def as_version_1(config: SidecarConfig) -> Older:
    """Equal configurations give equal bytes, which say nothing that the present ones do not."""
    missing = tuple(found for policy in config.policies for found in inexpressible(policy))
    if missing:
        policies = tuple(_narrowed(policy) for policy in config.policies)
        config = config.model_copy(update={"policies": policies})
    beyond = tuple(found for provider in config.providers for found in unreachable(provider))
    return Older(encode(_nearer(config, beyond), OLDER_VERSION), missing, beyond)


def inexpressible(policy: Policy) -> tuple[Inexpressible, ...]:
    """The policy's rules that version 1 cannot say."""
    return tuple(
        Inexpressible(policy.id, rule.name, field)
        for rule in policy.rules
        for field in _unknown(rule.match)
    )


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
    for policy in config.policies:
        for found in inexpressible(policy):
            raise _not_in(f"policies.*.rules.*.{found.field}", OLDER_VERSION)
    for provider in config.providers:
        for name in provider.model_fields_set.intersection(ADDED_TO_PROVIDERS):
            raise _not_in(f"providers.*.{name}", OLDER_VERSION)
    return config


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


def _unknown(match: Match) -> tuple[str, ...]:
    """Conditions that version 1 does not have."""
    return ("match.modalities",) if match.modalities else ()


def _narrowed(policy: Policy) -> Policy:
    return policy.model_copy(update={"rules": tuple(_said(policy, r) for r in policy.rules)})


def _said(policy: Policy, rule: Rule) -> Rule:
    """The rule itself, or one that denies what its known conditions match."""
    fields = _unknown(rule.match)
    if not fields:
        return rule
    match = rule.match.model_copy(update={"modalities": ()})
    denied = NEWER_SIDECAR.format(policy.id, rule.name, " and ".join(fields))
    return Rule(name=rule.name, match=match, target=Target(denied=denied))


def _nearer(config: SidecarConfig, beyond: tuple[Unreachable, ...]) -> SidecarConfig:
    """With those providers alone that version 1 reaches as it should."""
    gone = frozenset(found.provider for found in beyond)
    providers = tuple(_plain(each) for each in config.providers if each.id not in gone)
    if not gone and providers == config.providers:
        return config
    tiers = tuple(_without(tier, gone) for tier in config.tiers)
    return config.model_copy(update={"providers": providers, "tiers": tiers})


def _plain(provider: Provider) -> Provider:
    """Without what only informs, and what only counts more exactly."""
    plain = {"preset": None, "drain_seconds": None}
    changed = any(getattr(provider, name) is not None for name in plain)
    return provider.model_copy(update=plain) if changed else provider


def _without(tier: Tier, gone: frozenset[ObjectId]) -> Tier:
    left = tuple(each for each in tier.candidates if each.provider not in gone)
    if len(left) == len(tier.candidates):
        return tier
    denied = None if left else "; ".join(_refusals(tier, gone))
    return tier.model_copy(update={"candidates": left, "denied": denied})


def _refusals(tier: Tier, gone: frozenset[ObjectId]) -> Iterator[str]:
    lost = dict.fromkeys(each.provider for each in tier.candidates if each.provider in gone)
    yield from map(NO_WAY_THERE.format, lost)
