"""Version 1 of the configuration: what sidecars before 0.2 read, and operators before it write.

An operator publishes the present version and the one before, so that it and the sidecars may be
upgraded in any order. What the older cannot say denies there: it never opens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from penstock_config.base import ObjectId
from penstock_config.codec import ConfigError, config_file_name, decode_config, encode
from penstock_config.policy import Match, Policy, Rule, Target
from penstock_config.provider import Provider
from penstock_config.schema import SCHEMA_VERSION, SidecarConfig

OLDER_VERSION: Final = SCHEMA_VERSION - 1
FIRST_RELEASE: Final = (0, 2)
"""Sidecars from this one on read the present version."""
NEWER_SIDECAR: Final = (
    "RoutePolicy {}, rule {}: this pod's sidecar is too old for {}: restart the pod for a newer one"
)


@dataclass(frozen=True, slots=True, order=True)
class Inexpressible:
    """A rule that version 1 cannot say. There it denies whatever the rest of it matches."""

    policy: ObjectId
    rule: str
    field: str
    """Where in the rule, such as `match.modalities`."""


@dataclass(frozen=True, slots=True)
class Older:
    """A configuration as sidecars of version 1 get it."""

    data: bytes
    inexpressible: tuple[Inexpressible, ...]


def as_version_1(config: SidecarConfig) -> Older:
    """Equal configurations give equal bytes, which say nothing that the present ones do not."""
    missing = tuple(found for policy in config.policies for found in inexpressible(policy))
    if missing:
        policies = tuple(_narrowed(policy) for policy in config.policies)
        config = config.model_copy(update={"policies": policies})
    providers = tuple(_plain(provider) for provider in config.providers)
    if providers != config.providers:
        config = config.model_copy(update={"providers": providers})
    return Older(encode(config, OLDER_VERSION), missing)


def inexpressible(policy: Policy) -> tuple[Inexpressible, ...]:
    """The policy's rules that version 1 cannot say."""
    return tuple(
        Inexpressible(policy.id, rule.name, field)
        for rule in policy.rules
        for field in _unknown(rule.match)
    )


def decode_version_1(data: bytes) -> SidecarConfig:
    """A file of version 1 in present types; a field that version 1 does not have is an error."""
    config = decode_config(data, OLDER_VERSION)
    for policy in config.policies:
        for found in inexpressible(policy):
            msg = f"policies.*.rules.*.{found.field}: is not in version {OLDER_VERSION}"
            raise ConfigError(msg)
    if any("drain_seconds" in provider.model_fields_set for provider in config.providers):
        msg = f"providers.*.drain_seconds: is not in version {OLDER_VERSION}"
        raise ConfigError(msg)
    return config


READERS: Final[Mapping[str, Callable[[bytes], SidecarConfig]]] = MappingProxyType(
    {
        config_file_name(SCHEMA_VERSION): decode_config,
        config_file_name(OLDER_VERSION): decode_version_1,
    }
)
"""The files that a sidecar reads: of those that are there, the first."""


def _plain(provider: Provider) -> Provider:
    """Without what only counts more exactly: version 1 cuts, and charges what was seen."""
    return (
        provider.model_copy(update={"drain_seconds": None}) if provider.drain_seconds else provider
    )


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
