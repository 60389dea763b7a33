"""Asks a sidecar as an application would, over HTTP, and keeps what it was told."""

import json
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import aiohttp


@dataclass(frozen=True, slots=True)
class Told:
    """One answer. `seconds` is how long it took to come whole."""

    status: int
    headers: Mapping[str, str]
    document: Mapping[str, Any] = field(repr=False)
    seconds: float

    @property
    def served(self) -> bool:
        return self.status == HTTPStatus.OK

    @property
    def limited(self) -> bool:
        return self.status == HTTPStatus.TOO_MANY_REQUESTS

    @property
    def text(self) -> str:
        """What the model said."""
        return str(self.document["choices"][0]["message"]["content"])

    @property
    def error(self) -> Mapping[str, Any]:
        error: Mapping[str, Any] = self.document.get("error") or {}
        return error

    def header(self, name: str) -> str:
        """One of ours, by what follows `x-penstock-`; empty where it is absent."""
        return self.headers.get(f"x-penstock-{name}", "")


class Client:
    """Many requests over one pool of connections."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def models(self, url: str) -> tuple[str, ...]:
        """The names that may be asked for, as the sidecar at `url` says itself."""
        async with self._session.get(f"{url}/models") as response:
            document = await response.json()
        return tuple(entry["id"] for entry in document.get("data", ()))

    async def ask(
        self, url: str, model: str, prompt: str, *, headers: Mapping[str, str] | None = None
    ) -> Told:
        began = time.monotonic()
        body = _body(model, prompt)
        async with self._session.post(
            f"{url}/chat/completions", json=body, headers=headers
        ) as response:
            document = json.loads(await response.read())
            return Told(
                response.status, response.headers.copy(), document, time.monotonic() - began
            )

    async def stream(self, url: str, model: str, prompt: str) -> AsyncIterator[str]:
        """The pieces of text, each as it arrives; ends after `[DONE]` alone, else raises."""
        body = {**_body(model, prompt), "stream": True}
        async with self._session.post(f"{url}/chat/completions", json=body) as response:
            response.raise_for_status()
            async for line in response.content:
                data = line.decode().strip().removeprefix("data: ")
                if data == "[DONE]":
                    return
                if data and (piece := _piece(json.loads(data))):
                    yield piece
        msg = "the stream ended without [DONE]"
        raise aiohttp.ClientPayloadError(msg)


def _body(model: str, prompt: str) -> dict[str, object]:
    messages = [{"role": "user", "content": prompt}]
    return {"model": model, "messages": messages, "max_tokens": 32, "temperature": 0}


def _piece(event: Mapping[str, Any]) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in event.get("choices", ()))
