"""`LLMProvider` into the contract's `Provider`, or why none of its models may serve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import SecretStr

from penstock_config.provider import (
    Auth,
    Health,
    Model,
    Provider,
    RateLimits,
    Timeouts,
)
from penstock_operator.api.connection import Drain
from penstock_operator.api.credentials import Credentials
from penstock_operator.api.limits import ProviderLimits, Rates
from penstock_operator.api.llm_provider import LLMProvider, LLMProviderSpec
from penstock_operator.api.preset import PRESETS
from penstock_operator.api.provider_model import ProviderModel
from penstock_operator.compile.checks import check_object
from penstock_operator.compile.credentials import provider_keys
from penstock_operator.compile.not_yet_enforced import SERVED_TYPES, type_of
from penstock_operator.compile.prices import model_price
from penstock_operator.compile.problem import Problem
from penstock_operator.compile.snapshot import SecretData, SecretId

OLLAMA_PORT: Final = 11434


@dataclass(frozen=True, slots=True)
class BuiltProvider:
    """A provider as sidecars get it. `suspended_models` are named in no configuration."""

    config: Provider
    keys: tuple[SecretStr, ...]
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
    keys = provider_keys(provider, secrets)
    config = _config(provider)
    return BuiltProvider(
        config=config,
        keys=keys.values,
        suspended_models=frozenset(m.name for m in provider.spec.models if m.suspended),
        unusable=_unusable(config, faults, has_keys=bool(keys.values)),
        suspended=provider.spec.suspended,
        problems=(*faults, *keys.problems),
    )


def _unusable(config: Provider, faults: tuple[Problem, ...], *, has_keys: bool) -> str | None:
    if any(fault.severity == "error" for fault in faults):
        return f"LLMProvider {config.id} is refused (see its condition Accepted)"
    if config.type not in SERVED_TYPES:
        return f"LLMProvider {config.id} is of type {config.type}, which is not served yet"
    if config.needs_key and not has_keys:
        return (
            f"LLMProvider {config.id} has no key that can be read (see its condition ResolvedRefs)"
        )
    return None


def _config(provider: LLMProvider) -> Provider:
    spec = provider.spec
    type_ = type_of(spec)
    return Provider(
        id=provider.id,
        type=type_,
        base_url=_base_url(provider),
        auth=_auth(spec.credentials),
        needs_key=spec.credentials is not None,
        headers={header.name: header.value for header in spec.headers},
        models=tuple(_model(model, spec) for model in spec.models if not model.suspended),
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
    )


def _drain_seconds(spec: LLMProviderSpec) -> float | None:
    if spec.on_disconnect == "Cancel":
        return None
    return (spec.drain or Drain()).max_seconds


def _base_url(provider: LLMProvider) -> str:
    """The author's, else the preset's, else the Service of the Ollama that we run."""
    spec, meta = provider.spec, provider.metadata
    if spec.base_url is not None:
        return spec.base_url
    if spec.preset is not None and (known := PRESETS[spec.preset].base_url) is not None:
        return known
    return f"http://{meta.name}.{meta.namespace}.svc:{OLLAMA_PORT}"


def _auth(credentials: Credentials | None) -> Auth:
    if credentials is None or credentials.name is None:
        return Auth()
    return Auth(scheme=credentials.scheme, name=credentials.name)


def _model(model: ProviderModel, spec: LLMProviderSpec) -> Model:
    return Model(
        name=model.name,
        upstream_name=model.upstream_name or model.name,
        capabilities=model.capabilities,
        context_window=model.context_window,
        max_output_tokens=model.max_output_tokens,
        price=model_price(spec, model),
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
