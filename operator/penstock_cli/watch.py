"""Which of the files have been saved since they were last looked at.

The system's notices make it quick; what counts is how the files look, so that a save is not lost
that came before the watch had begun, nor one that the system does not tell of.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Final

from watchfiles import awatch

from penstock_cli.documents import files_of
from penstock_cli.failure import NothingToRead

LOOK_MS: Final = 1000
"""How often we look where no notice comes: below folders, and on some network disks."""

Looks = Mapping[Path, tuple[int, int, int]]


class Watch:
    """Begins when it is made: a save from then on is told."""

    def __init__(self, paths: tuple[str, ...]) -> None:
        self._paths = paths
        self._seen = _looks(paths)

    async def saves(self) -> AsyncGenerator[None, None]:
        """Yields after each burst of changes; never ends by itself."""
        folders = {path if path.is_dir() else path.parent for path in map(Path, self._paths)}
        notices = awatch(*folders, recursive=False, rust_timeout=LOOK_MS, yield_on_timeout=True)
        async with aclosing(notices):
            async for _ in notices:
                if self._changed():
                    yield

    def _changed(self) -> bool:
        before, self._seen = self._seen, _looks(self._paths)
        return before != self._seen


def _looks(paths: tuple[str, ...]) -> Looks:
    """What changes of a file when it is written or replaced; nothing where nothing is there."""
    try:
        found = [(file, file.stat()) for file in files_of(paths)]
    except (NothingToRead, OSError):
        return {}
    return {file: (stat.st_ino, stat.st_mtime_ns, stat.st_size) for file, stat in found}
