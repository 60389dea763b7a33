"""One model of one provider, as tiers name it: what serves, or why it cannot."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from penstock_config.provider import Model, Provider
from penstock_operator.api.reference import ObjectReference
from penstock_operator.compile.problem import Reason, Severity
from penstock_operator.compile.providers import BuiltProvider
from penstock_operator.compile.references import Catalogue, Unresolved, find_provider

MAX_SHOWN: Final = 3
"""Names that stand in for one that is wrong."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A model that can serve, and who has it."""

    provider: Provider
    model: Model

    def __str__(self) -> str:
        return f"model {self.model.name} of LLMProvider {self.provider.id}"


@dataclass(frozen=True, slots=True)
class Dropped:
    """A model that cannot serve. `reason` of `None`: as its author wants it."""

    cause: str
    reason: Reason | None = None
    severity: Severity = "error"
    field: str = ""
    """Which half of the reference is wrong."""


def offered(
    ref: ObjectReference,
    model: str,
    namespace: str,
    catalogue: Catalogue,
    providers: Mapping[str, BuiltProvider],
) -> Offered | Dropped:
    """What an object in `namespace` gets when it names this model of this provider."""
    provider = find_provider(ref, namespace, catalogue)
    if isinstance(provider, Unresolved):
        return Dropped(provider.message, provider.reason, field="provider")
    return _served(providers[provider.id], model)


def _served(provider: BuiltProvider, name: str) -> Offered | Dropped:
    id_ = provider.config.id
    if provider.suspended:
        return Dropped(f"LLMProvider {id_} is suspended")
    if name in provider.suspended_models:
        return Dropped(f"model {name} of LLMProvider {id_} is suspended")
    if (model := provider.model_named(name)) is None:
        message = f"LLMProvider {id_} has no model {name}: add it there, or correct the name"
        message += _instead(name, [each.name for each in provider.config.models])
        return Dropped(message, "ModelNotFound", field="model")
    if provider.unusable is not None:
        return Dropped(provider.unusable, "CandidateUnavailable", "warning", "provider")
    return Offered(provider.config, model)


def _instead(model: str, names: list[str]) -> str:
    """What may have been meant, else the first of what there is."""
    shown = get_close_matches(model, names, MAX_SHOWN) or names[:MAX_SHOWN]
    more = ", ..." if len(names) > len(shown) else ""
    return f" (it has {', '.join(shown)}{more})" if shown else ""
