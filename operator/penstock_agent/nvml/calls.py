"""One call of NVML: what it gives, or an error of ours."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

import pynvml

from penstock_agent.errors import (
    GpuLost,
    NoDriver,
    NoLibrary,
    NotPermitted,
    NotSupported,
    NvmlError,
    OtherVersion,
    SessionGone,
)

T = TypeVar("T")
Handle = Any
"""A GPU or a MIG instance, as NVML names it within a session."""

_BY_CODE: Final[Mapping[int, type[NvmlError]]] = {
    pynvml.NVML_ERROR_UNINITIALIZED: SessionGone,
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: NoLibrary,
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: NoDriver,
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: OtherVersion,
    pynvml.NVML_ERROR_NO_PERMISSION: NotPermitted,
    pynvml.NVML_ERROR_OPERATING_SYSTEM: NotPermitted,
    pynvml.NVML_ERROR_GPU_IS_LOST: GpuLost,
    pynvml.NVML_ERROR_GPU_NOT_FOUND: GpuLost,
    pynvml.NVML_ERROR_RESET_REQUIRED: GpuLost,
    pynvml.NVML_ERROR_NOT_SUPPORTED: NotSupported,
    pynvml.NVML_ERROR_NOT_FOUND: NotSupported,
    pynvml.NVML_ERROR_NO_DATA: NotSupported,
    pynvml.NVML_ERROR_FUNCTION_NOT_FOUND: NotSupported,  # the driver is older than the call
    pynvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH: NotSupported,
    pynvml.NVML_ERROR_DEPRECATED: NotSupported,
}


def asked(call: Callable[..., T], *arguments: object) -> T:
    """What the call gives; `NvmlError` when it refuses."""
    try:
        return call(*arguments)
    except pynvml.NVMLError as error:
        raise _BY_CODE.get(error.value, NvmlError)(str(error)) from error
    except UnicodeDecodeError as error:  # pynvml's own, of a process that is named in other bytes
        msg = "a name that is no UTF-8"
        raise NotSupported(msg) from error


def optional(call: Callable[..., T], *arguments: object) -> T | None:
    """As `asked`; `None` for what this GPU does not say. What ends all reading is raised."""
    try:
        return asked(call, *arguments)
    except (SessionGone, NoDriver, OtherVersion, GpuLost):
        raise
    except NvmlError:
        return None
