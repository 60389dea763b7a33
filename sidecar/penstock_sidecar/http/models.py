"""`GET /v1/models`, and below it one of them: what may be asked for, in OpenAI's shape, or in
Anthropic's for its clients."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from aiohttp import web

from penstock_sidecar.errors import UnknownModel
from penstock_sidecar.http.service import Services
from penstock_sidecar.http.speech import ANTHROPIC, speech_of
from penstock_sidecar.model import JsonObject

PATH: Final = "/v1/models"
BELOW: Final = f"{PATH}/"
MAX_ECHO: Final = 100
"""Characters of an unknown id that are said back."""
CREATED: Final = 0
CREATED_AT: Final = "1970-01-01T00:00:00Z"
"""Clients demand the field; nobody knows when a tier was created."""


@dataclass(frozen=True, slots=True)
class Models:
    """The handlers of the list, and of one entry: models, tiers and `auto`."""

    services: Services

    async def __call__(self, request: web.BaseRequest, call_id: str) -> web.StreamResponse:
        async with self.services() as service:
            listed = _anthropic_list if speech_of(request) is ANTHROPIC else _openai_list
            return _answer(request, call_id, listed(service.models()))

    async def one(self, request: web.BaseRequest, call_id: str) -> web.StreamResponse:
        """By its id, which may hold a `/`. Raises `UnknownModel`."""
        id_ = request.path.removeprefix(BELOW)
        async with self.services() as service:
            owner = dict(service.models()).get(id_)
        if owner is None:
            msg = f"the model `{id_[:MAX_ECHO]}` does not exist or this policy may not use it"
            raise UnknownModel(f"{msg}; GET {PATH} lists those served", param="model")
        entry = _anthropic(id_) if speech_of(request) is ANTHROPIC else _openai(id_, owner)
        return _answer(request, call_id, entry)


def _answer(request: web.BaseRequest, call_id: str, document: JsonObject) -> web.Response:
    return web.Response(
        body=orjson.dumps(document),
        headers={
            "content-type": "application/json",
            **dict.fromkeys(speech_of(request).id_headers, call_id),
            "x-penstock-call-id": call_id,
        },
    )


def _openai_list(models: Sequence[tuple[str, str]]) -> JsonObject:
    return {"object": "list", "data": [_openai(id_, owner) for id_, owner in models]}


def _openai(id_: str, owner: str) -> JsonObject:
    return {"id": id_, "object": "model", "created": CREATED, "owned_by": owner}


def _anthropic_list(models: Sequence[tuple[str, str]]) -> JsonObject:
    """One page that holds all, whatever page was asked for."""
    ids = [id_ for id_, _ in models]
    ends = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    return {"data": [_anthropic(id_) for id_ in ids], "has_more": False, **ends}


def _anthropic(id_: str) -> JsonObject:
    return {
        "type": "model",
        "id": id_,
        "display_name": id_,
        "created_at": CREATED_AT,
        "lifecycle": "active",
    }
