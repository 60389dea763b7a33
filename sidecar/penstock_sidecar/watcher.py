"""Sees that a mounted file has changed, reads it, and has it put to work.

Polls, once a second: a kubelet swaps the link `..data` of a whole volume, which inotify tells in
many ways, and `stat` of the file through the link tells in one. What cannot be used changes
nothing: the last good value of each file stays, the reason is reported once.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from penstock_config.codec import (
    ConfigError,
    config_file_name,
    credentials_file_name,
    decode_config,
    decode_credentials,
    digest,
)
from penstock_config.credentials import Credentials
from penstock_config.schema import SidecarConfig
from penstock_sidecar.settings import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T")
POLL_SECONDS: Final = 1


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a runtime is built from."""

    config: SidecarConfig
    config_digest: str
    credentials: Credentials
    credentials_digest: str
    labels: Mapping[str, str]


class ReloadListener(Protocol):
    """Hears of every change, and of every file that could not be used."""

    def configuration_loaded(self, config_digest: str, credentials_digest: str) -> None: ...

    def configuration_rejected(self) -> None: ...


class MountedFile(Generic[T]):
    """One file of a mounted volume: its last good value, and what is wrong with the present one."""

    def __init__(self, path: Path, decode: Callable[[bytes], T]) -> None:
        self.path = path
        self.value: T | None = None
        self.digest = ""
        self.error = ""
        """Empty also for a file that never was there: nothing is wrong with waiting."""
        self._decode = decode
        self._seen: tuple[int, ...] | None = None

    async def refresh(self) -> None:
        """Take the file's content if it changed. Decoding is done off the loop."""
        seen = self._look()
        if seen is None:
            self.error = self._missing()
        elif seen != self._seen:
            await asyncio.to_thread(self._read)
        self._seen = seen

    def _look(self) -> tuple[int, ...] | None:
        """Which file is there now, as seen through every link; reading costs more than looking."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size

    def _read(self) -> None:
        try:
            data = self.path.read_bytes()
            self.value = self._decode(data)
        except OSError as error:
            self.error = f"{self.path.name}: {error.strerror}"
        except ConfigError as error:
            self.error = f"{self.path.name}: {error}"
        else:
            self.digest, self.error = digest(data), ""

    def _missing(self) -> str:
        stem = self.path.name.partition(".")[0]
        others = sorted(other.name for other in self.path.parent.glob(f"{stem}.v*.json"))
        if others:
            return f"{self.path.name} is not there, only {', '.join(others)}: upgrade this sidecar"
        return f"{self.path.name} is gone" if self.value is not None else ""


class Watcher:
    """Watches a pod's three volumes. `load` puts to work what was read."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[Loaded], Awaitable[None]],
        listener: ReloadListener,
    ) -> None:
        credentials_file = settings.credentials_dir / credentials_file_name()
        self._config = MountedFile(settings.config_dir / config_file_name(), decode_config)
        self._credentials = MountedFile(credentials_file, decode_credentials)
        self._labels = MountedFile(settings.pod_info_dir / "labels", parse_labels)
        self._load = load
        self._listener = listener
        self._looking = asyncio.Lock()
        self._at_work: tuple[str, str, str] | None = None
        self._load_error = ""
        self._reported = ""

    @property
    def last_error(self) -> str:
        """What keeps the present files from being at work; empty when nothing does."""
        errors = (self._config.error, self._credentials.error, self._labels.error, self._load_error)
        return "; ".join(filter(None, errors))

    @property
    def waiting_for(self) -> tuple[str, ...]:
        """Files without which there is no configuration, and which never came."""
        files = (self._config, self._credentials)
        return tuple(file.path.name for file in files if file.value is None)

    async def run(self) -> None:
        """Check for ever."""
        while True:
            await self.check()
            await asyncio.sleep(POLL_SECONDS)

    async def check(self) -> None:
        """One look at the files, and what follows from it."""
        async with self._looking:
            for file in (self._config, self._credentials, self._labels):
                await file.refresh()
            loaded = self._readable()
            if loaded and self._digests() != self._at_work:
                await self._put_to_work(loaded)
            self._report()

    def _digests(self) -> tuple[str, str, str]:
        return self._config.digest, self._credentials.digest, self._labels.digest

    def _readable(self) -> Loaded | None:
        if self._config.value is None or self._credentials.value is None:
            return None
        return Loaded(
            config=self._config.value,
            config_digest=self._config.digest,
            credentials=self._credentials.value,
            credentials_digest=self._credentials.digest,
            labels=self._labels.value or {},
        )

    async def _put_to_work(self, loaded: Loaded) -> None:
        """A failure is tried again at the next look: its cause may lie outside of the files."""
        try:
            await self._load(loaded)
        except ConfigError as error:
            self._load_error = str(error)
            return
        except Exception as error:  # in the log, the metric and /debug/state
            self._load_error = f"cannot be put to work: {type(error).__name__}"
            if self._load_error not in self._reported:
                logger.exception("config.load_failed")
            return
        self._at_work, self._load_error = self._digests(), ""
        self._listener.configuration_loaded(loaded.config_digest, loaded.credentials_digest)
        logger.info(
            "config.loaded",
            extra={
                "config_digest": loaded.config_digest,
                "credentials_digest": loaded.credentials_digest,
            },
        )

    def _report(self) -> None:
        """Each error once, not once a second."""
        error = self.last_error
        if error and error != self._reported:
            self._listener.configuration_rejected()
            logger.error("config.rejected", extra={"reason": error})
        self._reported = error


def parse_labels(data: bytes) -> Mapping[str, str]:
    """The downward API's format: lines of `key="value"`. Label values need no escapes."""
    pairs = (line.partition("=") for line in data.decode("utf-8", "replace").splitlines())
    return {key.strip(): value.strip().strip('"') for key, found, value in pairs if found}
