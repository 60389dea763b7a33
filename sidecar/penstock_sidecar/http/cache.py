"""`DELETE /v1/cache`: takes answers away, of those that the caller could be given.

    ?id=<x-penstock-cache-key>      the answer that was wrong
    ?model=<name>                   all that this model gave
    ?similar=<text>&least=0.9       answers to questions that mean about this
    ?all                            all

Only headers can name a user here: there is no body that could.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Final, Protocol

import orjson
from aiohttp import web

from penstock_sidecar.cache.removal import ById, ByModel, BySimilarity, Everything, Which
from penstock_sidecar.errors import MalformedRequest
from penstock_sidecar.http.asking import bare
from penstock_sidecar.http.dispatch import Routes
from penstock_sidecar.model import Request

PATH: Final = "/v1/cache"
LEAST: Final = 0.9
"""Similarity; a question's own paraphrases are mostly above it."""
WHICH: Final = ("id", "model", "similar", "all")


class Keeper(Protocol):
    """Raises `CacheUnavailable`, and `MalformedRequest` for a text too long to be compared."""

    async def remove_answers(self, request: Request, which: Which) -> int: ...


@dataclass(frozen=True, slots=True)
class KeptAnswers:
    """The handler of `PATH`."""

    keepers: Callable[[], AbstractAsyncContextManager[Keeper]]

    def routes(self) -> Routes:
        return {("DELETE", PATH): self.delete}

    async def delete(self, request: web.BaseRequest, call_id: str) -> web.StreamResponse:
        which = _which(request.query)
        async with self.keepers() as keeper:
            removed = await keeper.remove_answers(bare(request, call_id), which)
        return web.Response(
            body=orjson.dumps({"object": "cache.removal", "removed": removed}),
            content_type="application/json",
            headers={"x-request-id": call_id, "x-penstock-call-id": call_id},
        )


def _which(query: Mapping[str, str]) -> Which:
    """Exactly one must be named: what is removed by mistake is paid for again."""
    named = [name for name in WHICH if name in query]
    if len(named) != 1 or query.keys() - {*WHICH, "least"}:
        raise MalformedRequest(f"name one of {', '.join(WHICH)}: DELETE {PATH}?id=<key>")
    (name,) = named
    value = query[name]
    if name == "all":
        return Everything()
    if not value:
        raise MalformedRequest(f"`{name}` is empty", param=name)
    match name:
        case "id":
            return ById(value)
        case "model":
            return ByModel(value)
        case _:
            return BySimilarity(value, _least(query.get("least")))


def _least(text: str | None) -> float:
    try:
        least = LEAST if text is None else float(text)
    except ValueError:
        least = -1.0
    if not 0 < least <= 1:
        raise MalformedRequest("`least` must be above 0, and 1 at most", param="least")
    return least
