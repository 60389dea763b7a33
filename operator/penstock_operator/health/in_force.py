"""What sidecars were last given: the providers that they ask, and what of them is secret."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from penstock_config.credentials import Credentials
from penstock_config.provider import Provider
from penstock_config.schema import SidecarConfig
from penstock_config.tier import Tier

Given = tuple[SidecarConfig, Credentials | None]


@dataclass(frozen=True, slots=True)
class Reached:
    """A provider that some namespace's sidecars can ask, as they know it."""

    provider: Provider
    key: SecretStr | None = None
    """The first of several."""
    authorities: str | None = field(default=None, repr=False)
    proxy_login: SecretStr | None = None


@dataclass(frozen=True, slots=True)
class InForce:
    """By id: `<namespace>/<name>`."""

    providers: Mapping[str, Reached] = field(default_factory=dict)
    tiers: Mapping[str, Tier] = field(default_factory=dict)


def in_force(given: Mapping[str, Given]) -> InForce:
    """Of all namespaces. What several use is the same in each but for what they were given of it:
    one that has a key is better than one that has none."""
    providers: dict[str, Reached] = {}
    tiers: dict[str, Tier] = {}
    for _, (config, credentials) in sorted(given.items()):
        tiers |= {tier.id: tier for tier in config.tiers}
        for provider in config.providers:
            found = _reached(provider, credentials)
            if provider.id not in providers or providers[provider.id].key is None:
                providers[provider.id] = found
    return InForce(providers, tiers)


def readers(given: Mapping[str, Given]) -> Mapping[str, tuple[str, ...]]:
    """By managed provider's id: the namespaces whose sidecars can ask it."""
    found: dict[str, tuple[str, ...]] = {}
    for namespace, (config, _) in sorted(given.items()):
        for provider in config.providers:
            if provider.managed is not None:
                found[provider.id] = (*found.get(provider.id, ()), namespace)
    return found


def _reached(provider: Provider, credentials: Credentials | None) -> Reached:
    if credentials is None:
        return Reached(provider)
    keys = credentials.provider_keys.get(provider.id, ())
    return Reached(
        provider,
        keys[0] if keys else None,
        credentials.authorities.get(provider.id),
        credentials.proxy_logins.get(provider.id),
    )
