"""What the GPUs cost while a trace lasts, and what its answers would cost elsewhere. US dollars."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from penstock_cli.simulation.measures import Figures
from penstock_cli.simulation.scenario import Specification
from penstock_operator.catalogue.prices import ListedModel, PriceList

MILLION: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Cost:
    gpus_usd: float
    """Used or not."""
    passed_on_usd: float
    """What was paid elsewhere for calls that were passed on."""
    cloud_usd: float
    """Of the tokens that the GPUs delivered, at the prices of the models' `cloud`."""
    unpriced: tuple[str, ...]
    """Models without a price, which are in neither."""


def cost_of(spec: Specification, figures: Figures, prices: PriceList) -> Cost:
    hours = spec.traffic.duration_seconds / 3600
    hourly = sum(float(gpu.usd_per_hour) * gpu.count for node in spec.nodes for gpu in node.gpus)
    rates = _rates(spec, prices)
    return Cost(
        gpus_usd=hourly * hours,
        passed_on_usd=_usd(rates, figures.passed_input_tokens, figures.passed_output_tokens),
        cloud_usd=_usd(rates, figures.input_tokens, figures.output_tokens),
        unpriced=tuple(sorted(figures.output_tokens.keys() - rates.keys())),
    )


def listed_as(name: str, prices: PriceList) -> ListedModel | None:
    """`<preset>/<model>`."""
    preset, _, model = name.partition("/")
    return next((models.get(model) for p, models in prices.providers.items() if p == preset), None)


def _rates(spec: Specification, prices: PriceList) -> dict[str, tuple[float, float]]:
    """By model: a token of the prompt, and one of the answer."""
    found = {}
    for model in spec.models:
        listed = listed_as(model.cloud, prices) if model.cloud else None
        if listed:
            price = listed.price
            both = (Decimal(price.input_per_million), Decimal(price.output_per_million))
            found[model.name] = (float(both[0] / MILLION), float(both[1] / MILLION))
    return found


def _usd(
    rates: Mapping[str, tuple[float, float]],
    prompts: Mapping[str, int],
    answers: Mapping[str, int],
) -> float:
    return sum(
        prompts.get(model, 0) * prompt + answers.get(model, 0) * answer
        for model, (prompt, answer) in rates.items()
    )
