"""Groups of models, and how to choose among them."""

from typing import Literal

from pydantic import Field

from penstock_config.base import ConfigModel, MicroUsd, ObjectId
from penstock_config.classification import Complexity
from penstock_config.queue import Queue

Strategy = Literal[
    "Weighted", "RoundRobin", "LeastCost", "LeastLatency", "LeastBusy", "MostHeadroom", "Adaptive"
]


class Candidate(ConfigModel):
    """One model of one provider. A higher `priority` is asked only when all lower are out."""

    provider: ObjectId
    model: str
    weight: int = Field(1, ge=0)
    priority: int = Field(0, ge=0)


class Floor(ConfigModel):
    """What a candidate must offer for requests of a complexity."""

    complexity: Complexity
    min_quality: int | None = Field(None, ge=0, le=100)
    """In tenths, as `Model.quality`; a model whose quality is unknown does not meet it."""
    max_cost: MicroUsd | None = None
    """Of the whole request, by estimate; a model without a price does not meet it."""
    max_latency_ms: int | None = Field(None, ge=1)
    """Until the first token: as measured, else as expected; unknown meets it."""


class TierTimeout(ConfigModel):
    """How long requests of a complexity may take, over all attempts."""

    complexity: Complexity
    seconds: int = Field(ge=1)


class Hedge(ConfigModel):
    """When a second candidate is asked before the first has content: exactly one of the two."""

    after_ms: int | None = Field(None, ge=1)
    after_percentile: int | None = Field(None, ge=50, le=99)
    """Of the first one's own time to first content."""
    when_headroom_below_percent: int | None = Field(None, ge=1, le=100)
    """At once, where the first has less left of its limits."""
    max_extra_percent: int = Field(10, ge=1, le=100)
    """Most second attempts, in percent of requests."""


class EnsembleSize(ConfigModel):
    """How many models answer requests of a complexity."""

    complexity: Complexity
    min: int = Field(ge=1)
    max: int = Field(ge=1)


class Judge(ConfigModel):
    """The model that chooses among answers."""

    provider: ObjectId
    model: str


class Ensemble(ConfigModel):
    """Several candidates answer, one answer results."""

    sizes: tuple[EnsembleSize, ...]
    """A complexity that is not listed is answered by one."""
    quorum: int | None = Field(None, ge=1)
    """Answers that end the wait; `None` is more than half of those asked."""
    consensus: Literal["Majority", "Similarity", "Judge"] = "Majority"
    judge: Judge | None = None
    """With `consensus` Judge only; `None` there: it cannot be had, as if it never answered."""
    min_agreement_percent: float | None = Field(None, ge=0, le=100)
    """Under it the request fails."""


class Tier(ConfigModel):
    """`candidates` is empty when none is left; `denied` then says why, for the caller."""

    id: ObjectId
    name: str
    """What callers send as `model`."""
    candidates: tuple[Candidate, ...]
    strategy: Strategy = "Weighted"
    """In version 1 always Weighted."""
    floors: tuple[Floor, ...] = ()
    """Since version 2, as all down to `ensemble`."""
    on_no_fit: Literal["Cheapest", "Reject"] = "Cheapest"
    """When no candidate meets the floors."""
    timeouts: tuple[TierTimeout, ...] = ()
    hedge: Hedge | None = None
    ensemble: Ensemble | None = None
    when_saturated: Literal["Fallback", "Queue", "Reject"] = "Fallback"
    """When provider limits alone refuse every candidate: the next tier, wait, or 429."""
    queue: Queue = Queue()
    """With `when_saturated` Queue only."""
    fallback_tiers: tuple[ObjectId, ...] = ()
    denied: str | None = None
