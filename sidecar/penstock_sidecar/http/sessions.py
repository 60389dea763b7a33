"""`DELETE /v1/sessions/{id}`: erases what is remembered of a conversation, for who has it.

Only headers can name a user here: there is no body that could.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import unquote

from aiohttp import web

from penstock_sidecar.errors import UnknownPath
from penstock_sidecar.http.asking import bare
from penstock_sidecar.http.dispatch import Routes
from penstock_sidecar.model import Request

PATH: Final = "/v1/sessions/"


class Keeper(Protocol):
    """Raises `SessionNotFound` and `SessionsUnavailable`."""

    async def forget_session(self, request: Request, name: str) -> None: ...


@dataclass(frozen=True, slots=True)
class KeptSessions:
    """The handler of paths below `PATH`."""

    keepers: Callable[[], AbstractAsyncContextManager[Keeper]]

    def routes(self) -> Routes:
        return {("DELETE", PATH): self.delete}

    async def delete(self, request: web.BaseRequest, call_id: str) -> web.StreamResponse:
        """The name may hold what a path cannot, percent-encoded."""
        name = unquote(request.rel_url.raw_path.removeprefix(PATH))
        if not name:
            raise UnknownPath("Name the session: DELETE /v1/sessions/<id>")
        async with self.keepers() as keeper:
            await keeper.forget_session(bare(request, call_id), name)
        return web.Response(
            status=204, headers={"x-request-id": call_id, "x-penstock-call-id": call_id}
        )
