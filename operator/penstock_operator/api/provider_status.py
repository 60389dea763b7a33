"""What is known of an `LLMProvider`."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from penstock_operator.api.base import ApiModel
from penstock_operator.api.lists import BY_NAME, KeyedBy
from penstock_operator.api.status import Status


class ModelStatus(ApiModel):
    """Whether a model can be used."""

    name: str = Field(max_length=200, description="Its name.")
    available: bool = Field(description="Whether requests can go there now.")
    reason: str | None = Field(None, max_length=256, description="Why not, in one word.")


class Endpoint(ApiModel):
    """An address that serves."""

    address: str = Field(max_length=1024, description="Its URL.")
    ready: bool = Field(description="Whether it serves.")
    models: tuple[str, ...] = Field((), max_length=128, description="Models it has loaded.")


class LimitUse(ApiModel):
    """How much of a limit is used."""

    name: str = Field(max_length=256, description="`<limit>`, or `<model>/<limit>`.")
    limit: int = Field(description="The bound.")
    used: int = Field(description="What of it is used now.")


class Placement(ApiModel):
    """Where a replica of our own goes, and why."""

    replica: int = Field(ge=0, description="Number of the replica.")
    node: str | None = Field(None, max_length=253, description="Node that was chosen for it.")
    models: tuple[str, ...] = Field((), max_length=64, description="Models it is to load.")
    required_mib: int | None = Field(
        None, alias="requiredMiB", description="GPU memory that these need."
    )
    message: str | None = Field(None, max_length=1024, description="Why there, or why nowhere.")


class LLMProviderStatus(Status):
    """What is known of a provider."""

    models: tuple[ModelStatus, ...] = Field((), max_length=128, description="Each model.")
    """Written whole, by one: old API servers (1.20) refuse to empty a list that is keyed."""
    endpoints: Annotated[tuple[Endpoint, ...], KeyedBy(("address",))] = Field(
        (), max_length=1000, description="Addresses that serve."
    )
    limits: Annotated[tuple[LimitUse, ...], BY_NAME] = Field(
        (), max_length=1024, description="Use of the limits, at the last look."
    )
    placement: Annotated[tuple[Placement, ...], KeyedBy(("replica",))] = Field(
        (), max_length=1000, description="Replicas of our own Ollama."
    )
    last_probe_time: datetime | None = Field(None, description="When it was last probed.")
