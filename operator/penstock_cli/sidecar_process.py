"""A sidecar as a child process: the same program as in a pod, told the same way."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from penstock_cli.child import child, ends_before
from penstock_cli.config_files import ConfigFiles
from penstock_cli.failure import SidecarFailed

LOOPBACK: Final = "127.0.0.1"
STARTED: Final = "sidecar.started"
START_SECONDS: Final = 20
DRAIN_SECONDS: Final = 3
STOP_SECONDS: Final = 6
"""Longer than the drain: SIGKILL is for a sidecar that hangs."""


@dataclass(frozen=True, slots=True)
class SidecarOptions:
    """What differs between sidecars of one machine. Ports of 0 are chosen by the system."""

    namespace: str
    app: str
    name: str
    port: int = 0
    probe_port: int = 0
    admin_port: int = 0


@dataclass(frozen=True, slots=True)
class RunningSidecar:
    """A sidecar that serves, and where."""

    name: str
    process: Process
    port: int
    probe_port: int
    admin_port: int

    @property
    def url(self) -> str:
        """What applications take as OpenAI's base URL."""
        return f"{self.root}/v1"

    @property
    def root(self) -> str:
        """What they take as Anthropic's base URL, and as Ollama's host."""
        return f"http://{LOOPBACK}:{self.port}"


@asynccontextmanager
async def sidecar(
    options: SidecarOptions, files: ConfigFiles, hear: Callable[[str], None]
) -> AsyncIterator[RunningSidecar]:
    """Run it while the block runs; `hear` gets its log. It has read its files when this begins."""
    started = asyncio.Event()
    ports: dict[str, int] = {}

    def listen(line: str) -> None:
        if not started.is_set() and (said := _started(line)):
            ports.update(said)
            started.set()
        hear(line)

    async with child(
        sys.executable,
        "-m",
        "penstock_sidecar",
        hear=listen,
        environment=_environment(options, files),
        stop_seconds=STOP_SECONDS,
    ) as process:
        await _until(started, process)
        yield RunningSidecar(
            options.name, process, ports["application"], ports["probe"], ports["admin"]
        )


def _environment(options: SidecarOptions, files: ConfigFiles) -> dict[str, str]:
    """Ours, without what begins with PENSTOCK_: secrets reach a sidecar by its files alone."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PENSTOCK_")}
    return inherited | {
        "PENSTOCK_CONFIG_DIR": str(files.config_dir),
        "PENSTOCK_CREDENTIALS_DIR": str(files.credentials_dir),
        "PENSTOCK_POD_INFO_DIR": str(files.pod_info_dir),
        "PENSTOCK_NAMESPACE": options.namespace,
        "PENSTOCK_POD_NAME": options.name,
        "PENSTOCK_APP": options.app,
        "PENSTOCK_PORT": str(options.port),
        "PENSTOCK_PROBE_HOST": LOOPBACK,
        "PENSTOCK_PROBE_PORT": str(options.probe_port),
        "PENSTOCK_ADMIN_PORT": str(options.admin_port),
        "PENSTOCK_DRAIN_SECONDS": str(DRAIN_SECONDS),
        "PENSTOCK_LOG_LEVEL": "info",
    }


def _started(line: str) -> dict[str, int] | None:
    """The ports, if this is the line of the log that tells them."""
    if STARTED not in line:
        return None
    said = json.loads(line)
    return {name: int(said[name]) for name in ("application", "probe", "admin")}


async def _until(started: asyncio.Event, process: Process) -> None:
    try:
        async with asyncio.timeout(START_SECONDS):
            if await ends_before(process, started):
                msg = f"a sidecar ended with code {process.returncode} before it served"
                raise SidecarFailed(msg)
    except TimeoutError:
        msg = f"a sidecar did not start within {START_SECONDS} s"
        raise SidecarFailed(msg) from None
