"""What the agent asks of a GPU's driver: the seam between it and NVML."""

from dataclasses import dataclass
from typing import Protocol

from penstock_operator.ollama.gpus import GpuReading


@dataclass(frozen=True, slots=True)
class Found:
    """All GPUs that could be read, and what is wrong with the others."""

    gpus: tuple[GpuReading, ...] = ()
    faults: tuple[str, ...] = ()


class Driver(Protocol):
    """Calls block, for good where a GPU hangs; all come from one thread. They raise `NvmlError`."""

    def open(self) -> str:
        """Begins a session; the driver's version."""
        ...

    def read(self) -> Found:
        """Only in a session. One GPU's failure is a fault, and leaves the others readable."""
        ...

    def close(self) -> None:
        """Ends the session, also one that is gone already."""
        ...
