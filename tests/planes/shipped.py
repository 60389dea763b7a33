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
async def running(folder: Path, **more: str) -> AsyncIterator[tuple[Process, Ports]]:
    """For one test; its folder and `more` are `environment`'s."""
    env = environment(folder, **more)
    process = await asyncio.create_subprocess_exec(*COMMAND, env=env, stdout=PIPE)
    try:
        assert process.stdout
        said: dict[str, Any] = {}
        while said.get("event") != "sidecar.started":
            said = json.loads(await process.stdout.readline())
        reading = asyncio.create_task(process.stdout.read())  # a full pipe would stop it
        try:
            yield process, Ports(said["application"], said["probe"], said["admin"])
        finally:
            reading.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
