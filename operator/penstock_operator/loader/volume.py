"""Who of the replicas that share a models volume may change it: one at a time.

A lock of the kernel's (flock): it is gone with whoever held it, killed or not.
"""

import contextlib
import fcntl
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

logger = logging.getLogger("penstock_operator.loader")
LOCK_NAME: Final = ".penstock.lock"
PARTIAL: Final = "blobs/*-partial*"
ABANDONED_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Held:
    """The right to change the volume, until it is given back."""

    descriptor: int | None
    """`None`: the volume cannot be locked, and nobody can be waited for."""

    def release(self) -> None:
        if self.descriptor is not None:
            os.close(self.descriptor)


class Volume:
    """The directory that Ollama keeps its models in."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._said = False

    def take(self) -> Held | None:
        """`None`: another one holds it. Waits for nobody."""
        try:
            descriptor = os.open(self.path / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            return self._unlockable(error)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except OSError as error:
            os.close(descriptor)
            return self._unlockable(error)
        return Held(descriptor)

    def sweep(self, now: float) -> None:
        """Deletes what is left of pulls that were begun and are wanted no more; `now` is Unix time.

        Ollama does so at its start, but for a volume that replicas share. Only who holds it may.
        """
        for path in self.path.glob(PARTIAL):
            with contextlib.suppress(OSError):  # then the next time
                if now - path.stat().st_mtime > ABANDONED_SECONDS:
                    path.unlink()

    def _unlockable(self, error: OSError) -> Held:
        if not self._said:
            logger.warning("volume.not_lockable", extra={"error": str(error)})
        self._said = True
        return Held(None)
