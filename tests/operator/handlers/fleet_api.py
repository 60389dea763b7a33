"""Stand-ins for the fleet: an API server that keeps what it is given, and a loader that says what
it is told to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aiohttp import web

from penstock_operator.cluster import Cluster, connect
from penstock_operator.ollama.names import PROVIDER_LABEL
from penstock_operator.ollama.progress import ModelProgress, Progress
from tests.operator.cluster.api_server import api_server, status

Body = dict[str, Any]
STORED = (
    *("deployments", "services", "configmaps", "networkpolicies"),
    *("poddisruptionbudgets", "persistentvolumeclaims"),
)


@dataclass
class FleetApi:
    """Objects by plural and name; statuses of providers by name, as they were applied last."""

    objects: dict[tuple[str, str], Body] = field(default_factory=dict)
    nodes: dict[str, Body] = field(default_factory=dict)
    pods: dict[str, Body] = field(default_factory=dict)
    statuses: dict[str, Body] = field(default_factory=dict)
    events: list[Body] = field(default_factory=list)
    managers: set[str] = field(default_factory=set)
    writes: list[str] = field(default_factory=list)
    refuses: dict[tuple[str, str], int] = field(default_factory=dict)
    """HTTP status by method and plural."""
    minor: str = "36"
    """Of the server's version 1."""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        parts = _parts(request.path)
        if code := self.refuses.get((request.method, parts[0])):
            return status(code, "as the test wants it")
        body = await request.json() if request.can_read_body else {}
        found = self._answer(request, parts, body)
        return status(404, request.path) if found is None else web.json_response(found)

    def _answer(self, request: web.Request, parts: list[str], body: Body) -> Body | None:
        match request.method, parts:
            case "GET", _:
                return self._get(parts, request.query.get("labelSelector", ""))
            case "PATCH", ["llmproviders", name, "status"]:
                self.managers.add(request.query["fieldManager"])
                self.writes.append(f"status {name}")
                self.statuses[name] = body["status"]
            case "PATCH", [plural, name] if plural in STORED:
                self.writes.append(f"{plural} {name}")
                self.objects[plural, name] = body
            case "DELETE", [plural, name]:
                return self._delete(plural, name)
            case "POST", ["events"]:
                self.events.append(body)
            case _:
                return None
        return body

    def _get(self, parts: list[str], labels: str) -> Body | None:
        match parts:
            case ["version"]:
                return {"major": "1", "minor": self.minor}
            case [plural]:
                return self._list(plural, labels)
            case _:
                return self.objects.get((parts[0], parts[1]))

    def _delete(self, plural: str, name: str) -> Body | None:
        if (plural, name) not in self.objects:
            return None
        if plural == "deployments":
            self.pods = {key: pod for key, pod in self.pods.items() if _group(pod) != name}
        self.writes.append(f"delete {plural} {name}")
        return self.objects.pop((plural, name))

    def _list(self, plural: str, labels: str) -> Body:
        if plural == "nodes":
            found = [*self.nodes.values()]
        elif plural == "pods":
            found = [*self.pods.values()] if labels == PROVIDER_LABEL else []
        else:
            found = [body for (kind, _), body in self.objects.items() if kind == plural]
            found = [b for b in found if labels in (b["metadata"].get("labels") or {})]
        return {"items": found, "metadata": {}}

    def names(self, plural: str) -> list[str]:
        return sorted(name for kind, name in self.objects if kind == plural)

    def reasons(self) -> list[str]:
        return [event["reason"] for event in self.events]

    def add_node(self, name: str, memory: int = 24_000, count: int = 1) -> None:
        labels = {"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.memory": str(memory)}
        self.nodes[name] = {
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}},
            "spec": {},
            "status": {
                "allocatable": {"nvidia.com/gpu": str(count)},
                "conditions": [{"type": "Ready", "status": "True"}],
            },
        }

    def kill_node(self, name: str) -> None:
        self.nodes[name]["status"]["conditions"][0]["status"] = "Unknown"

    def run_pods(self, *, ready: bool = True) -> None:
        """As the controllers, the scheduler and the kubelets would."""
        self.pods.clear()
        for (kind, name), body in self.objects.items():
            if kind == "deployments" and body["spec"]["replicas"]:
                self.pods[f"{name}-0"] = self._pod(f"{name}-0", body, ready=ready)

    def _pod(self, name: str, of: Body, *, ready: bool) -> Body:
        template = of["spec"]["template"]
        affinity = template["spec"].get("affinity", {}).get("nodeAffinity", {})
        terms = next(iter(affinity.values()))["nodeSelectorTerms"] if affinity else []
        hosts = [e["values"] for t in terms for e in t["matchExpressions"] if e["operator"] == "In"]
        meta = {"name": name, "namespace": "llm", "uid": f"uid-{name}"}
        bound = {"podIP": "127.0.0.1"} if hosts else {}
        said = "True" if ready and hosts else "False"
        return {
            "metadata": meta | {"labels": template["metadata"]["labels"]},
            "spec": {"containers": template["spec"]["containers"]}
            | ({"nodeName": hosts[0][0]} if hosts else {}),
            "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": said}]}
            | bound,
        }


def _parts(path: str) -> list[str]:
    """Plural, name and subresource of what is asked for."""
    match path.strip("/").split("/"):
        case ["api", _, "namespaces", _, *rest] | ["apis", _, _, "namespaces", _, *rest]:
            return rest
        case ["api", _, *rest] | ["apis", _, _, *rest]:
            return rest
        case rest:
            return rest


def _group(pod: Body) -> str:
    found: str = pod["metadata"]["labels"]["penstock.dev/placement-group"]
    return found


@asynccontextmanager
async def served(api: FleetApi, directory: Path) -> AsyncIterator[Cluster]:
    async with api_server(api.answer, directory) as kubeconfig, connect(kubeconfig) as cluster:
        yield cluster


@dataclass
class FakeLoader:
    """Of all pods, at one port."""

    progress: Progress = field(default_factory=lambda: Progress(ready=False))
    asked: int = 0
    port: int = 0
    _runner: web.AppRunner | None = None

    def says(self, *models: ModelProgress) -> None:
        ready = all(model.state in {"Ready", "Idle"} for model in models)
        self.progress = Progress(ready=ready, models=models)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/progress", self._answer)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()

    async def _answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(text=self.progress.model_dump_json(by_alias=True))
