"""What a node agent knows of its node's GPUs: the document of its ConfigMap.

Written by `penstock_agent`, read by the operator. Readers skip fields they do not know, so that
both may be of different versions. Sizes in MiB, as NVML's bytes rounded down.
"""

from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

STALE: Final = timedelta(seconds=90)
"""What is older says nothing any more."""
MAX_BYTES: Final = 256 * 1024


class _Said(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="ignore", frozen=True
    )


class MigInstance(_Said):
    """A hardware partition of a GPU."""

    uuid: str = Field(max_length=96)
    profile: str = Field(max_length=32)
    """Such as `1g.5gb`."""
    memory_mib: int = Field(ge=0, alias="memoryMiB")
    used_mib: int = Field(0, ge=0, alias="usedMiB")


class GpuProcess(_Said):
    """Something that holds a GPU's memory. No command line: it may hold secrets."""

    pid: int
    name: str = Field("", max_length=64)
    used_mib: int = Field(0, ge=0, alias="usedMiB")


class GpuReading(_Said):
    """One GPU at one moment."""

    index: int = Field(ge=0)
    uuid: str = Field(max_length=96)
    product: str = Field(max_length=96)
    """As in label `nvidia.com/gpu.product`: spaces are dashes."""
    memory_mib: int = Field(ge=0, alias="memoryMiB")
    used_mib: int = Field(0, ge=0, alias="usedMiB")
    utilisation_percent: int | None = Field(None, ge=0, le=100)
    """Share of the last moments in which it worked; `None` is unknown, as with MIG."""
    temperature_celsius: int | None = None
    power_watts: float | None = None
    mig_enabled: bool = False
    mig: tuple[MigInstance, ...] = ()
    processes: tuple[GpuProcess, ...] = ()


class NodeGpus(_Said):
    """All of a node's GPUs, or why they are not known."""

    node: str
    observed_at: datetime
    """Aware, UTC."""
    driver: str | None = None
    """Version of the driver; `None` without one."""
    message: str = Field("", max_length=512)
    """What is wrong, and what to do; empty when nothing is."""
    gpus: tuple[GpuReading, ...] = ()

    def is_fresh(self, now: datetime) -> bool:
        return now - self.observed_at < STALE


def encode_gpus(found: NodeGpus) -> str:
    """JSON; equal readings give equal text."""
    return found.model_dump_json(by_alias=True, exclude_defaults=True)


def decode_gpus(text: str) -> NodeGpus | None:
    """`None` for what is no such document: whoever may write the ConfigMap may write anything."""
    if len(text) > MAX_BYTES:
        return None
    try:
        found = NodeGpus.model_validate_json(text)
    except ValidationError:
        return None
    return found if found.observed_at.tzinfo is not None else None
