"""Readings for tests, at seconds of one day."""

from datetime import UTC, datetime, timedelta
from typing import Any

from penstock_operator.ollama.gpus import GpuReading, MigInstance, NodeGpus

START = datetime(2026, 11, 22, tzinfo=UTC)


def card(index: int = 0, **fields: Any) -> GpuReading:
    """An L4 of 20000 MiB, so that 5 % are 1000."""
    whole = {"index": index, "uuid": f"GPU-{index}", "product": "NVIDIA-L4", "memory_mib": 20_000}
    return GpuReading(**{**whole, **fields})


def slice_of(number: int = 0, **fields: Any) -> MigInstance:
    whole = {"uuid": f"MIG-{number}", "profile": "1g.5gb", "memory_mib": 4_000}
    return MigInstance(**{**whole, **fields})


def reading(*gpus: GpuReading, seconds: float = 0, **fields: Any) -> NodeGpus:
    at = START + timedelta(seconds=seconds)
    whole = {"node": "gpu-1", "observed_at": at, "driver": "580.65.06", "gpus": gpus}
    return NodeGpus(**{**whole, **fields})
