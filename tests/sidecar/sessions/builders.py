"""Requests, callers and shelves for tests of sessions."""

import json
from typing import Any

from penstock_config.policy import Memory
from penstock_sidecar.model import Caller, Reply, Request
from penstock_sidecar.normalise.anthropic import parse_messages
from penstock_sidecar.normalise.ollama import parse_ollama_chat
from penstock_sidecar.normalise.openai import parse_chat
from penstock_sidecar.sessions import Sessions, Shelf
from penstock_sidecar.sessions.sessions import HEADER, Session
from penstock_sidecar.store import Argument, Store, StoreUnavailable

ADA = Caller("team", "shop", "shop-1", "ada")
PLACE = ("c", "team", "team/p")
PARSERS: dict[str, Any] = {
    "openai-chat": parse_chat,
    "anthropic-messages": parse_messages,
    "ollama-chat": parse_ollama_chat,
}


class Away:
    """A Redis that does not answer."""

    async def command(self, *_: Argument) -> object:
        raise StoreUnavailable

    async def script(self, *_: Any) -> object:
        raise StoreUnavailable


class Silent(Reply):
    """A caller who reads, and says nothing."""

    left = False

    def outlast(self, seconds: float | None) -> None:
        """He stays."""

    async def start(self, content_type: str, headers: Any) -> None:
        """He reads it."""

    async def send(self, data: bytes) -> None:
        """He reads it."""

    async def end(self) -> None:
        """He reads it."""


def shelf(store: Store, scope: Any = "App", **memory: Any) -> Shelf:
    return Shelf(Memory(**memory), scope, PLACE, b"secret", store)


def sessions(store: Store | None, scope: Any = "App", **memory: Any) -> Sessions:
    return Sessions(Memory(**memory), shelf(store, scope, **memory) if store else None, None)


def asked(
    *messages: Any, api: str = "openai-chat", session: str | None = "s", **fields: Any
) -> Request:
    """A text alone is the user's."""
    said = [{"role": "user", "content": m} if isinstance(m, str) else m for m in messages]
    fields = {"max_tokens": 64, **fields} if api == "anthropic-messages" else fields
    fields = {"stream": False, **fields}
    body = json.dumps({"model": "m", "messages": said, **fields}).encode()
    headers = {} if session is None else {HEADER: session}
    parsed: Request = PARSERS[api](body, headers, "call-1")
    return parsed


def completion(text: str, finish: str = "stop", **message: Any) -> bytes:
    """An answer of OpenAI's."""
    said = {"role": "assistant", "content": text, **message}
    choices = [{"index": 0, "message": said, "finish_reason": finish}]
    return json.dumps({"id": "1", "object": "chat.completion", "choices": choices}).encode()


async def opened(of: Sessions, request: Request, caller: Caller = ADA) -> Session:
    found = await of.opened(request, caller)
    assert found is not None
    return found


async def answer(session: Session, text: str) -> None:
    """As the model of OpenAI's would."""
    await session.remembering(Silent()).send(completion(text))


async def turn(of: Sessions, text: str, said: str, caller: Caller = ADA, **fields: Any) -> Request:
    """One request and its answer; gives what the model was asked."""
    session = await opened(of, asked(text, **fields), caller)
    await answer(session, said)
    return session.request


def texts(request: Request) -> list[tuple[str, Any]]:
    messages: Any = request.document["messages"]
    return [(each["role"], each["content"]) for each in messages]
