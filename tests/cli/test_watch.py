"""Files that are saved."""

from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest

from penstock_cli.watch import Watch


def _written(file: Path) -> None:
    file.write_text("kind: A")


def _renamed_into_place(file: Path) -> None:
    part = file.with_suffix(".part")
    part.write_text("kind: A")
    part.replace(file)


async def _noticed(path: Path, save: Callable[[], None], times: int = 1) -> None:
    async with aclosing(Watch((str(path),)).saves()) as stream:
        for _ in range(times):
            save()
            await anext(stream)


@pytest.mark.parametrize("save", [_written, _renamed_into_place])
async def test_a_file_is_noticed_however_it_is_saved(
    tmp_path: Path, save: Callable[[Path], None]
) -> None:
    file = tmp_path / "a.yaml"
    file.touch()
    await _noticed(file, lambda: save(file), times=2)


async def test_new_files_below_a_folder_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    await _noticed(tmp_path, lambda: _written(tmp_path / "deep" / "new.yml"))


async def test_the_last_file_that_goes_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.touch()
    await _noticed(tmp_path, file.unlink)


async def test_a_save_before_anybody_listens_is_not_lost(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.touch()
    watch = Watch((str(file),))
    _written(file)
    async with aclosing(watch.saves()) as stream:
        await anext(stream)
