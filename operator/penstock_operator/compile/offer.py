"""What a provider serves: as its author says, and where he says nothing, by the dated catalogue."""

from collections.abc import Mapping
from typing import Final

from penstock_operator.api.limits import ProviderLimits
from penstock_operator.api.llm_provider import LLMProviderSpec
from penstock_operator.api.preset import PRESETS
from penstock_operator.api.provider_model import Capability, Price, ProviderModel
from penstock_operator.catalogue.plans import free_plans
from penstock_operator.catalogue.prices import ListedModel, shipped

FREE: Final = Price(input_per_million="0", output_per_million="0")
CHAT: Final[tuple[Capability, ...]] = ("chat",)
"""What a model can do of which nobody says anything."""
_TUNED: Final = "ft:"
"""What a model of one's own costs that was made from another: a price, and no model."""


def served_models(spec: LLMProviderSpec) -> tuple[ProviderModel, ...]:
    """Every model, suspended ones too, with all that is known of it but its price."""
    listed, free = listed_models(spec), _free(spec)
    own = spec.models or tuple(ProviderModel(name=name) for name in _offered(listed, spec))
    return tuple(
        _known(model, listed.get(upstream_name(model)), free.get(upstream_name(model)))
        for model in own
    )


def listed_models(spec: LLMProviderSpec) -> Mapping[str, ListedModel]:
    """Of a preset at its own address, by the name that the provider knows: another address has
    models and prices of its own."""
    if spec.preset is None or not _at_home(spec):
        return {}
    return shipped().providers.get(spec.preset, {})


def upstream_name(model: ProviderModel) -> str:
    return model.upstream_name or model.name


def is_free(spec: LLMProviderSpec, model: ProviderModel) -> bool:
    """The vendor's free plan has it, and the author is on that."""
    return upstream_name(model) in _free(spec)


def listed_price(spec: LLMProviderSpec, model: ProviderModel) -> Price | None:
    """What the catalogue says, by the plan that the author is on."""
    if is_free(spec, model):
        return FREE
    listed = listed_models(spec).get(upstream_name(model))
    return listed.price if listed else None


def _offered(listed: Mapping[str, ListedModel], spec: LLMProviderSpec) -> list[str]:
    """Those that can be asked for a chat or for embeddings, in the list's order."""
    free = _free(spec) if spec.plan == "Free" else listed
    return [
        name
        for name, model in listed.items()
        if model.capabilities and not name.startswith(_TUNED) and name in free
    ]


def _free(spec: LLMProviderSpec) -> Mapping[str, ProviderLimits]:
    """Of the vendor's free plan, if it is that which the author is on."""
    if spec.plan != "Free" or spec.preset is None or not _at_home(spec):
        return {}
    plan = free_plans().get(spec.preset)
    return plan.models if plan else {}


def _at_home(spec: LLMProviderSpec) -> bool:
    return spec.preset is not None and spec.base_url in {None, PRESETS[spec.preset].base_url}


def _known(
    model: ProviderModel, listed: ListedModel | None, limits: ProviderLimits | None
) -> ProviderModel:
    """What its author says wins; his window bounds the catalogue's output."""
    if listed is None:
        own = model.capabilities or CHAT
        return model.model_copy(update={"capabilities": own, "limits": model.limits or limits})
    window = model.context_window or listed.context_window
    output = model.max_output_tokens or listed.max_output_tokens
    if window is not None and output is not None:
        output = min(window, output)
    return model.model_copy(
        update={
            "capabilities": model.capabilities or listed.capabilities or CHAT,
            "context_window": window,
            "max_output_tokens": output,
            "limits": model.limits or limits,
        }
    )
