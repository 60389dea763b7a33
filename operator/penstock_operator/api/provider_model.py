"""A model that a provider serves: what it can, costs and allows."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from penstock_operator.api.base import ApiModel, UsdAmount
from penstock_operator.api.limits import ProviderLimits
from penstock_operator.api.lists import DISTINCT
from penstock_operator.api.rules import Rule, ordered

Capability = Literal["chat", "completions", "embeddings", "tools", "vision", "json", "reasoning"]
ModelName = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$")
]
"""What a caller may send as `model`."""
Quality = Annotated[str, Field(max_length=4, pattern=r"^(10(\.0)?|[0-9](\.[0-9])?)$")]
"""How good answers are, "0.0" to "10.0"."""


class TokenPrices(ApiModel):
    """What a million tokens cost, in US dollars."""

    input_per_million: UsdAmount = Field(description="A million input tokens.")
    output_per_million: UsdAmount = Field(description="A million output tokens.")
    cached_input_per_million: UsdAmount | None = Field(
        None,
        description="A million input tokens read from the provider's cache. Default: as input.",
    )
    cache_write_per_million: UsdAmount | None = Field(
        None,
        description="A million input tokens written to the provider's cache. Default: as input.",
    )
    cache_write1h_per_million: UsdAmount | None = Field(
        None,
        alias="cacheWrite1hPerMillion",
        description="A million of those that the cache keeps for an hour. Default: as cache write.",
    )
    reasoning_per_million: UsdAmount | None = Field(
        None, description="A million reasoning tokens. Default: as output."
    )


class LongContext(TokenPrices):
    """What all tokens of a request cost that has more input than `aboveTokens`."""

    above_tokens: int = Field(
        ge=1, le=100_000_000, description="Input tokens up to which the price above holds."
    )


class Price(TokenPrices):
    """What a model costs, in US dollars. "0" is free; an absent `price` is unknown, not free."""

    per_image: UsdAmount = Field("0", description='One image of the input. Default: "0".')
    per_request: UsdAmount = Field("0", description='One request. Default: "0".')
    long_context: LongContext | None = Field(
        None, description="What a request with a long input costs. Default: no more by the token."
    )


class ProviderModel(ApiModel):
    """A model that this provider serves."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.name != 'auto' && !self.name.startsWith('auto:')",
            "auto is the name by which callers ask for classification: name the model otherwise"
            " and set upstreamName",
            lambda model: model.name != "auto" and not model.name.startswith("auto:"),
        ),
        ordered("maxOutputTokens", "contextWindow"),
    )

    name: ModelName = Field(description="Name by which tiers and callers know it.")
    upstream_name: ModelName | None = Field(
        None, description="Name that the provider knows. Default: `name`."
    )
    suspended: bool = Field(
        default=False, description="Takes it out of use, as if it were not there. Default: false."
    )
    capabilities: Annotated[tuple[Capability, ...], DISTINCT] = Field(
        (),
        min_length=1,
        max_length=7,
        description="What it can do; requests that need more go elsewhere. Default: what the"
        " catalogue says of a `preset`'s model; else [chat].",
    )
    context_window: int | None = Field(
        None,
        ge=1,
        le=100_000_000,
        description="Input and output tokens that fit. Default: what the catalogue says of a"
        " `preset`'s model; else unknown.",
    )
    max_output_tokens: int | None = Field(
        None,
        ge=1,
        le=100_000_000,
        description="Output tokens it can produce. Default: likewise.",
    )
    price: Price | None = Field(
        None,
        description="What it costs, in US dollars. "
        "Default: that of the price list for a `preset` that is in it; else unknown, see"
        " `onUnknownPrice`; nothing with `type: ollama`.",
    )
    quality: Quality | None = Field(
        None,
        description='How good its answers are, "0.0" to "10.0", as you judge it.'
        " Default: unknown; meets no quality floor.",
    )
    expected_latency_ms: int | None = Field(
        None,
        ge=1,
        le=3_600_000,
        description="Usual time to the first token, until it was measured. Default: unknown.",
    )
    limits: ProviderLimits | None = Field(
        None,
        description="What the provider grants to this model. Default: no bound; with `plan: Free`"
        " what the catalogue says of that plan.",
    )
