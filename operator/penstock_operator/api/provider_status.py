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
    """Where replicas of our own Ollama go, and why."""

    group: str = Field(max_length=63, description="Name of the Deployment.")
    node: str | None = Field(
        None, max_length=253, description="Node that was chosen. None: any, on CPU; or nowhere."
    )
    models: tuple[str, ...] = Field((), max_length=64, description="Models that it serves.")
    loaded: tuple[str, ...] = Field(
        (), max_length=64, description="Of these, the ones loaded from the beginning."
    )
    replicas: int = Field(0, ge=0, description="How many pods it is to have.")
    ready_replicas: int = Field(0, ge=0, description="How many of them serve.")
    required_mib: int | None = Field(
        None, alias="requiredMiB", description="GPU memory that one pod needs."
    )
    message: str | None = Field(None, max_length=1024, description="Why there, or why nowhere.")


class LoadingModel(ApiModel):
    """How far a model of our own Ollama has come."""

    name: str = Field(max_length=200, description="Its name.")
    state: str = Field(
        max_length=16,
        description="Of the pod that is furthest from serving it: Waiting, Pulling, Creating,"
        " Loading, Ready, Idle (on disk alone), Failed.",
    )
    percent: int | None = Field(
        None, ge=0, le=100, description="Of what is pulled, with Pulling. Default: not known."
    )
    loaded: int = Field(0, ge=0, description="Number of pods that have it in memory.")
    required_mib: int | None = Field(
        None, alias="requiredMiB", description="GPU memory that it was reckoned with."
    )
    source: str | None = Field(
        None, max_length=16, description="Where that is from: said, table, formula."
    )
    vram_mib: int | None = Field(
        None, alias="vramMiB", description="GPU memory that it takes, as Ollama says."
    )
    message: str | None = Field(None, max_length=1024, description="With Failed: why.")


class LLMProviderStatus(Status):
    """What is known of a provider."""

    models: tuple[ModelStatus, ...] = Field((), max_length=128, description="Each model.")
    """Written whole, by one, as `placement` and `loading` are: old API servers (1.20) refuse to
    empty a list that is keyed."""
    endpoints: Annotated[tuple[Endpoint, ...], KeyedBy(("address",))] = Field(
        (), max_length=1000, description="Addresses that serve."
    )
    limits: Annotated[tuple[LimitUse, ...], BY_NAME] = Field(
        (), max_length=1024, description="Use of the limits, at the last look."
    )
    placement: tuple[Placement, ...] = Field(
        (), max_length=1000, description="Deployments of our own Ollama, and where they are."
    )
    loading: tuple[LoadingModel, ...] = Field(
        (), max_length=64, description="Each model of our own Ollama."
    )
    replicas: int | None = Field(
        None,
        ge=0,
        description="How many replicas of our own Ollama are wanted, each of all models.",
    )
    """Plain fields: old API servers (1.20) leave `null` where an object was."""
    ready_replicas: int | None = Field(
        None, ge=0, description="How many pods of our own Ollama serve each model at least."
    )
    last_request_time: datetime | None = Field(
        None,
        description="When our own Ollama was last asked; with `scaleToZeroAfterSeconds` only.",
    )
    last_probe_time: datetime | None = Field(None, description="When it was last probed.")
