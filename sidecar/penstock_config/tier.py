"""Groups of models, and how to choose among them."""

from typing import Literal

from pydantic import Field

from penstock_config.base import ConfigModel, ObjectId
from penstock_config.queue import Queue


class Candidate(ConfigModel):
    """One model of one provider. A higher `priority` is asked only when all lower are out."""

    provider: ObjectId
    model: str
    weight: int = Field(1, ge=0)
    priority: int = Field(0, ge=0)


class Tier(ConfigModel):
    """`candidates` is empty when none is left; `denied` then says why, for the caller."""

    id: ObjectId
    name: str
    """What callers send as `model`."""
    candidates: tuple[Candidate, ...]
    strategy: Literal["Weighted"] = "Weighted"
    when_saturated: Literal["Fallback", "Queue", "Reject"] = "Fallback"
    """When provider limits alone refuse every candidate: the next tier, wait, or 429."""
    queue: Queue = Queue()
    """With `when_saturated` Queue only."""
    fallback_tiers: tuple[ObjectId, ...] = ()
    denied: str | None = None
