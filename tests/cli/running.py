"""`penstock` as a process of its own, for commands that run until they are told to end."""

import asyncio
import os
import re
import select
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

END_SECONDS = 30


class Running:
    """Its standard output is read as it comes; `err` is a file."""

    def __init__(self, process: Process, err: Path) -> None:
        self.process = process
        self._err = err
        self.out = ""

    async def says(self, pattern: str) -> re.Match[str]:
        """The first match in what it says from now on."""
        assert self.process.stdout
        begin = len(self.out)
        while not (found := re.search(pattern, self.out[begin:])):
            line = await self.process.stdout.readline()
            assert line, f"it ended and never said {pattern!r}: {self.out}{self.err}"
            self.out += line.decode()
        return found

    @property
    def err(self) -> str:
        return self._err.read_text()

    def children(self) -> dict[int, int]:
        """A handle (pidfd) of every child process, by its id."""
        pid = self.process.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return {int(child): os.pidfd_open(int(child)) for child in listed}

    async def ends(self, number: signal.Signals) -> int:
        """Its exit code after the signal."""
        self.process.send_signal(number)
        async with asyncio.timeout(END_SECONDS):
            rest, _ = await self.process.communicate()
        self.out += rest.decode()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def running(
    folder: Path, *arguments: object, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """Run it in `folder`, which also becomes its place for temporary files."""
    err = folder / "stderr.txt"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}
    with err.open("wb") as stream:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "penstock_cli", *map(str, arguments)),
            stdout=PIPE,
            stderr=stream,
            cwd=folder,
            env={**inherited, "TMPDIR": str(folder), "COLUMNS": "200", **(environment or {})},
        )
    try:
        yield Running(process, err)
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


def gone(handles: Mapping[int, int]) -> bool:
    """Waits until every process has ended; closes the handles."""
    waiting = set(handles.values())
    try:
        while waiting:
            ended = select.select(list(waiting), [], [], END_SECONDS)[0]
            if not ended:
                return False
            waiting -= set(ended)
        return True
    finally:
        for handle in handles.values():
            os.close(handle)


def left_behind(folder: Path) -> list[Path]:
    """Temporary files of ours that are still there."""
    return list(folder.glob("penstock-*"))
