"""`GET /v1/models`: what may be asked for, in OpenAI's shape, or in Anthropic's for its clients."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from aiohttp import web

from penstock_sidecar.http.service import Services
from penstock_sidecar.http.speech import ANTHROPIC, speech_of
from penstock_sidecar.model import JsonObject

CREATED: Final = 0
CREATED_AT: Final = "1970-01-01T00:00:00Z"
"""Clients demand the field; nobody knows when a tier was created."""


@dataclass(frozen=True, slots=True)
class Models:
    """The handler of the list: models, tiers and `auto`."""

    services: Services

    async def __call__(self, request: web.BaseRequest, call_id: str) -> web.StreamResponse:
        speech = speech_of(request)
        async with self.services() as service:
            listed = _anthropic if speech is ANTHROPIC else _openai
            document = listed(service.models())
        return web.Response(
            body=orjson.dumps(document),
            headers={
                "content-type": "application/json",
                **dict.fromkeys(speech.id_headers, call_id),
                "x-penstock-call-id": call_id,
            },
        )


def _openai(models: Sequence[tuple[str, str]]) -> JsonObject:
    entries = [
        {"id": id_, "object": "model", "created": CREATED, "owned_by": owner}
        for id_, owner in models
    ]
    return {"object": "list", "data": entries}


def _anthropic(models: Sequence[tuple[str, str]]) -> JsonObject:
    """One page that holds all, whatever page was asked for."""
    ids = [id_ for id_, _ in models]
    entries = [
        {
            "type": "model",
            "id": id_,
            "display_name": id_,
            "created_at": CREATED_AT,
            "lifecycle": "active",
        }
        for id_ in ids
    ]
    ends = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    return {"data": entries, "has_more": False, **ends}
