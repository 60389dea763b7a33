"""The sidecar as it ships: a process of its own, on the loop that it uses in a pod."""

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from penstock_sidecar.app import Ports

COMMAND = (sys.executable, "-P", "-m", "penstock_sidecar")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Its folder holds what it reads; `more` are settings, such as `POD_NAME`."""
    settings = {
        "CONFIG_DIR": str(folder),
        "CREDENTIALS_DIR": str(folder),
        "POD_INFO_DIR": str(folder),
        "NAMESPACE": "team",
        "PORT": "0",
        "PROBE_HOST": "127.0.0.1",
        "PROBE_PORT": "0",
        "ADMIN_PORT": "0",
        **more,
    }
    return os.environ | {f"PENSTOCK_{name}": value for name, value in settings.items()}


@contextlib.asynccontextmanager
async def running(
    folder: Path, code: Path | None = None, said: list[bytes] | None = None, **more: str
) -> AsyncIterator[tuple[Process, Ports]]:
    """For one test; its folder and `more` are `environment`'s.

    `code` holds packages to run instead of the installed ones; `said` gets its log's lines.
    """
    env = environment(folder, **more)
    if code:
        env["PYTHONPATH"] = str(code)
    process = await asyncio.create_subprocess_exec(*COMMAND, env=env, stdout=PIPE)
    try:
        assert process.stdout
        first: dict[str, Any] = {}
        while first.get("event") != "sidecar.started":
            first = json.loads(await process.stdout.readline())
        reading = asyncio.create_task(_read(process.stdout, [] if said is None else said))
        try:
            yield process, Ports(first["application"], first["probe"], first["admin"])
        finally:
            reading.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _read(log: asyncio.StreamReader, lines: list[bytes]) -> None:
    """All of it: a full pipe would stop the process."""
    while line := await log.readline():
        lines.append(line)
