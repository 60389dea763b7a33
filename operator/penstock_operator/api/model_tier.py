"""`ModelTier`: models that can stand in for one another, and how to choose among them."""

from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field

from penstock_config.classification import Complexity
from penstock_operator.api.base import ApiModel, Fraction, Kind, UsdAmount
from penstock_operator.api.limits import Queue
from penstock_operator.api.lists import BY_COMPLEXITY
from penstock_operator.api.provider_model import ModelName, Quality
from penstock_operator.api.reference import AllowedNamespaces, ObjectReference
from penstock_operator.api.rules import Rule, at_least_one, distinct, exactly_one, ordered, sibling
from penstock_operator.api.status import CONDITION_COLUMNS, Status


class TierModel(ApiModel):
    """A candidate: one model of one provider."""

    provider: ObjectReference = Field(description="The LLMProvider.")
    model: ModelName = Field(description="Name of one of its models.")
    weight: int = Field(
        1, ge=0, le=1000, description="Share of the requests, beside its equals. Default: 1."
    )
    priority: int = Field(
        0,
        ge=0,
        le=100,
        description="A higher one is asked only when all that are lower are out. Default: 0.",
    )


class Floor(ApiModel):
    """What a candidate must offer for requests of a complexity."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        at_least_one("minQuality", "maxCostUSD", "maxLatencyMs"),
    )

    complexity: Complexity = Field(description="Of which requests.")
    min_quality: Quality | None = Field(
        None, description='Least quality, "0.0" to "10.0". Default: any.'
    )
    max_cost_usd: UsdAmount | None = Field(
        None,
        alias="maxCostUSD",
        description="Most that the request may cost, by estimate. Default: any.",
    )
    max_latency_ms: int | None = Field(
        None,
        ge=1,
        le=3_600_000,
        description="Longest time to the first token, as measured, else as expected. Default: any.",
    )


class ComplexityTimeout(ApiModel):
    """How long requests of a complexity may take."""

    complexity: Complexity = Field(description="Of which requests.")
    seconds: int = Field(
        ge=1,
        le=86_400,
        description="Longest time, over all attempts; of a stream, until its first content.",
    )


class Hedge(ApiModel):
    """When a second candidate is asked before the first has answered."""

    invariants: ClassVar[tuple[Rule, ...]] = (exactly_one("afterMs", "afterPercentile"),)

    after_ms: int | None = Field(
        None, ge=1, le=600_000, description="After so long without content."
    )
    after_percentile: int | None = Field(
        None, ge=50, le=99, description="After this percentile of the first one's usual time."
    )
    when_headroom_below_percent: int | None = Field(
        None,
        ge=1,
        le=100,
        description="At once, when the first has less left of its limits. Default: never.",
    )
    max_extra_percent: int = Field(
        10, ge=1, le=100, description="Most second attempts, in percent of requests. Default: 10."
    )


class EnsembleSize(ApiModel):
    """How many models answer requests of a complexity."""

    invariants: ClassVar[tuple[Rule, ...]] = (ordered("min", "max"),)

    complexity: Complexity = Field(description="Of which requests.")
    min: int = Field(
        ge=1, le=16, description="Fewest models: who fails is replaced while fewer could answer."
    )
    max: int = Field(ge=1, le=16, description="Most models: so many are asked at first.")


class Judge(ApiModel):
    """The model that chooses among answers."""

    provider: ObjectReference = Field(description="The LLMProvider.")
    model: ModelName = Field(description="Name of one of its models.")


class Ensemble(ApiModel):
    """Several candidates answer, one answer results."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        sibling("judge", "consensus", "Judge"),
        Rule(
            "!has(self.quorum) || self.sizes.exists(s, s.max >= self.quorum)",
            "quorum must not be larger than every max of sizes: so many never answer",
            lambda ensemble: (ensemble.quorum or 0) <= max(s.max for s in ensemble.sizes),
        ),
    )

    sizes: Annotated[tuple[EnsembleSize, ...], BY_COMPLEXITY] = Field(
        min_length=1,
        max_length=4,
        description="How many by complexity; a complexity that is not listed is answered by one.",
    )
    quorum: int | None = Field(
        None, ge=1, le=16, description="Answers that end the wait. Default: more than half."
    )
    consensus: Literal["Majority", "Similarity", "Judge"] = Field(
        "Majority",
        description="Majority: the same answer most often. Similarity: the one nearest to the"
        " others. Judge: a model chooses. Default: Majority.",
    )
    judge: Judge | None = Field(None, description="With `consensus: Judge` only.")
    min_agreement: Fraction | None = Field(
        None, description='Least agreement, "0" to "1"; under it the request fails. Default: any.'
    )


