"""A pod's life as a kubelet lives it, with real processes: what the injector wrote is what runs.

Native (KEP-753): the sidecar starts first, others once its startup probe succeeds; at the end
preStop runs at once, others get their signal at once, and the sidecar its own once they are gone.
Container: the next starts once postStart is over; every container gets its signal at once, the
sidecar once its preStop is over.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from penstock_operator.injection.template import Mode
from tests.operator.injection.pods import app, env_of, injected, pod, sidecar_of
from tests.ports import free_port
from tests.sidecar.http.edge import exchange, head

PYTHON: Final = (sys.executable, "-P")
PROGRAM: Final = {"penstock-sidecar": (*PYTHON, "-m", "penstock_sidecar")}
POLL_SECONDS: Final = 0.02
PORTS: Final = ("port", "probe-port", "admin-port")


@dataclass(slots=True)
class PodLife:
    """One pod: its sidecar and one app, whose `script` has its environment, and as an argument the
    admin port."""

    document: dict[str, Any]
    mode: Mode
    folder: Path
    script: str
    sidecar: Process = field(init=False)
    app: Process = field(init=False)

    async def start(self) -> None:
        self.sidecar = await self._run(PROGRAM["penstock-sidecar"], self._sidecar_environment())
        if self.mode == "native":
            await self._started()
        else:
            hook = await self._hook("postStart")
            assert await hook.wait() == 0
        env = env_of(self.document["spec"]["containers"][-1])
        admin_port = env_of(sidecar_of(self.document))["PENSTOCK_ADMIN_PORT"]
        command = (*PYTHON, "-u", "-c", self.script, str(admin_port))
        self.app = await self._run(command, env, stdout=PIPE)

    async def end(self) -> None:
        """SIGTERM to all, in the mode's order; returns when the last has gone."""
        hook = await self._hook("preStop")
        with contextlib.suppress(ProcessLookupError):
            self.app.terminate()
        if self.mode == "native":
            await self.app.wait()
        assert await hook.wait() == 0
        assert self.sidecar.returncode is None, "a drain does not end it"
        self.sidecar.send_signal(signal.SIGTERM)
        await self.sidecar.wait()

    async def readiness(self) -> int:
        return (await exchange(self._probe()["port"], head("GET", self._probe()["path"]))).status

    async def say(self) -> str:
        """The app's next line."""
        assert self.app.stdout
        return (await self.app.stdout.readline()).decode().strip()

    async def kill(self) -> None:
        for process in (self.sidecar, self.app):
            with contextlib.suppress(ProcessLookupError, AttributeError):
                process.kill()
                await process.communicate()

    async def _started(self) -> None:
        while True:
            with contextlib.suppress(ConnectionError):
                if await self.readiness() == 200:
                    return
            await asyncio.sleep(POLL_SECONDS)

    def _probe(self) -> dict[str, Any]:
        found: dict[str, Any] = sidecar_of(self.document)["startupProbe"]["httpGet"]
        return found

    async def _hook(self, name: str) -> Process:
        program, *arguments = sidecar_of(self.document)["lifecycle"][name]["exec"]["command"]
        return await self._run((*PROGRAM[program], *arguments), self._sidecar_environment())

    def _sidecar_environment(self) -> dict[str, str | None]:
        """As the container's, with this machine's folders for its mounts."""
        folders = ("CONFIG_DIR", "CREDENTIALS_DIR", "POD_INFO_DIR", "JOURNAL_DIR")
        return {
            **env_of(sidecar_of(self.document)),
            **{f"PENSTOCK_{name}": str(self.folder) for name in folders},
            "PENSTOCK_NAMESPACE": "team",
            "PENSTOCK_POD_NAME": "shop-1",
            "PENSTOCK_POD_UID": "u-1",
        }

    async def _run(
        self, command: Sequence[str], environment: dict[str, str | None], **options: Any
    ) -> Process:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PENSTOCK_", "OPENAI_"))}
        given = {name: value for name, value in environment.items() if value is not None}
        options = {"stdout": asyncio.subprocess.DEVNULL, **options}
        return await asyncio.create_subprocess_exec(*command, env=clean | given, **options)


@contextlib.asynccontextmanager
async def living(mode: Mode, folder: Path, script: str, **spec: Any) -> AsyncIterator[PodLife]:
    """A pod that has started, on ports that were free."""
    annotations = {f"penstock.dev/{name}": str(free_port()) for name in PORTS}
    labels = {"penstock.dev/inject": "true"}
    asked = pod(app(), meta={"annotations": annotations, "labels": labels}, **spec)
    life = PodLife(injected(asked, mode), mode, folder, script)
    try:
        async with asyncio.timeout(60):
            await life.start()
        yield life
    finally:
        await life.kill()
