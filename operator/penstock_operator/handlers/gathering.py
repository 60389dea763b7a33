"""Inventory and Secrets into the snapshot that is compiled."""

import secrets
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final, Protocol, TypeVar

from pydantic import BaseModel

from penstock_operator.api.budget import Budget
from penstock_operator.api.llm_provider import LLMProvider
from penstock_operator.api.model_tier import ModelTier
from penstock_operator.api.reference import SecretKeyReference
from penstock_operator.api.route_policy import RoutePolicy
from penstock_operator.compile.labels import NAME_LABEL
from penstock_operator.compile.snapshot import (
    EmbedderSettings,
    RedisSettings,
    SecretData,
    SecretId,
    Snapshot,
)
from penstock_operator.handlers.inventory import Inventory
from penstock_operator.settings import Settings

SCOPE_KEY_BYTES: Final = 32
SIDECAR_VERSION: Final = version("penstock")
"""Operator, injector and sidecar are of one distribution."""
T = TypeVar("T")


class Secrets(Protocol):
    """Where the values of Secrets come from."""

    async def read(self, ids: Iterable[SecretId]) -> Mapping[SecretId, SecretData]: ...


async def gather(
    inventory: Inventory,
    store: Secrets,
    settings: Settings,
    redis: RedisSettings | None,
    embedder: EmbedderSettings | None = None,
) -> Snapshot:
    """Makes a scope key for each namespace that needs its first one, and keeps it."""
    providers = _in_force(inventory, LLMProvider)
    read = await store.read(id_ for provider in providers for id_ in referenced_secrets(provider))
    policies = _in_force(inventory, RoutePolicy)
    for policy in policies:
        inventory.scope_keys.setdefault(
            policy.metadata.namespace, secrets.token_hex(SCOPE_KEY_BYTES)
        )
    return Snapshot(
        cluster=settings.cluster,
        providers=providers,
        tiers=_in_force(inventory, ModelTier),
        policies=policies,
        budgets=_in_force(inventory, Budget),
        secrets=read,
        namespaces={
            name: {NAME_LABEL: name, **labels} for name, labels in inventory.namespaces.items()
        },
        pods=tuple(inventory.pods.values()),
        sidecar_version=SIDECAR_VERSION,
        redis=redis,
        embedder=embedder,
        scope_keys=dict(inventory.scope_keys),
        unparsable=tuple(
            seen.fault
            for seen in inventory.objects.values()
            if seen.fault is not None and seen.resource is None
        ),
        taken_at=datetime.now(UTC),
    )


def redis_settings(settings: Settings) -> RedisSettings | None:
    """What sidecars are told about Redis; reads the CA's file."""
    if settings.redis_url is None:
        return None
    ca_file = settings.redis_ca_file
    return RedisSettings(
        url=settings.redis_url,
        username=settings.redis_username,
        password=settings.redis_password,
        sentinel_username=settings.redis_sentinel_username,
        sentinel_password=settings.redis_sentinel_password,
        ca_pem=ca_file.read_text() if ca_file else None,
    )


def embedder_settings(settings: Settings) -> EmbedderSettings | None:
    """What sidecars are told about the embedder; reads the CA's file."""
    if settings.embedder_url is None or settings.embedder_secret is None:
        return None
    ca_file = settings.embedder_ca_file
    ca_pem = ca_file.read_text() if ca_file else None
    return EmbedderSettings(settings.embedder_url, settings.embedder_secret, ca_pem)


def referenced_secrets(provider: LLMProvider) -> frozenset[SecretId]:
    """Every Secret that the provider names, wherever in its spec; all are of its namespace."""
    return frozenset(
        (provider.metadata.namespace, ref.name) for ref in _secret_references(provider.spec)
    )


def _secret_references(value: object) -> Iterator[SecretKeyReference]:
    if isinstance(value, SecretKeyReference):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secret_references(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _secret_references(item)


def _in_force(inventory: Inventory, type_: type[T]) -> tuple[T, ...]:
    found = (seen.resource or seen.salvaged for seen in inventory.objects.values())
    return tuple(resource for resource in found if isinstance(resource, type_))
