"""Reads through one session of the driver, and opens it anew where it went away."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from penstock_agent.driver import Driver
from penstock_agent.errors import NvmlError, OtherVersion
from penstock_operator.ollama.gpus import GpuReading

REOPEN_SECONDS: Final = 30
"""A session that lacks a GPU is opened anew this often: NVML counts GPUs when it is opened."""
MAX_MESSAGE_CHARACTERS: Final = 512
NO_GPU: Final = (
    "NVML works and sees no GPU: give the container the node's GPUs (NVIDIA_VISIBLE_DEVICES=all)"
)


@dataclass(frozen=True, slots=True)
class Observation:
    """What one reading gave."""

    driver: str | None = None
    """Version; `None` when NVML could not be opened."""
    gpus: tuple[GpuReading, ...] = ()
    message: str = ""
    must_restart: bool = False
    """Whether only another container can read."""


class Observer:
    """Belongs to one thread."""

    def __init__(self, driver: Driver, clock: Callable[[], float]) -> None:
        self._driver = driver
        self._clock = clock
        self._version: str | None = None
        self._reopen_at = float("inf")

    def observe(self) -> Observation:
        """Blocks as long as NVML does; what NVML refuses is said in the message."""
        if self._clock() >= self._reopen_at:
            self._close()
        if self._version is not None:
            try:
                return self._read(self._version)
            except NvmlError:  # at once in a new session, where the driver is back already
                self._close()
        try:
            return self._read(self._driver.open())
        except NvmlError as error:
            self._close()
            return Observation(
                message=error.message()[:MAX_MESSAGE_CHARACTERS],
                must_restart=isinstance(error, OtherVersion),
            )

    def _read(self, version: str) -> Observation:
        found = self._driver.read()
        faults = found.faults or (() if found.gpus else (NO_GPU,))
        if self._version is None:
            self._version = version
            self._reopen_at = float("inf")
        if faults and self._reopen_at == float("inf"):
            self._reopen_at = self._clock() + REOPEN_SECONDS
        message = "; ".join(faults)[:MAX_MESSAGE_CHARACTERS]
        return Observation(version, found.gpus, message)

    def _close(self) -> None:
        self._driver.close()
        self._version = None
        self._reopen_at = float("inf")
