"""What NVML can refuse, by who must act.

NvmlError            any other refusal: this reading is worth nothing
├── NoLibrary        the administrator: there is no NVML in this container
├── NoDriver         the administrator: the node's kernel has no driver
├── OtherVersion     the kubelet: a new container gets the library that fits the driver
├── NotPermitted     the administrator: devices of the node are closed to us
├── SessionGone      nobody: the driver was loaded anew, so NVML is opened anew
├── GpuLost          the administrator: a GPU fell off the bus, or waits for a reset
└── NotSupported     nobody: this GPU or this driver does not say
"""

from typing import ClassVar


class NvmlError(Exception):
    """The text is NVML's own."""

    advice: ClassVar[str] = "see `nvidia-smi` and `dmesg` on the node"

    def message(self) -> str:
        """What is wrong and what to do, in a sentence."""
        return f"NVML: {self}: {self.advice}"


class NoLibrary(NvmlError):
    advice = (
        "this container has no libnvidia-ml.so.1: install NVIDIA's driver and container toolkit on"
        " the node, name their runtime class in agent.runtimeClassName where there is one, then"
        " delete this pod"
    )


class NoDriver(NvmlError):
    advice = "the node's kernel has no NVIDIA driver: install or load it; it is looked for again"


class OtherVersion(NvmlError):
    advice = "the driver was changed under this container: it is restarted to get the new library"


class NotPermitted(NvmlError):
    advice = "the node's /dev/nvidia* are closed to user 65532: see their mode on the node"


class SessionGone(NvmlError):
    advice = "the driver went away: it is looked for again"


class GpuLost(NvmlError):
    advice = "reset the GPU or restart the node"


class NotSupported(NvmlError):
    pass
