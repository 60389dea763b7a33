"""What a model costs: as its author says, else by the price list, else nobody knows."""

from collections.abc import Iterator
from typing import Final

from penstock_config.provider import LongContext, Price
from penstock_operator.api import provider_model as api
from penstock_operator.api.llm_provider import LLMProvider, LLMProviderSpec
from penstock_operator.catalogue.prices import shipped
from penstock_operator.compile.money import pico_usd, pico_usd_per_token
from penstock_operator.compile.offer import is_free, listed_price, served_models
from penstock_operator.compile.parse import ref_of
from penstock_operator.compile.problem import Problem, Reason
from penstock_operator.compile.reaching import type_of

FREE: Final = Price(input_token=0, output_token=0)
LISTED: Final = (
    "is not set: {} USD a million tokens of input and {} of output are taken, from the price list"
    " of {}: set what you pay"
)
CATALOGUE: Final = (
    "is not set: the {} models of the catalogue of {} are served, at its prices: list those that"
    " you use, with what you pay"
)
DENIED: Final = (
    "is not set, so that requests under a budget go elsewhere: set it, or spec.onUnknownPrice"
)
NO_HIGHEST: Final = (
    "is not set, and UseHighest finds no price in the whole provider, so that requests under a"
    " budget go elsewhere: set one"
)


def model_price(spec: LLMProviderSpec, model: api.ProviderModel) -> Price | None:
    """In pico-dollars; `None` is unknown. A model of one's own Ollama costs nothing."""
    price = model.price or listed_price(spec, model)
    if price is not None:
        return price_of(price)
    return FREE if type_of(spec) == "ollama" else None


def unpriced(provider: LLMProvider) -> Iterator[Problem]:
    """A warning for each model whose price its author has not said."""
    spec, ref = provider.spec, ref_of(provider)
    if type_of(spec) == "ollama":
        return
    if not spec.models and spec.plan != "Free" and (models := served_models(spec)):
        message = CATALOGUE.format(len(models), shipped().date)
        yield Problem(ref, "Enforced", "PriceFromList", message, "warning", "spec.models")
    for index, model in enumerate(spec.models):
        known = model.price or model.suspended or is_free(spec, model)
        if not known and (said := _said(spec, model)):
            path, (reason, message) = f"spec.models[{index}].price", said
            yield Problem(ref, "Enforced", reason, message, "warning", path)


def price_of(price: api.Price) -> Price:
    long = price.long_context
    return Price(
        **_tokens(price),
        image=pico_usd(price.per_image),
        request=pico_usd(price.per_request),
        long_context=long and _long_context(long, price),
    )


def _long_context(long: api.LongContext, price: api.Price) -> LongContext:
    step = Price(
        **_tokens(long), image=pico_usd(price.per_image), request=pico_usd(price.per_request)
    )
    return LongContext(above_input_tokens=long.above_tokens, price=step)


def _said(spec: LLMProviderSpec, model: api.ProviderModel) -> tuple[Reason, str] | None:
    if listed := listed_price(spec, model):
        prices = (listed.input_per_million, listed.output_per_million)
        return "PriceFromList", LISTED.format(*prices, shipped().date)
    if spec.on_unknown_price == "Deny":
        return "PriceUnknown", DENIED
    known = (model_price(spec, each) for each in served_models(spec) if not each.suspended)
    if spec.on_unknown_price == "UseHighest" and not any(known):
        return "PriceUnknown", NO_HIGHEST
    return None


def _tokens(price: api.TokenPrices) -> dict[str, int]:
    """Those that are set."""
    said = {
        "input_token": price.input_per_million,
        "output_token": price.output_per_million,
        "cached_input_token": price.cached_input_per_million,
        "cache_write_token": price.cache_write_per_million,
        "cache_write_1h_token": price.cache_write1h_per_million,
        "reasoning_token": price.reasoning_per_million,
    }
    return {name: pico_usd_per_token(text) for name, text in said.items() if text is not None}
