"""What Ollama's clients ask beside words: which models there are, and to change them.

Models are the platform's. Who asks to change one hears who may; who asks to load one hears that it
is there, as Ollama says it, and nothing is loaded: that happens with the first prompt.
"""

import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import orjson
from aiohttp import web

from penstock_config.provider import Capability
from penstock_sidecar.clock import Clock
from penstock_sidecar.dialects.ollama.reply import timestamp
from penstock_sidecar.errors import ModelsUnchangeable, UnknownModel
from penstock_sidecar.http.body import read_body
from penstock_sidecar.http.dispatch import MAX_ECHO, Handler, Routes
from penstock_sidecar.http.service import Service, Services
from penstock_sidecar.model import JsonObject, Reply, Request
from penstock_sidecar.normalise.document import model_of, read_document
from penstock_sidecar.normalise.ollama import asks_to_load
from penstock_sidecar.routing.offers import Offer
from penstock_sidecar.routing.spellings import spellings

API_VERSION: Final = "0.33.0"
"""Of the Ollama whose API this is: clients look here for what they may use."""
MAX_BODY_BYTES: Final = 64 * 1024
"""Of a request for a model's details."""
UNKNOWN_TIME: Final = "1970-01-01T00:00:00Z"
"""Clients demand the field; nobody knows when a tier was made."""
ARCHITECTURE: Final = "penstock"
"""Clients look for `<architecture>.context_length`."""
CAPABILITIES: Final[dict[Capability, str]] = {
    "chat": "completion",
    "tools": "tools",
    "vision": "vision",
    "reasoning": "thinking",
    "embeddings": "embedding",
}
"""Ours in Ollama's words, in its order."""
CHANGES: Final = (
    ("POST", "/api/pull"),
    ("POST", "/api/push"),
    ("POST", "/api/create"),
    ("POST", "/api/copy"),
    ("DELETE", "/api/delete"),
)
BLOBS: Final = (("POST", "/api/blobs/"), ("HEAD", "/api/blobs/"))
"""A digest follows."""
_JSON: Final = "application/json; charset=utf-8"
_NOT_ZERO: Final = re.compile(r"[1-9]|^[^0-9]*$")


def routes(services: Services) -> Routes:
    """All but those that a model serves."""
    return {
        ("GET", "/"): _root,
        ("GET", "/api/version"): _said({"version": API_VERSION}),
        ("GET", "/api/ps"): _said({"models": []}),
        ("GET", "/api/tags"): Tags(services),
        ("POST", "/api/show"): Show(services),
        **dict.fromkeys(CHANGES, refuse_change),
    }


@dataclass(frozen=True, slots=True)
class Tags:
    """The handler of the list."""

    services: Services

    async def __call__(self, _: web.BaseRequest, call_id: str) -> web.StreamResponse:
        async with self.services() as service:
            return _response({"models": [_tag(offer) for offer in service.offers()]}, call_id)


@dataclass(frozen=True, slots=True)
class Show:
    """The handler of one model's details: the little that we know."""

    services: Services

    async def __call__(self, request: web.BaseRequest, call_id: str) -> web.StreamResponse:
        document = read_document(await read_body(request, MAX_BODY_BYTES), "`model`")
        # Go's clients send both, one of them empty; `name` is what it was once called.
        name = model_of({"model": document.get("model") or document.get("name")})
        async with self.services() as service:
            return _response(_details(_offer(service, name)), call_id)


@dataclass(frozen=True, slots=True)
class Loading:
    """`Services` that also answer whoever asks to load a model."""

    services: Services
    clock: Clock

    @contextlib.asynccontextmanager
    async def __call__(self) -> AsyncIterator[Service]:
        async with self.services() as service:
            yield _Loading(service, self.clock)


@dataclass(frozen=True, slots=True)
class _Loading:
    service: Service
    clock: Clock

    async def serve(self, request: Request, reply: Reply) -> None:
        if not asks_to_load(request):
            return await self.service.serve(request, reply)
        _offer(self.service, request.model)
        await reply.start(_JSON, {})
        await reply.send(orjson.dumps(_loaded(request, self.clock.utc())))
        return await reply.end()

    def models(self) -> tuple[tuple[str, str], ...]:
        return self.service.models()

    def offers(self) -> tuple[Offer, ...]:
        return self.service.offers()


async def refuse_change(request: web.BaseRequest, _: str) -> web.StreamResponse:
    raise ModelsUnchangeable(
        f"{request.path[:MAX_ECHO]} is not for callers here: which models there are, the platform"
        " says in its LLMProviders; ask whoever owns them"
    )


async def _root(_: web.BaseRequest, call_id: str) -> web.StreamResponse:
    """What some clients look for before they begin."""
    return web.Response(text="Ollama is running", headers={"x-penstock-call-id": call_id})


def _said(document: JsonObject) -> Handler:
    async def answer(_: web.BaseRequest, call_id: str) -> web.StreamResponse:
        return _response(document, call_id)

    return answer


def _response(document: JsonObject, call_id: str) -> web.Response:
    headers = {"content-type": _JSON, "x-request-id": call_id, "x-penstock-call-id": call_id}
    return web.Response(body=orjson.dumps(document), headers=headers)


def _offer(service: Service, name: str) -> Offer:
    """Raises `UnknownModel`."""
    offers = {offer.name: offer for offer in service.offers()}
    found = next((offers[each] for each in spellings(name) if each in offers), None)
    if found is None:
        raise UnknownModel("this model does not exist, or this policy may not use it")
    return found


def _loaded(request: Request, utc: float) -> JsonObject:
    """In one piece, also where a stream was asked for."""
    match request.api:
        case "ollama-embed":
            return {"model": request.model, "embeddings": []}
        case "ollama-embeddings":
            return {"embedding": []}
        case "ollama-chat":
            said: JsonObject = {"message": {"role": "assistant", "content": ""}}
        case _:
            said = {"response": ""}
    reason = "unload" if _is_zero(request.document.get("keep_alive")) else "load"
    head = {"model": request.model, "created_at": timestamp(utc)}
    return {**head, **said, "done": True, "done_reason": reason}


def _is_zero(duration: object) -> bool:
    """Seconds, or Go's `0s`. Who says so wants the model unloaded."""
    if isinstance(duration, str):
        return not _NOT_ZERO.search(duration)
    return duration == 0 and not isinstance(duration, bool)


def _tag(offer: Offer) -> dict[str, object]:
    """`ollama list` shows the digest's first twelve digits, and falls over where there are none."""
    return {
        "name": offer.name,
        "model": offer.name,
        "modified_at": UNKNOWN_TIME,
        "size": 0,
        "digest": sha256(offer.name.encode()).hexdigest(),
        "details": _model_details(),
        "capabilities": _capabilities(offer),
    }


def _details(offer: Offer) -> dict[str, object]:
    info: dict[str, object] = {
        "general.architecture": ARCHITECTURE,
        "general.basename": offer.name,
    }
    if offer.context_window is not None:
        info[f"{ARCHITECTURE}.context_length"] = offer.context_window
    return {
        "details": _model_details(),
        "model_info": info,
        "capabilities": _capabilities(offer),
        "modified_at": UNKNOWN_TIME,
    }


def _capabilities(offer: Offer) -> list[str]:
    return [name for ours, name in CAPABILITIES.items() if ours in offer.capabilities]


def _model_details() -> dict[str, object]:
    """Of files that are not here."""
    names = ("parent_model", "format", "family", "parameter_size", "quantization_level")
    return {**dict.fromkeys(names, ""), "families": []}