class ModelTierSpec(ApiModel):
    """Candidates, and how to choose among them."""

    invariants: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.models.all(a, self.models.exists_one(b,"
            " a.model == b.model && a.provider == b.provider))",
            "a model of a provider is there twice: remove one, or add up their weights",
            lambda spec: len({(m.provider, m.model) for m in spec.models}) == len(spec.models),
        ),
        sibling("queue", "whenSaturated", "Queue"),
        distinct("fallbackTiers"),
    )

    models: tuple[TierModel, ...] = Field(
        min_length=1, max_length=64, description="The candidates."
    )
    strategy: Literal[
        "Weighted",
        "RoundRobin",
        "LeastCost",
        "LeastLatency",
        "LeastBusy",
        "MostHeadroom",
        "Adaptive",
    ] = Field(
        "Weighted",
        description="How one of equal priority is chosen. Weighted: by `weight`. RoundRobin: in"
        " turn. LeastCost: the cheapest. LeastLatency: the better of two by time to first token."
        " LeastBusy: the better of two by requests under way. MostHeadroom: most of its limits"
        " left. Adaptive: by a score of quality, success, latency and cost that learns."
        " Default: Weighted.",
    )
    floors: Annotated[tuple[Floor, ...], BY_COMPLEXITY] = Field(
        (),
        max_length=4,
        description="What a candidate must offer to requests for the tier, by complexity; who names"
        " a model has chosen himself. Default: nothing.",
    )
    on_no_fit: Literal["Cheapest", "Reject"] = Field(
        "Cheapest",
        description="When no candidate meets the floors, and none of the fallback tiers theirs."
        " Cheapest: the cheapest of all. Reject: an error. Default: Cheapest.",
    )
    timeouts: Annotated[tuple[ComplexityTimeout, ...], BY_COMPLEXITY] = Field(
        (),
        max_length=4,
        description="How long a request may take, by complexity. Default: 600 s; for an ensemble"
        " 30, 45, 90, 120 s.",
    )
    fallback_tiers: tuple[ObjectReference, ...] = Field(
        (), max_length=8, description="Tiers that serve, in order, when this one cannot."
    )
    when_saturated: Literal["Fallback", "Queue", "Reject"] = Field(
        "Fallback",
        description="When limits of the providers alone deny every candidate. Fallback: the"
        " fallback tiers. Queue: wait for the first to be free. Reject: an error."
        " Default: Fallback.",
    )
    queue: Queue | None = Field(None, description="With `whenSaturated: Queue` only.")
    hedge: Hedge | None = Field(None, description="A second attempt in time. Default: off.")
    ensemble: Ensemble | None = Field(
        None, description="Several candidates answer each request. Default: off."
    )
    priority: int = Field(
        0, ge=0, le=1000, description="Models of a lower one leave a full GPU first. Default: 0."
    )
    allowed_namespaces: AllowedNamespaces = Field(
        AllowedNamespaces(), description="Whose policies may use it. Default: those beside it."
    )


class CandidateStatus(ApiModel):
    """Whether a candidate can be used."""

    provider: str = Field(max_length=507, description="`<namespace>/<name>`.")
    model: str = Field(max_length=200, description="Its name.")
    available: bool = Field(description="Whether requests can go there now.")
    reason: str | None = Field(None, max_length=256, description="Why not, in one word.")


class ModelTierStatus(Status):
    """What is known of a tier."""

    available: int | None = Field(None, ge=0, description="How many candidates can be used.")
    total: int | None = Field(None, ge=0, description="How many there are.")
    candidates: tuple[CandidateStatus, ...] = Field(
        (), max_length=64, description="Each candidate."
    )
    """Written whole, as `LLMProviderStatus.models` is."""


class ModelTier(Kind):
    """Models that can stand in for one another, and how to choose among them."""

    kind: ClassVar[str] = "ModelTier"
    plural: ClassVar[str] = "modeltiers"
    short_names: ClassVar[tuple[str, ...]] = ("mtier",)
    columns: ClassVar[tuple[tuple[str, str, str, int], ...]] = (
        ("Strategy", "string", ".spec.strategy", 0),
        ("Available", "integer", ".status.available", 0),
        *CONDITION_COLUMNS,
        ("Total", "integer", ".status.total", 1),
    )
    status_type: ClassVar[type[BaseModel]] = ModelTierStatus

    spec: ModelTierSpec
