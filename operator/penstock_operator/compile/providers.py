"""`LLMProvider` into the contract's `Provider`, or why none of its models may serve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from penstock_config.provider import (
    Health,
    Model,
    Provider,
    RateLimits,
    Timeouts,
)
from penstock_operator.api.connection import Drain
from penstock_operator.api.limits import ProviderLimits, Rates
from penstock_operator.api.llm_provider import LLMProvider, LLMProviderSpec
from penstock_operator.api.provider_model import ProviderModel
from penstock_operator.compile.checks import check_object
from penstock_operator.compile.credentials import ProviderSecrets, provider_secrets
from penstock_operator.compile.graphics import (
    OnReplica,
    gpu_memory_bytes,
    managed,
    on_replicas,
)
from penstock_operator.compile.offer import served_models, upstream_name
from penstock_operator.compile.prices import model_price
from penstock_operator.compile.problem import Problem
from penstock_operator.compile.reaching import (
    auth_of,
    base_url_of,
    deployments_of,
    entra_of,
    type_of,
)
from penstock_operator.compile.scales import tenths
from penstock_operator.compile.snapshot import SecretData, SecretId
from penstock_operator.ollama.memory.names import tagged

SEE_REFS: Final = " (see its condition ResolvedRefs)"


@dataclass(frozen=True, slots=True)
class BuiltProvider:
    """A provider as sidecars get it. `suspended_models` are named in no configuration."""

    config: Provider
    secrets: ProviderSecrets
    suspended_models: frozenset[str]
    unusable: str | None
    """Why no model of it may serve, as part of a sentence; `None` when they may."""
    suspended: bool
    problems: tuple[Problem, ...]

    def model_named(self, name: str) -> Model | None:
        return next((model for model in self.config.models if model.name == name), None)


def build_provider(
    provider: LLMProvider, secrets: Mapping[SecretId, SecretData], *, loopback_allowed: bool
) -> BuiltProvider:
    """The provider and everything that is wrong with it."""
    faults = check_object(provider, loopback_allowed=loopback_allowed)
    found = provider_secrets(provider, secrets)
    config = _config(provider)
    return BuiltProvider(
        config=config,
        secrets=found,
        suspended_models=frozenset(m.name for m in provider.spec.models if m.suspended),
        unusable=_unusable(config, faults, found),
        suspended=provider.spec.suspended,
        problems=(*faults, *found.problems),
    )


def _unusable(
    config: Provider, faults: tuple[Problem, ...], secrets: ProviderSecrets
) -> str | None:
    if any(fault.severity == "error" for fault in faults):
        return f"LLMProvider {config.id} is refused (see its condition Accepted)"
    if missing := secrets.missing_for(config):
        return f"LLMProvider {config.id} has no {missing} that can be read" + SEE_REFS
    return None


def _config(provider: LLMProvider) -> Provider:
    spec = provider.spec
    type_, credentials = type_of(spec), spec.credentials
    deployments, run = deployments_of(spec), on_replicas(spec)
    return Provider(
        id=provider.id,
        type=type_,
        preset=spec.preset,
        base_url=base_url_of(provider),
        api_version=spec.azure.api_version if spec.azure else None,
        proxy_url=spec.proxy_url,
        proxy_login=spec.proxy_secret_ref is not None,
        private_ca=spec.tls is not None,
        auth=auth_of(credentials, type_),
        needs_key=credentials is not None and credentials.entra is None,
        entra=entra_of(credentials),
        headers={header.name: header.value for header in spec.headers},
        models=tuple(
            _model(model, spec, deployments.get(model.name), run.get(tagged(upstream_name(model))))
            for model in served_models(spec)
            if not model.suspended
        ),
        limits=rate_limits(spec.limits),
        timeouts=Timeouts(
            connect_seconds=spec.timeouts.connect_seconds,
            first_token_seconds=spec.timeouts.first_token_seconds,
            idle_seconds=spec.timeouts.idle_seconds,
            total_seconds=spec.timeouts.total_seconds,
        ),
        health=Health(
            failure_threshold=spec.health.failure_threshold,
            cooldown_seconds=spec.health.cooldown_seconds,
        ),
        may_send_personal_data=spec.data_policy is None or spec.data_policy.may_send_personal_data,
        on_unknown_price=spec.on_unknown_price,
        drain_seconds=_drain_seconds(spec),
        gpu_memory_bytes=gpu_memory_bytes(spec),
        managed=managed(spec),
    )


def _drain_seconds(spec: LLMProviderSpec) -> float | None:
    if spec.on_disconnect == "Cancel":
        return None
    return (spec.drain or Drain()).max_seconds


def _model(
    model: ProviderModel, spec: LLMProviderSpec, deployment: str | None, run: OnReplica | None
) -> Model:
    return Model(
        name=model.name,
        upstream_name=deployment or upstream_name(model),
        capabilities=model.capabilities,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        price=model_price(spec, model),
        quality=None if model.quality is None else tenths(model.quality),
        expected_latency_ms=model.expected_latency_ms,
        vram_bytes=run.vram_bytes if run else None,
        parallel=run.parallel if run else None,
        load_seconds=run.load_seconds if run else None,
        limits=rate_limits(model.limits),
    )


def rate_limits(rates: Rates | None) -> RateLimits:
    """The bounds, and how a provider wants them spaced; callers' limits are windows."""
    if rates is None:
        return RateLimits()
    return RateLimits(
        requests_per_minute=rates.requests_per_minute,
        tokens_per_minute=rates.tokens_per_minute,
        requests_per_day=rates.requests_per_day,
        tokens_per_day=rates.tokens_per_day,
        concurrent_requests=rates.concurrent_requests,
        pacing=rates.pacing if isinstance(rates, ProviderLimits) else "Window",
    )
