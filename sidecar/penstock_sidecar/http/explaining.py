"""`POST /debug/explain/v1/chat/completions`, and so for each path by which a model is asked: which
way the request would take now. It is read as on the application's port, and sent nowhere.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol

from aiohttp import web

from penstock_sidecar.errors import UnknownPath
from penstock_sidecar.http.asking import by_lower_name
from penstock_sidecar.http.body import read_body
from penstock_sidecar.http.dispatch import Routes
from penstock_sidecar.http.probes import json_response
from penstock_sidecar.model import JsonObject, Request
from penstock_sidecar.normalise.paths import PARSES

PATH: Final = "/debug/explain"


class Explains(Protocol):
    async def explained(self, request: Request) -> JsonObject: ...


@dataclass(frozen=True, slots=True)
class Explaining:
    """The handler of paths below `PATH`."""

    explainers: Callable[[], AbstractAsyncContextManager[Explains]]
    max_body_bytes: int

    def routes(self) -> Routes:
        return {("POST", PATH): self.explain}

    async def explain(self, request: web.BaseRequest, call_id: str) -> web.StreamResponse:
        parse = PARSES.get(request.path.removeprefix(PATH))
        if parse is None:
            paths = ", ".join(PATH + path for path in PARSES)
            raise UnknownPath(f"Say which API the request is for: POST one of {paths}")
        body = await read_body(request, self.max_body_bytes)
        asked = parse(body, by_lower_name(request.headers), call_id)
        async with self.explainers() as explains:
            return json_response(await explains.explained(asked))
