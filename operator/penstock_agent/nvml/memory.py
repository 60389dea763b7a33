"""Memory of a GPU or a MIG instance."""

from dataclasses import dataclass
from typing import Final

import pynvml

from penstock_agent.nvml.calls import Handle, optional

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Memory:
    """MiB, rounded down. Used is whatever is not free: what the driver reserves for itself too,
    which nobody else can have."""

    total_mib: int = 0
    used_mib: int = 0


def memory_of(handle: Handle) -> Memory:
    """Nothing where it is not told, as on boards whose GPU shares the machine's memory.

    NVML's second version tells used and reserved apart; drivers before 510 have the first alone.
    """
    found = optional(pynvml.nvmlDeviceGetMemoryInfo, handle, pynvml.nvmlMemory_v2)
    if found is None:
        found = optional(pynvml.nvmlDeviceGetMemoryInfo, handle)
    if found is None:
        return Memory()
    return Memory(found.total // MIB, max(found.total - found.free, 0) // MIB)
