"""A stand-in for the API server that keeps whole objects, each with its version."""

from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.operator.cluster.api_server import status, stream


@dataclass
class ObjectStore:
    """`answers` are for a method and path in place of what would be answered."""

    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    answers: dict[tuple[str, str], int] = field(default_factory=dict)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        call = (request.method, request.path)
        if request.query.get("watch"):
            return await stream(request)
        self.requests.append(call)
        if code := self.answers.get(call):
            return status(code, "as the test says")
        if request.method == "GET":
            return self._read(request)
        return self._write(request, await request.json())

    def _read(self, request: web.Request) -> web.StreamResponse:
        if "fieldSelector" in request.query:
            return web.json_response({"metadata": {"resourceVersion": "1"}, "items": []})
        found = self.objects.get(request.path)
        return web.json_response(found) if found else status(404, "none")

    def _write(self, request: web.Request, sent: dict[str, Any]) -> web.StreamResponse:
        name = f"/{sent['metadata']['name']}" if request.method == "POST" else ""
        path = request.path + name
        there = self.objects.get(path, {"metadata": {}})
        if there["metadata"].get("resourceVersion") != sent["metadata"].get("resourceVersion"):
            return status(409, "too late")
        version = int(there["metadata"].get("resourceVersion", "0")) + 1
        metadata = {**sent["metadata"], "resourceVersion": str(version)}
        self.objects[path] = {**sent, "metadata": metadata}
        return web.json_response(self.objects[path])
