"""The sidecar's configuration: all that one namespace's sidecars must be told, but no secret.

Knows neither Kubernetes nor the network. References are `<namespace>/<name>`; the sidecar builds
its own indexes. Equal configurations have equal bytes (`codec`).
"""

from typing import Final, Literal, Self

from pydantic import model_validator

from penstock_config.base import ConfigModel
from penstock_config.budget import Budget
from penstock_config.policy import Policy
from penstock_config.provider import Provider
from penstock_config.tier import Tier

SCHEMA_VERSION: Final = 2
"""Version 1 knew fewer conditions, ways to choose a model, and ways to a provider: see `older`."""


class SidecarConfig(ConfigModel):
    """One namespace's configuration."""

    schema_version: Literal[2] = SCHEMA_VERSION
    cluster: str
    """Names the installation in Redis keys; two that share a Redis must differ."""
    namespace: str
    providers: tuple[Provider, ...] = ()
    tiers: tuple[Tier, ...] = ()
    policies: tuple[Policy, ...] = ()
    """In order of precedence: the first that selects a pod rules it."""
    budgets: tuple[Budget, ...] = ()

    @model_validator(mode="after")
    def _references_resolve(self) -> Self:
        tiers = {tier.id for tier in self.tiers}
        models = {(p.id, m.name) for p in self.providers for m in p.models}
        wanted_tiers = {id_ for p in self.policies for id_ in (*p.tiers, *p.downgrade_tiers)}
        wanted_tiers |= {b.downgrade.tier for b in self.budgets if b.downgrade}
        wanted_tiers |= {id_ for tier in self.tiers for id_ in tier.fallback_tiers}
        wanted_models = {(c.provider, c.model) for tier in self.tiers for c in tier.candidates}
        judges = (t.ensemble.judge for t in self.tiers if t.ensemble)
        wanted_models |= {(judge.provider, judge.model) for judge in judges if judge}
        missing = [f"tier {id_}" for id_ in sorted(wanted_tiers - tiers)]
        missing += [f"model {model} of {id_}" for id_, model in sorted(wanted_models - models)]
        if missing:
            msg = f"unresolved: {', '.join(missing)}"
            raise ValueError(msg)
        return self
