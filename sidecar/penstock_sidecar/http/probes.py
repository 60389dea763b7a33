"""4142, for the kubelet and Prometheus: alive, ready, metrics, and nothing else.

Liveness knows neither Redis nor the configuration: a restart would mend neither. Readiness ends
only with draining: a pod without a configuration answers its callers clearly, so it is ready.
"""

from collections.abc import Callable
from dataclasses import dataclass

import orjson
from aiohttp import web

from penstock_sidecar.http.dispatch import Routes
from penstock_sidecar.http.load import Load


@dataclass(frozen=True, slots=True)
class Probes:
    """The handlers of the probe port. `exposition` gives metrics and their content type."""

    load: Load
    exposition: Callable[[], tuple[bytes, str]]

    def routes(self) -> Routes:
        return {
            ("GET", "/healthz"): self.healthz,
            ("GET", "/readyz"): self.readyz,
            ("GET", "/metrics"): self.metrics,
        }

    async def healthz(self, _: web.BaseRequest, _call_id: str) -> web.StreamResponse:
        return json_response({"status": "alive"})

    async def readyz(self, _: web.BaseRequest, _call_id: str) -> web.StreamResponse:
        if self.load.draining:
            return json_response({"status": "draining"}, status=503)
        return json_response({"status": "ready"})

    async def metrics(self, _: web.BaseRequest, _call_id: str) -> web.StreamResponse:
        text, content_type = self.exposition()
        return web.Response(body=text, headers={"content-type": content_type})


def json_response(document: object, *, status: int = 200) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(document),
        headers={"content-type": "application/json"},
    )
