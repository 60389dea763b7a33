"""Which of the files have been saved: an endless stream of moments to read them again."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from watchfiles import Change, awatch

from penstock_cli.documents import SUFFIXES


async def saves(paths: tuple[str, ...]) -> AsyncGenerator[None, None]:
    """Yields after each burst of changes; ends only by an error of the watching itself."""
    changed = asyncio.Event()
    watches = [asyncio.create_task(_tell(_watched(Path(p)), changed)) for p in paths]
    try:
        while True:
            saved = asyncio.ensure_future(changed.wait())
            await asyncio.wait({saved, *watches}, return_when=asyncio.FIRST_COMPLETED)
            saved.cancel()
            for watch in watches:
                if watch.done():
                    watch.result()
            changed.clear()
            yield
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A folder with all below it, or one file in it (`only`)."""

    folder: Path
    only: Path | None

    def concerns_us(self, _: Change, name: str) -> bool:
        file = Path(name)
        return file == self.only if self.only else file.suffix in SUFFIXES


def _watched(path: Path) -> _Watched:
    """A file's folder is watched in its place: editors write a new file and rename it."""
    whole = path.resolve()
    return _Watched(whole, None) if whole.is_dir() else _Watched(whole.parent, whole)


async def _tell(watched: _Watched, changed: asyncio.Event) -> None:
    changes = awatch(
        watched.folder, watch_filter=watched.concerns_us, recursive=watched.only is None
    )
    async with aclosing(changes):
        async for _ in changes:
            changed.set()
