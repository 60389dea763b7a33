"""All of one GPU."""

import re

import pynvml

from penstock_agent.nvml.calls import Handle, asked, optional
from penstock_agent.nvml.memory import memory_of
from penstock_agent.nvml.mig import mig_enabled, mig_instances
from penstock_agent.nvml.processes import processes_of
from penstock_operator.ollama.gpus import GpuReading


def read_gpu(index: int) -> GpuReading:
    """`NvmlError` where name or UUID are not told; all else may be missing.

    `ValueError` where what is told makes no sense.
    """
    handle = asked(pynvml.nvmlDeviceGetHandleByIndex, index)
    memory, has_mig = memory_of(handle), mig_enabled(handle)
    load = optional(pynvml.nvmlDeviceGetUtilizationRates, handle)
    milliwatts = optional(pynvml.nvmlDeviceGetPowerUsage, handle)
    return GpuReading(
        index=index,
        uuid=asked(pynvml.nvmlDeviceGetUUID, handle),
        product=product_label(asked(pynvml.nvmlDeviceGetName, handle)),
        memory_mib=memory.total_mib,
        used_mib=memory.used_mib,
        utilisation_percent=None if load is None else load.gpu,
        temperature_celsius=_temperature(handle),
        power_watts=None if milliwatts is None else round(milliwatts / 1000, 1),
        mig_enabled=has_mig,
        mig=tuple(mig_instances(handle)) if has_mig else (),
        processes=processes_of(handle),
    )


def _temperature(handle: Handle) -> int | None:
    """Of the core. Older drivers lack the first call; CUDA 14 is to drop the second (pynvml)."""
    for call in (pynvml.nvmlDeviceGetTemperatureV, pynvml.nvmlDeviceGetTemperature):
        celsius: int | None = optional(call, handle, pynvml.NVML_TEMPERATURE_GPU)
        if celsius is not None:
            return celsius
    return None


def product_label(name: str) -> str:
    """As in `nvidia.com/gpu.product` of GPU Feature Discovery (k8s-device-plugin, internal/lm)."""
    return "-".join(re.sub(r"[^A-Za-z0-9_. -]", "", name).split())
