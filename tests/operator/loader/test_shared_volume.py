"""Two replicas of one models volume: they pull one at a time, and delete nothing of each other."""

import os
from pathlib import Path

from penstock_operator.loader.volume import Volume
from tests.fakes.ollama import FakeOllama
from tests.operator.loader.pod import loader_beside, order, script

SMALL, OTHER = "llama3.2:1b", "qwen3:4b"


async def test_what_one_replica_has_pulled_the_other_does_not(tmp_path: Path) -> None:
    said = script(tmp_path, pull_seconds=0.3)
    orders = (order(SMALL), order(OTHER))
    async with FakeOllama(said) as one, FakeOllama(said) as two:
        first = loader_beside(one, tmp_path, *orders)
        second = loader_beside(two, tmp_path, *orders)
        async with first as left, second as right:
            await right.until(lambda p: "another replica" in p.message)
            await left.until_ready()
            progress = await right.until_ready()
            assert progress.message == ""
    pulled = [frozenset(map(str, each.asked("/api/pull"))) for each in (left, right)]
    assert pulled[0] | pulled[1] == {SMALL, OTHER}
    assert not pulled[0] & pulled[1], "though a pull that stalls is begun again"
    assert sorted(left.loads) == sorted(right.loads) == [SMALL, OTHER]


async def test_who_is_told_late_deletes_nothing_that_the_other_was_told_of(tmp_path: Path) -> None:
    said = script(tmp_path)
    late = tmp_path / "late"
    late.mkdir()
    async with FakeOllama(said) as one, FakeOllama(said) as two:
        first = loader_beside(one, tmp_path, order(SMALL))
        second = loader_beside(two, late, order(SMALL))
        async with first as left, second as right:
            await left.until_ready()
            await right.until_ready()
            left.write(order(SMALL), order(OTHER))
            await left.until_state(OTHER, "Ready")
            right.write(order(SMALL), order(OTHER))
            await right.until_state(OTHER, "Ready")
    assert right.asked("/api/delete") == []
    assert right.asked("/api/pull") in ([], [SMALL])


def test_the_volume_is_one_holders_until_he_gives_it_back(tmp_path: Path) -> None:
    one, two = Volume(tmp_path), Volume(tmp_path)
    held = one.take()
    assert held is not None
    assert two.take() is None
    held.release()
    again = two.take()
    assert again is not None
    again.release()


def test_what_is_left_of_old_pulls_is_swept_away_and_nothing_else(tmp_path: Path) -> None:
    blobs = tmp_path / "blobs"
    blobs.mkdir()
    for name in ("sha256-aa", "sha256-bb-partial", "sha256-bb-partial-0", "sha256-cc-partial"):
        (blobs / name).touch()
        os.utime(blobs / name, (1000, 2000 if "cc" in name else 1000))
    Volume(tmp_path).sweep(1000 + 86_400 + 1)
    assert sorted(path.name for path in blobs.iterdir()) == ["sha256-aa", "sha256-cc-partial"]
