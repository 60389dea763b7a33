"""Sees that a mounted file has changed, reads it, and has it put to work.

Polls, once a second: a kubelet swaps the link `..data` of a whole volume, which inotify tells in
many ways, and `stat` of the file through the link tells in one. What cannot be used changes
nothing: the last good value of each file stays, the reason is reported once.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Generic, NamedTuple, Protocol, TypeVar

from penstock_config.codec import ConfigError, digest
from penstock_config.credentials import Credentials
from penstock_config.older import CREDENTIALS_READERS, READERS
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


class Look(NamedTuple):
    """Which file is there, in which state; another one is another look."""

    name: str
    device: int
    inode: int
    modified_ns: int
    size: int


class MountedFile(Generic[T]):
    """One file of a mounted volume: its last good value, and what is wrong with the present one.

    `readers` has its name in every version that is known, newest first: of those that are there
    the first is read, so that another operator may add or take away one at any time.
    """

    def __init__(self, folder: Path, readers: Mapping[str, Callable[[bytes], T]]) -> None:
        self.name = next(iter(readers))
        """Of the one that is read, or waited for."""
        self.value: T | None = None
        self.digest = ""
        self.error = ""
        """Empty also for a file that never was there: nothing is wrong with waiting."""
        self._folder = folder
        self._readers = readers
        self._seen: Look | None = None

    async def refresh(self) -> None:
        """Take the file's content if it changed. Decoding is done off the loop."""
        seen = self._look()
        if seen is None:
            self.error = self._missing()
        elif seen != self._seen:
            self.name = seen.name
            await asyncio.to_thread(self._read)
        self._seen = seen

    def _look(self) -> Look | None:
        """Which file is there now, as seen through every link; reading costs more than looking."""
        for name in self._readers:
            with contextlib.suppress(OSError):
                status = (self._folder / name).stat()
                return Look(name, status.st_dev, status.st_ino, status.st_mtime_ns, status.st_size)
        return None

    def _read(self) -> None:
        try:
            data = (self._folder / self.name).read_bytes()
            self.value = self._readers[self.name](data)
        except OSError as error:
            self.error = f"{self.name}: {error.strerror}"
        except ConfigError as error:
            self.error = f"{self.name}: {error}"
        else:
            self.digest, self.error = digest(data), ""

    def _missing(self) -> str:
        newest = next(iter(self._readers))
        stem = newest.partition(".")[0]
        others = sorted(other.name for other in self._folder.glob(f"{stem}.v*.json"))
        if others:
            return f"{newest} is not there, only {', '.join(others)}: upgrade this sidecar"
        return f"{self.name} is gone" if self.value is not None else ""


class Watcher:
    """Watches a pod's three volumes. `load` puts to work what was read."""

    def __init__(
        self,
        settings: Settings,
        load: Callable[[Loaded], Awaitable[None]],
        listener: ReloadListener,
    ) -> None:
        self._config = MountedFile(settings.config_dir, READERS)
        self._credentials = MountedFile(settings.credentials_dir, CREDENTIALS_READERS)
        self._labels = MountedFile(settings.pod_info_dir, {"labels": parse_labels})
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
        return tuple(file.name for file in files if file.value is None)

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
                "config_file": self._config.name,
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
