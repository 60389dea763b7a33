"""The agent as a process of its own, over the made-up NVML."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.agent.nvml_library import Machine
from tests.cluster.objects import eventually


class Agent:
    """A started `python -m penstock_agent`."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self._log = log

    def events(self, name: str) -> list[dict[str, Any]]:
        """Log lines of that event."""
        lines = [json.loads(line) for line in self._log.read_text().splitlines()]
        return [line for line in lines if line["event"] == name]

    async def port(self) -> int:
        async def started() -> list[dict[str, Any]]:
            return self.events("agent.started")

        return int((await eventually(started))[0]["port"])

    async def ask(self, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{await self.port()}{path}"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return answer.status, await answer.text()

    async def stop(self) -> int:
        self.process.terminate()
        async with asyncio.timeout(15):
            return await self.process.wait()


@asynccontextmanager
async def agent(
    machine: Machine, kubeconfig: Path, directory: Path, settings: Mapping[str, str]
) -> AsyncIterator[Agent]:
    """Reads ten times a second."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}
    given = {
        "PENSTOCK_KUBECONFIG": str(kubeconfig),
        "PENSTOCK_NODE_NAME": "gpu-1.example",
        "PENSTOCK_PERIOD_SECONDS": "0.1",
        "PENSTOCK_PROBE_HOST": "127.0.0.1",
        "PENSTOCK_PROBE_PORT": "0",
        **settings,
    }
    log = directory / "agent.log"
    with log.open("w") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "penstock_agent"),
            env=kept | machine.environment | given,
            stdout=output,
            stderr=output,
        )
    try:
        yield Agent(process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
