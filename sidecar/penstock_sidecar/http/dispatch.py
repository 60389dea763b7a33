"""Which handler answers: one look into a dict of (method, path)."""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiohttp import web

from penstock_sidecar.errors import MethodNotAllowed, UnknownPath
from penstock_sidecar.http import problem
from penstock_sidecar.http.service import Refusals
from penstock_sidecar.http.speech import speech_of

Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]
"""Answers a request; the string is its call id."""
Routes = Mapping[tuple[str, str], Handler]
Guard = Callable[[web.BaseRequest], None]
"""Raises a `SidecarError` for a request that must not be served."""

CALL_ID_BYTES: Final = 16
MAX_ECHO: Final = 100
"""Characters of an unknown path that are said back."""


def new_call_id() -> str:
    """32 hex digits."""
    return secrets.token_hex(CALL_ID_BYTES)


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """One port's requests. Every error that a handler lets through becomes an answer here."""

    routes: Routes
    guards: tuple[Guard, ...]
    refusals: Refusals
    below: Routes = field(default_factory=dict)
    """By how a path begins, where no route is its own."""

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        call_id = new_call_id()
        try:
            for guard in self.guards:
                guard(request)
            handler = self.routes.get((request.method, request.path)) or self._below(request)
            return await (handler or self._other(request))(request, call_id)
        except ConnectionResetError:
            raise  # the caller has left; aiohttp ends the connection
        except Exception as caught:  # noqa: BLE001  # the caller hears it, the log by `public`
            error = problem.public(caught, call_id)
            self.refusals.error_answered(error.error_type)
            return problem.response(error, call_id, speech_of(request))

    def _below(self, request: web.BaseRequest) -> Handler | None:
        return next(
            (
                handler
                for (method, beginning), handler in self.below.items()
                if request.method == method and request.path.startswith(beginning)
            ),
            None,
        )

    def _other(self, request: web.BaseRequest) -> Handler:
        """HEAD and OPTIONS of what is served; else says what would have been right."""
        allowed = sorted(method for method, path in self.routes if path == request.path)
        if not allowed:
            served = ", ".join(f"{method} {path}" for method, path in sorted(self.routes))
            echo = request.path[:MAX_ECHO]
            hint = _nearest(echo, [path for _, path in self.routes])
            raise UnknownPath(f"{echo} is not served here{hint}; served: {served}")
        if request.method == "HEAD" and "GET" in allowed:
            return self.routes["GET", request.path]
        allow = ", ".join([*allowed, *(["HEAD"] if "GET" in allowed else []), "OPTIONS"])
        if request.method == "OPTIONS":
            return _options(allow)
        error = MethodNotAllowed(f"{request.path} takes {allow}")
        error.headers = {"allow": allow}
        raise error


def _nearest(asked: str, paths: Sequence[str]) -> str:
    """What a client with a wrong base URL was after: the same end under another beginning."""
    wanted = asked.rstrip("/")
    ends = (path for path in paths if path != "/" and _same_end(wanted, path))
    nearest = min(ends, key=lambda path: abs(len(path) - len(wanted)), default=None)
    return f": set the client's base URL so that it asks for {nearest}" if nearest else ""


def _same_end(asked: str, path: str) -> bool:
    return len(asked) > 1 and (asked.endswith(path) or path.endswith(asked))


def _options(allow: str) -> Handler:
    """Without any CORS header: no other origin is allowed."""

    async def answer(_: web.BaseRequest, call_id: str) -> web.StreamResponse:
        return web.Response(status=204, headers={"allow": allow, "x-penstock-call-id": call_id})

    return answer
