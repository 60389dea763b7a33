"""`POST /v1/feedback`: what people thought of an answer, for the scores by which models are chosen.

No free text: nobody's words are taken, so nobody's words are kept.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol

import orjson
from aiohttp import web

from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.feedback import KINDS
from penstock_sidecar.http.body import read_body
from penstock_sidecar.http.dispatch import Routes
from penstock_sidecar.normalise.document import read_document
from penstock_sidecar.routing.scores import Kind

PATH: Final = "/v1/feedback"
MAX_BODY_BYTES: Final = 4096
FIELDS: Final = frozenset({"call_id", "kind", "score"})


class Listener(Protocol):
    """Raises `UnknownCall`."""

    def feedback(self, call_id: str, kind: Kind, strength: float) -> None: ...


@dataclass(frozen=True, slots=True)
class FeedbackTaken:
    """The handler."""

    listeners: Callable[[], AbstractAsyncContextManager[Listener]]

    def routes(self) -> Routes:
        return {("POST", PATH): self.post}

    async def post(self, request: web.BaseRequest, call_id: str) -> web.StreamResponse:
        document = read_document(await read_body(request, MAX_BODY_BYTES), "`call_id` and `kind`")
        if unknown := sorted(set(document) - FIELDS):
            raise MalformedRequest(
                f"only {', '.join(f'`{name}`' for name in sorted(FIELDS))} are taken, and no text",
                param=unknown[0][:64],
            )
        told, kind = _call_id(document), _kind(document)
        score = _score(document)
        async with self.listeners() as listener:
            listener.feedback(told, kind, score)
        return web.Response(
            body=orjson.dumps({"object": "feedback", "call_id": told, "kind": kind}),
            headers={"content-type": "application/json", "x-penstock-call-id": call_id},
        )


def _call_id(document: Mapping[str, object]) -> str:
    found = document.get("call_id")
    if not isinstance(found, str) or not found:
        raise MalformedRequest(
            "`call_id` is missing: send the `x-penstock-call-id` of the answer", param="call_id"
        )
    return found


def _kind(document: Mapping[str, object]) -> Kind:
    said = document.get("kind")
    kind = next((kind for kind in KINDS if kind == said), None)
    if kind is None:
        raise MalformedRequest(f"`kind` must be one of {', '.join(KINDS)}", param="kind")
    return kind


def _score(document: Mapping[str, object]) -> float:
    """How strongly it holds."""
    match document.get("score"):
        case None:
            return 1.0
        case int() | float() as score if not isinstance(score, bool) and 0 <= score <= 1:
            return float(score)
        case _:
            raise MalformedRequest("`score` must be a number from 0 to 1", param="score")
