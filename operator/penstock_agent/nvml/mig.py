"""A GPU's MIG mode and instances."""

from collections.abc import Iterator
from typing import Final

import pynvml

from penstock_agent.nvml.calls import Handle, asked, optional
from penstock_agent.nvml.memory import Memory, memory_of
from penstock_operator.ollama.gpus import MigInstance

MIB_PER_GB: Final = 1024
MAX_INSTANCES: Final = 64
"""More than any GPU has; NVML is not trusted to end."""


def mig_enabled(handle: Handle) -> bool:
    """Whether the GPU is partitioned now: what waits for a reset does not count."""
    modes = optional(pynvml.nvmlDeviceGetMigMode, handle)
    return modes is not None and modes[0] == pynvml.NVML_DEVICE_MIG_ENABLE


def mig_instances(handle: Handle) -> Iterator[MigInstance]:
    """Those that are there; numbers between them may be free."""
    for number in range(
        min(optional(pynvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0, MAX_INSTANCES)
    ):
        instance = optional(pynvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, number)
        if instance is None:
            continue
        memory = memory_of(instance)
        yield MigInstance(
            uuid=asked(pynvml.nvmlDeviceGetUUID, instance),
            profile=_profile(instance, memory),
            memory_mib=memory.total_mib,
            used_mib=memory.used_mib,
        )


def _profile(instance: Handle, memory: Memory) -> str:
    """The name ends with it: `NVIDIA A100-SXM4-40GB MIG 1g.5gb`. Else by its slices."""
    name = optional(pynvml.nvmlDeviceGetName, instance) or ""
    _, found, profile = name.rpartition(" MIG ")
    if found:
        return profile.strip()
    attributes = optional(pynvml.nvmlDeviceGetAttributes_v2, instance)
    if attributes is None:
        return ""
    gpu, compute = attributes.gpuInstanceSliceCount, attributes.computeInstanceSliceCount
    part = "" if compute == gpu else f"{compute}c."
    size_mib = attributes.memorySizeMB or memory.total_mib
    return f"{part}{gpu}g.{round(size_mib / MIB_PER_GB)}gb"
