"""The whole agent: a process that reads the made-up NVML and writes to a stand-in API server."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from penstock_operator.ollama.gpus import NodeGpus, decode_gpus
from tests.agent.agent_process import Agent, agent
from tests.agent.nvml_library import GIB, Machine, gpu, machine_with
from tests.cluster.objects import eventually
from tests.operator.cluster.api_server import api_server, status


class Server:
    """Keeps what is applied, as long as it is not told to refuse."""

    def __init__(self) -> None:
        self.refuses = False
        self.requests: list[web.Request] = []
        self.documents: list[dict[str, object]] = []
        self.tries = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.tries += 1
        if self.refuses:
            return status(403, "no right to patch configmaps")
        document = json.loads(await request.text())
        self.requests.append(request)
        self.documents.append(document)
        return web.json_response(document)

    @property
    def latest(self) -> NodeGpus | None:
        data = self.documents[-1]["data"] if self.documents else {}
        assert isinstance(data, dict)
        return decode_gpus(data["gpus.json"]) if data else None


@asynccontextmanager
async def running(
    server: Server, machine: Machine, directory: Path, **settings: str
) -> AsyncIterator[Agent]:
    async with (
        api_server(server.handle, directory) as kubeconfig,
        agent(machine, kubeconfig, directory, settings) as found,
    ):
        yield found


async def test_what_nvml_says_is_applied_by_its_own_manager(
    machine: Machine, tmp_path: Path
) -> None:
    machine.say(machine_with(gpu(0), gpu(1)))
    server = Server()
    settings = {"PENSTOCK_NAMESPACE": "gpus", "PENSTOCK_POD_NAME": "a", "PENSTOCK_POD_UID": "1-2"}
    async with running(server, machine, tmp_path, **settings) as process:

        async def applied() -> bool:
            return server.latest is not None and (await process.ask("/readyz"))[0] == 200

        await eventually(applied)
        assert await process.ask("/healthz") == (200, "ok")
        _, metrics = await process.ask("/metrics")
        assert await process.stop() == 0
    request = server.requests[0]
    assert (request.method, request.path) == (
        "PATCH",
        "/api/v1/namespaces/gpus/configmaps/penstock-gpus-gpu-1.example",
    )
    assert request.query == {"fieldManager": "penstock-agent", "force": "true"}
    assert request.content_type == "application/apply-patch+yaml"
    assert "ownerReferences" in str(server.documents[0]["metadata"])
    assert server.latest is not None
    assert [each.product for each in server.latest.gpus] == ["NVIDIA-L4"] * 2
    assert server.latest.node == "gpu-1.example"
    assert "penstock_agent_up 1.0" in metrics
    assert 'product="NVIDIA-L4"' in metrics
    assert process.events("process.stopped")


async def test_a_model_that_is_loaded_is_told_and_quiet_moments_are_not(
    machine: Machine, tmp_path: Path
) -> None:
    machine.say(machine_with(gpu(0)))
    server = Server()
    async with running(server, machine, tmp_path):

        async def written(used_mib: int) -> bool:
            return server.latest is not None and server.latest.gpus[0].used_mib == used_mib

        await eventually(lambda: written(512))
        machine.say(machine_with(gpu(0, used=5 * GIB)))
        await eventually(lambda: written(512 + 5 * 1024))
        assert len(server.documents) == 2


async def test_a_driver_that_is_loaded_later_needs_no_restart(
    machine: Machine, tmp_path: Path
) -> None:
    server = Server()
    async with running(server, machine, tmp_path) as process:

        async def told(message: str, gpus: int) -> bool:
            latest = server.latest
            return latest is not None and message in latest.message and len(latest.gpus) == gpus

        await eventually(lambda: told("Driver Not Loaded", 0))
        assert await process.ask("/healthz") == (200, "ok")
        assert "penstock_agent_up 0.0" in (await process.ask("/metrics"))[1]
        machine.say(machine_with(gpu(0)))
        await eventually(lambda: told("", 1))
        machine.say({"driver": "!9", "generation": 2})
        await eventually(lambda: told("Driver Not Loaded", 0))
        machine.say(machine_with(gpu(0), generation=3))
        await eventually(lambda: told("", 1))
        assert await process.stop() == 0


async def test_an_nvml_that_hangs_fails_the_liveness_probe_and_not_the_end(
    machine: Machine, tmp_path: Path
) -> None:
    machine.say(machine_with(gpu(0)))
    server = Server()
    async with running(server, machine, tmp_path, PENSTOCK_HANG_SECONDS="0.3") as process:

        async def written() -> bool:
            return server.latest is not None

        await eventually(written)
        machine.say(machine_with(gpu(0), hang=1))

        async def dead() -> str:
            code, text = await process.ask("/healthz")
            return text if code == 503 else ""

        assert (await eventually(dead)).startswith("NVML has not answered for ")
        assert await process.stop() == 0


async def test_refused_writes_are_said_and_tried_again(machine: Machine, tmp_path: Path) -> None:
    machine.say(machine_with(gpu(0)))
    server = Server()
    server.refuses = True
    async with running(server, machine, tmp_path) as process:

        async def failed() -> bool:
            return bool(process.events("inventory.write_failed"))

        await eventually(failed)
        code, text = await process.ask("/readyz")
        assert (code, "no right to patch configmaps" in text) == (503, True)
        server.refuses = False

        async def written() -> bool:
            return server.latest is not None

        await eventually(written)
        assert await process.stop() == 0
    assert len(process.events("inventory.written_again")) == 1
    assert "hush" not in (tmp_path / "agent.log").read_text()
