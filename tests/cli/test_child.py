"""Child processes: heard, ended, never left behind."""

import asyncio
import sys

from penstock_cli.child import child, ends_before

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True)"
FOREVER = "import threading; print('up', flush=True); threading.Event().wait()"


async def _ended_after(script: str, stop_seconds: float) -> int | None:
    up = asyncio.Event()
    async with child(
        sys.executable, "-c", script, hear=lambda _: up.set(), stop_seconds=stop_seconds
    ) as process:
        assert not await ends_before(process, up)
    return process.returncode


async def test_both_outputs_are_heard_line_by_line() -> None:
    lines: list[str] = []
    script = "import sys; print('one'); print('two', file=sys.stderr)"
    async with child(sys.executable, "-uc", script, hear=lines.append) as process:
        assert await process.wait() == 0
    assert sorted(lines) == ["one", "two"]


async def test_it_is_asked_to_end() -> None:
    assert await _ended_after(FOREVER, 30) == -15


async def test_it_is_made_to_end_when_it_does_not() -> None:
    script = f"{STUBBORN}; import threading; threading.Event().wait()"
    assert await _ended_after(script, 0.05) == -9


async def test_one_that_ends_by_itself_is_noticed() -> None:
    async with child(sys.executable, "-c", "", hear=lambda _: None) as process:
        assert await ends_before(process, asyncio.Event())


async def test_an_environment_replaces_ours() -> None:
    lines: list[str] = []
    script = "import os; print(os.environ.get('WORD'), os.environ.get('HOME'))"
    async with child(
        sys.executable, "-c", script, hear=lines.append, environment={"WORD": "sesame"}
    ) as process:
        await process.wait()
    assert lines == ["sesame None"]
