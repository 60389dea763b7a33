"""Files that are saved."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from penstock_cli.watch import saves


def _written(file: Path) -> None:
    file.write_text("kind: A")


def _renamed_into_place(file: Path) -> None:
    part = file.with_suffix(".part")
    part.write_text("kind: A")
    part.replace(file)


async def _noticed(path: Path, save: Callable[[], None]) -> None:
    """Nobody tells when a watch has begun, so it is saved again until that is noticed."""
    async with aclosing(saves((str(path),))) as stream:
        noticed = asyncio.ensure_future(anext(stream))
        while not noticed.done():
            save()
            await asyncio.wait({noticed}, timeout=0.2)
        await noticed


@pytest.mark.parametrize("save", [_written, _renamed_into_place])
async def test_a_file_is_noticed_however_it_is_saved(
    tmp_path: Path, save: Callable[[Path], None]
) -> None:
    file = tmp_path / "a.yaml"
    file.touch()
    await _noticed(file, lambda: save(file))


async def test_new_files_below_a_folder_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    await _noticed(tmp_path, lambda: _written(tmp_path / "deep" / "new.yml"))


async def test_a_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    async with aclosing(saves((str(tmp_path / "absent" / "a.yaml"),))) as stream:
        with pytest.raises(FileNotFoundError):
            await anext(stream)
