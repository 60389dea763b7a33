"""`penstock demo`: real requests through two sidecars, and the truth about them."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from penstock_cli.demo.chapters import CHAPTERS
from penstock_cli.demo.stage import WINDOW_SECONDS, compile_demo, with_short_windows
from penstock_operator.compile.snapshot import RedisSettings
from tests.cli.running import gone, left_behind, running

URLS = {
    "swift": "http://127.0.0.1:1/v1",
    "sage": "http://127.0.0.1:2/v1",
    "basement": "http://127.0.0.1:3",
}
ONE_THAT_FAILS = """
from penstock_cli.demo import show
from penstock_cli.demo.story import Chapter, expect

async def play(stage):
    expect(False, "the moon is no cheese")

show.CHAPTERS = (Chapter("moon", "Cheese", play),)
raise SystemExit(show.Show(as_json=False, keep=False).run())
"""


@pytest.mark.slow
async def test_every_chapter_comes_true(tmp_path: Path) -> None:
    async with running(tmp_path, "demo", "--json") as demo:
        out, _ = await demo.process.communicate()
        told = json.loads(out)
        failed = {each["name"]: each["failure"] for each in told["chapters"] if not each["ok"]}
        assert (failed, told["ok"], demo.process.returncode) == ({}, True, 0)
    assert [chapter["name"] for chapter in told["chapters"]] == [c.name for c in CHAPTERS]
    assert all(chapter["facts"] and chapter["why"] for chapter in told["chapters"])
    assert left_behind(tmp_path) == []


@pytest.mark.slow
async def test_kept_it_runs_until_it_is_told_to_end(tmp_path: Path) -> None:
    async with running(tmp_path, "demo", "--keep") as demo:
        await demo.says("Kept running")
        handles = demo.children()
        assert len(handles) == 3
        assert await demo.ends(signal.SIGTERM) == 0
        assert gone(handles)


async def test_a_chapter_that_does_not_come_true_ends_with_1() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", ONE_THAT_FAILS), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert process.returncode == 1
    for text in ("the moon is no cheese", "Not as promised: moon", "sidecar.started"):
        assert text in out.decode()


def test_only_the_length_of_a_minute_differs_from_what_the_operator_compiles() -> None:
    compiled = compile_demo(URLS, RedisSettings("redis://127.0.0.1:1/0")).compiled.configs["demo"]
    played = with_short_windows(compiled).model_dump()
    rates = played["policies"][0]["limits"][0]["limits"]
    assert rates["window_seconds"] == WINDOW_SECONDS
    rates["window_seconds"] = 60
    assert played == compiled.model_dump()
