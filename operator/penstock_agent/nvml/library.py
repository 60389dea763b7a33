"""The driver's seam over libnvidia-ml.so.1."""

from contextlib import suppress

import pynvml

from penstock_agent.driver import Found
from penstock_agent.errors import GpuLost, NoDriver, NvmlError, OtherVersion, SessionGone
from penstock_agent.nvml.calls import asked, optional
from penstock_agent.nvml.gpu import read_gpu
from penstock_operator.ollama.gpus import GpuReading


class Library:
    """One session at a time, from one thread."""

    def open(self) -> str:
        asked(pynvml.nvmlInit)
        return optional(pynvml.nvmlSystemGetDriverVersion) or "unknown"

    def read(self) -> Found:
        gpus: list[GpuReading] = []
        faults: list[str] = []
        for index in range(asked(pynvml.nvmlDeviceGetCount)):
            try:
                gpus.append(read_gpu(index))
            except (SessionGone, NoDriver, OtherVersion):
                raise
            except GpuLost as error:
                faults.append(f"GPU {index}: {error}: {error.advice}")
            except NvmlError as error:
                faults.append(f"GPU {index} is left out: {error}")
            except ValueError:
                faults.append(f"GPU {index} is left out: what NVML says of it makes no sense")
        faults += [f"{gpu.product} does not say its memory" for gpu in gpus if not gpu.memory_mib]
        return Found(tuple(gpus), tuple(faults))

    def close(self) -> None:
        with suppress(NvmlError):
            asked(pynvml.nvmlShutdown)
