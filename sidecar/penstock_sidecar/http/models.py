"""`GET /v1/models`: what may be asked for, in OpenAI's shape."""

from dataclasses import dataclass
from typing import Final

import orjson
from aiohttp import web

from penstock_sidecar.http.service import Services

CREATED: Final = 0
"""Clients demand the field; nobody knows when a tier was created."""


@dataclass(frozen=True, slots=True)
class Models:
    """The handler of the list: models, tiers and `auto`."""

    services: Services

    async def __call__(self, _: web.BaseRequest, call_id: str) -> web.StreamResponse:
        async with self.services() as service:
            entries = [
                {"id": id_, "object": "model", "created": CREATED, "owned_by": owner}
                for id_, owner in service.models()
            ]
        return web.Response(
            body=orjson.dumps({"object": "list", "data": entries}),
            headers={
                "content-type": "application/json",
                "x-request-id": call_id,
                "x-penstock-call-id": call_id,
            },
        )
