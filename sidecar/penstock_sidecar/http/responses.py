"""`GET` and `DELETE /v1/responses/{id}`: what is kept of a response, for who may go on from it.

Only headers can name a user here: there is no body that could.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol

import orjson
from aiohttp import web

from penstock_sidecar.errors import MalformedRequest, UnknownPath
from penstock_sidecar.http.asking import bare
from penstock_sidecar.http.dispatch import Routes
from penstock_sidecar.model import JsonObject, Request

PATH: Final = "/v1/responses/"


class Keeper(Protocol):
    """Raises `ResponseNotFound` and `ResponsesUnavailable`."""

    async def kept_response(self, request: Request, response_id: str) -> JsonObject: ...

    async def forget_response(self, request: Request, response_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class KeptResponses:
    """Handlers of paths below `PATH`."""

    keepers: Callable[[], AbstractAsyncContextManager[Keeper]]

    def routes(self) -> Routes:
        return {("GET", PATH): self.get, ("DELETE", PATH): self.delete}

    async def get(self, request: web.BaseRequest, call_id: str) -> web.StreamResponse:
        if request.query.get("stream", "false") != "false":
            raise MalformedRequest(
                "`stream` is not served here: what is kept is whole", param="stream"
            )
        async with self.keepers() as keeper:
            response = await keeper.kept_response(
                bare(request, call_id, "openai-responses"), _id(request)
            )
        return _answer(response, call_id)

    async def delete(self, request: web.BaseRequest, call_id: str) -> web.StreamResponse:
        id_ = _id(request)
        async with self.keepers() as keeper:
            await keeper.forget_response(bare(request, call_id, "openai-responses"), id_)
        return _answer({"id": id_, "object": "response", "deleted": True}, call_id)


def _answer(document: JsonObject, call_id: str) -> web.Response:
    return web.Response(
        body=orjson.dumps(document),
        headers={
            "content-type": "application/json",
            "x-request-id": call_id,
            "x-penstock-call-id": call_id,
        },
    )


def _id(request: web.BaseRequest) -> str:
    id_ = request.path.removeprefix(PATH)
    if not id_ or "/" in id_:
        raise UnknownPath("Only the response itself is served here, not what lies below it")
    return id_
