"""A server under measurement: started, waited for, weighed, ended."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 120
"""LiteLLM takes half a minute on a slow machine."""

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A running process and where it listens on 127.0.0.1."""

    pid: int
    port: int

    def rss_mib(self) -> float:
        """Resident memory of the process and all it started, in MiB."""
        return sum(_rss_kib(pid) for pid in [self.pid, *_descendants(self.pid)]) / 1024

    def cpu_seconds(self) -> float:
        """Processor time of the process and all it started, so far."""
        return sum(_cpu_ticks(pid) for pid in [self.pid, *_descendants(self.pid)]) / TICKS


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pinned(command: Sequence[str], core: int | None) -> list[str]:
    """`command` on one core, where the machine has taskset and a core to spare."""
    if core is None or not shutil.which("taskset") or (os.cpu_count() or 1) < 2:
        return list(command)
    return ["taskset", "-c", str(core), *command]


@contextlib.asynccontextmanager
async def running(
    command: Sequence[str],
    port: int,
    *,
    core: int | None = None,
    env: Mapping[str, str] | None = None,
) -> AsyncIterator[Server]:
    """The server while the block lasts, answering on `port` when it begins."""
    process = await asyncio.create_subprocess_exec(
        *pinned(command, core),
        env={**os.environ, **(env or {})},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            await _listening(process, port)
        yield Server(process.pid, port)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _listening(process: asyncio.subprocess.Process, port: int) -> None:
    while True:
        if process.returncode is not None:
            msg = f"exited with {process.returncode} before it listened on port {port}"
            raise RuntimeError(msg)
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return


def _cpu_ticks(pid: int) -> int:
    """utime and stime of proc(5); the name before them may hold spaces."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except FileNotFoundError:
        return 0
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def _rss_kib(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return 0
    return next((int(x.split()[1]) for x in status.splitlines() if x.startswith("VmRSS")), 0)


def _descendants(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    except OSError:
        return []
    children = [int(child) for child in text.split()]
    return children + [d for child in children for d in _descendants(child)]
