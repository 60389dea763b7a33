"""What a loader says of its replica: the body of `GET :4144/progress`, read by the operator."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

State = Literal["Waiting", "Pulling", "Creating", "Loading", "Ready", "Idle", "Failed"]
"""Ready: on disk, and in memory if it is to be. Idle: on disk, to be loaded when asked for."""
MAX_BYTES = 256 * 1024


class _Said(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )


class ModelProgress(_Said):
    """One model of the replica."""

    name: str = Field(max_length=200)
    state: State
    completed_bytes: int = 0
    total_bytes: int = 0
    """Of what is being pulled; 0 is unknown."""
    size_bytes: int = 0
    """In memory, as `/api/ps` says; 0: not loaded."""
    vram_bytes: int = 0
    """Of it, on GPUs."""
    digest: str = Field("", max_length=96)
    message: str = Field("", max_length=512)
    """With Failed: the server's words."""


class Progress(_Said):
    """A replica."""

    ready: bool
    """Ollama answers, and every model is served, but for those ordered since it was ready."""
    models: tuple[ModelProgress, ...] = ()
    message: str = Field("", max_length=512)
    """What is wrong with all of it; empty when nothing is."""


def decode_progress(data: bytes) -> Progress | None:
    """`None` for anything else."""
    if len(data) > MAX_BYTES:
        return None
    try:
        return Progress.model_validate_json(data)
    except ValidationError:
        return None
