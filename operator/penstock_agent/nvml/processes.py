"""What holds a GPU's memory. Of a process its program's name alone: arguments may be secrets."""

from collections.abc import Callable, Iterator
from typing import Any, Final

import pynvml

from penstock_agent.nvml.calls import Handle, optional
from penstock_agent.nvml.memory import MIB
from penstock_operator.ollama.gpus import GpuProcess

MAX_PROCESSES: Final = 16
"""Of a GPU; those with the most memory. The ConfigMap stays small."""
MAX_NAME_CHARACTERS: Final = 64
LISTS: Final = (
    (
        pynvml.nvmlDeviceGetComputeRunningProcesses_v3,
        pynvml.nvmlDeviceGetComputeRunningProcesses_v2,
    ),
    (
        pynvml.nvmlDeviceGetGraphicsRunningProcesses_v3,
        pynvml.nvmlDeviceGetGraphicsRunningProcesses_v2,
    ),
)
"""Newest version first: drivers before 510 lack it. Without a version pynvml's own error is raised
there, which is none of NVML's."""


def processes_of(handle: Handle) -> tuple[GpuProcess, ...]:
    """Largest first. Ids are the node's, so that a container that does not see its processes
    (`agent.hostPID`) knows no names; some drivers tell it of no process at all."""
    held: dict[int, int] = {}
    for versions in LISTS:
        for pid, used_mib in _told(versions, handle):
            held[pid] = max(held.get(pid, 0), used_mib)  # both lists tell all of its memory
    largest = sorted(held.items(), key=lambda each: (-each[1], each[0]))[:MAX_PROCESSES]
    return tuple(GpuProcess(pid=pid, name=_name(pid), used_mib=used) for pid, used in largest)


def _told(versions: tuple[Callable[..., Any], ...], handle: Handle) -> Iterator[tuple[int, int]]:
    """Process and MiB. Memory is not told with MIG, and for processes of others."""
    lists = (optional(call, handle) for call in versions)
    for each in next(filter(None, lists), ()):
        yield each.pid, (each.usedGpuMemory or 0) // MIB


def _name(pid: int) -> str:
    return short_name(optional(pynvml.nvmlSystemGetProcessName, pid) or "")


def short_name(path: str) -> str:
    """`python3` of `/usr/bin/python3 serve.py --token=...`."""
    program = path.strip().partition(" ")[0].rpartition("/")[2]
    return "".join(filter(str.isprintable, program))[:MAX_NAME_CHARACTERS]
