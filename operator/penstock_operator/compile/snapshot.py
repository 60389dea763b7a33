"""All that a compilation may look at, frozen. Whoever gathers it (operator or CLI) parses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from penstock_operator.api.budget import Budget
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.compile.problem import Problem

SecretId = tuple[str, str]
"""(namespace, name) of a core Secret."""


@dataclass(frozen=True, slots=True, repr=False)
class SecretData:
    """A Secret's decoded values, or that it may not be read. Never printed."""

    values: Mapping[str, bytes] = field(default_factory=dict)
    readable: bool = True
    """False: its namespace is not among `providerNamespaces`."""

    def __repr__(self) -> str:
        return f"SecretData(keys={sorted(self.values)}, readable={self.readable})"


@dataclass(frozen=True, slots=True)
class PodLabels:
    """A pod that carries, or will carry, a sidecar."""

    namespace: str
    name: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RedisSettings:
    """How sidecars reach Redis; the passwords travel in `Credentials` alone."""

    url: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    sentinel_username: str | None = None
    sentinel_password: str | None = field(default=None, repr=False)
    ca_pem: str | None = None


@dataclass(frozen=True, slots=True)
class RedisLogin:
    """A namespace's own Redis user."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EmbedderSettings:
    """Where the embedder is; each namespace's token is made from its secret, which stays here."""

    url: str
    secret: str = field(repr=False)
    ca_pem: str | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything at one moment. Order never matters: `compile` sorts."""

    cluster: str
    providers: tuple[LLMProvider, ...] = ()
    tiers: tuple[ModelTier, ...] = ()
    policies: tuple[RoutePolicy, ...] = ()
    budgets: tuple[Budget, ...] = ()
    secrets: Mapping[SecretId, SecretData] = field(default_factory=dict)
    """Those that exist, of those that are referenced; readable or not."""
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Labels of each namespace, for `allowedNamespaces`. One that is not in here is known by its
    name alone."""
    pods: tuple[PodLabels, ...] = ()
    sidecar_version: str | None = None
    """What pods are stamped with today. `None`: they bear no stamps, as in files."""
    redis: RedisSettings | None = None
    redis_logins: Mapping[str, RedisLogin] | None = None
    """By namespace; one that is not in here gets no Redis. `None`: all share the login above."""
    embedder: EmbedderSettings | None = None
    """`None`: there is none, so that no answer is found by its meaning."""
    scope_keys: Mapping[str, str] = field(default_factory=dict)
    """By namespace: made once by whoever gathers, and kept."""
    unparsable: tuple[Problem, ...] = ()
    """Objects that did not parse. What `parse.salvage` found in them is above, beside the good."""
    taken_at: datetime | None = None
    """Decides warnings alone, never a configuration; `None` where nobody looked at a clock."""
    loopback_allowed: bool = False
    """Local mode: providers may live on this machine."""
